/** Places in sorted sequences: searchsorted, and what counts by it: histograms. */

import { DTypeError, ShapeError, ValueError } from "../errors";
import { allocateHost, inRegister, isFloat, type TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { showShape } from "../graph/shape";
import { checkNumber } from "../options";
import { add, div, mul, sub, where } from "./arithmetic";
import { expand, zeros } from "./broadcast";
import { cast, commonDType, counted } from "./cast";
import { checkDType, checkSameDType } from "./check";
import { withoutGrad } from "./custom";
import { iota } from "./generate";
import { fromHost } from "./leaf";
import { eq, ne } from "./logic";
import { apply, defineOp, type IndexedContext } from "./op";
import { sort } from "./order";
import { NUMERIC } from "./pointwise";
import { amax, amin } from "./reduce";
import { cumsum } from "./scan";
import { narrow, padZeros } from "./slice";
import { reshape } from "./views";
import { call, lit, vec } from "./wgsl";

// --- searchsorted ----------------------------------------------------------------------------------------------------

type SearchAttrs = { readonly right: boolean };

/** The first place of a row that holds no less than a value, or with `right` more; by bisection as PyTorch's, whatever the order. */
function bisect(row: TypedArray, value: number, right: boolean): number {
  let low = 0;
  let high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const isFound = right ? row[middle]! > value : row[middle]! >= value;
    if (isFound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** One row of the sequence for all values, or one for each row of them. */
function checkRows(sequence: Node, values: Node): void {
  const lead = sequence.shape.slice(0, -1);
  const isShared = sequence.shape.length === 1;
  const isPaired =
    sequence.shape.length > 0 &&
    values.shape.length === sequence.shape.length &&
    lead.every((size, d) => size === values.shape[d]);
  if (isShared || isPaired) return;
  throw new ShapeError(
    `searchsorted: the sequence must have 1 dimension, or the values' sizes in all but the last, ` +
      `got ${showShape(sequence.shape)} and ${showShape(values.shape)}. Expand one of them.`,
  );
}

function searchWgsl(node: Node, context: IndexedContext): string {
  const [sequence, values] = node.inputs as [Node, Node];
  const { right } = node.attrs as SearchAttrs;
  const { lanes } = context;
  const constant = (value: number): string => context.constant(value);
  const size = sequence.shape.at(-1)!;
  if (size === 0) return lit("0i", "i32", lanes);
  const value = context.read(1, context.coords);
  const lead = sequence.shape.length === 1 ? [] : context.coords.slice(0, -1);
  const isFound = (element: string): string => {
    if (inRegister(values.dtype) === "f32") return call(right ? "is_gt" : "is_ge", [element, value], lanes);
    return `(${element} ${right ? ">" : ">="} ${value})`;
  };
  let [low, high] = [constant(0), constant(size)];
  for (let span = size; span > 0; span = span >> 1) {
    const middle = context.bind(`(${low} + ${high}) / ${constant(2)}`, "u32");
    const element = context.read(0, [...lead, context.bind(`min(${middle}, ${constant(size - 1)})`, "u32")]);
    const found = context.bind(isFound(element), "bool");
    const isOpen = context.bind(`${low} < ${high}`, "bool");
    high = context.bind(`select(${high}, ${middle}, ${isOpen} & ${found})`, "u32");
    low = context.bind(`select(${low}, ${middle} + ${constant(1)}, ${isOpen} & !${found})`, "u32");
  }
  return `${vec("i32", lanes)}(${low})`;
}

export const searchsortedOp = defineOp<SearchAttrs>({
  name: "searchsorted",
  infer([sequence, values]) {
    checkDType("searchsorted", [sequence!], NUMERIC);
    checkSameDType("searchsorted", [sequence!, values!]);
    checkRows(sequence!, values!);
    return { shape: values!.shape, dtype: "i32" };
  },
  evaluate([sequence, values], output, { right }) {
    const size = sequence!.shape.at(-1)!;
    const length = values!.shape.at(-1) ?? 1;
    const isShared = sequence!.shape.length === 1;
    for (let i = 0; i < values!.data.length; i++) {
      const row = isShared ? 0 : Math.floor(i / length) * size;
      output.data[i] = bisect(sequence!.data.subarray(row, row + size), values!.data[i]!, right);
    }
  },
  vjp: null,
  lowering: { kind: "indexed", materialize: [0], wgsl: searchWgsl },
});

/**
 * Where each value would have to be inserted into a sorted sequence, along the last dimension: before its equals, or with `right`
 * after them. The sequence has one dimension, or rows of its own for each row of values.
 */
export function searchsorted(sequence: Node, values: Node, right = false): Node {
  const dtype = commonDType([counted(sequence), counted(values)]);
  return apply(searchsortedOp, [cast(sequence, dtype), cast(values, dtype)].map(withoutGrad), { right });
}

// --- counting --------------------------------------------------------------------------------------------------------

/** How many elements of a sorted row lie in each of the ranges between `count + 1` edges; the last one holds its end. */
function countBetween(sorted: Node, edges: Node, count: number): Node {
  const below = searchsorted(sorted, edges);
  const end = searchsorted(sorted, narrow(edges, 0, count, 1), true);
  const last = eq(iota(count), count - 1);
  return sub(where(last, expand(end, [count]), narrow(below, 0, 1, count)), narrow(below, 0, 0, count));
}

/** Edges of `bins` equal ranges from `low` to `high`, known on the host. */
function hostEdges(bins: number, low: number, high: number, dtype: Node["dtype"]): Node {
  const edges = allocateHost(dtype, bins + 1).map((_, i) => (i === bins ? high : low + ((high - low) * i) / bins));
  return fromHost(edges, [bins + 1], dtype);
}

/** Edges from the smallest to the largest element; from one below to one above where they are equal. */
function edgesOf(x: Node, bins: number): Node {
  const [low, high] = [amin(x), amax(x)];
  const same = eq(low, high);
  const start = where(same, sub(low, 1), low);
  const end = where(same, add(high, 1), high);
  const places = iota(bins + 1, x.dtype);
  const inner = add(start, div(mul(sub(end, start), places), bins));
  return where(eq(places, bins), end, inner);
}

/**
 * How many elements lie in each of `bins` equal ranges from `low` to `high`, of the tensor's dtype; others and NaN are left out.
 * Where `low` is `high`, from the smallest element to the largest.
 */
export function histc(x: Node, bins: number, low: number, high: number): Node {
  if (!isFloat(x.dtype)) throw new DTypeError(`histc: dtype must be f32, got ${x.dtype}. Use bincount for integers.`);
  if (!Number.isInteger(bins) || bins < 1)
    throw new ValueError(`histc: bins must be an integer from 1 up, got ${bins}. Pass the number of ranges.`);
  checkNumber("histc", "min", low);
  checkNumber("histc", "max", high);
  if (!(low <= high) || !Number.isFinite(high - low))
    throw new ValueError(
      `histc: min and max must be finite, and max no less than min, got ${low} and ${high}. Swap them.`,
    );
  const flat = reshape(withoutGrad(x), [-1]);
  if (flat.shape[0] === 0) return zeros([bins], x.dtype);
  const edges = low === high ? edgesOf(flat, bins) : hostEdges(bins, low, high, x.dtype);
  return cast(countBetween(sort(flat).values, edges, bins), x.dtype);
}

/** How often each of `0 ... length - 1` is in a vector of integers, i32. */
export function countEach(x: Node, length: number): Node {
  const sorted = sort(counted(x), { dim: 0 }).values;
  const classes = iota(length);
  return sub(searchsorted(sorted, classes, true), searchsorted(sorted, classes));
}

/** Along a vector, how many runs of equals lie before the one that each element is in; i32. NaN equals nothing. */
export function runsOf(x: Node): Node {
  const size = x.shape[0]!;
  if (size === 0) return zeros([0], "i32");
  const differs = ne(narrow(x, 0, 0, size - 1), narrow(x, 0, 1, size - 1));
  return cumsum(padZeros(differs, [1], [0]), 0);
}
