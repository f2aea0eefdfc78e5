/** Writing by index or by mask: a new tensor, in which some elements are others. */

import { DTypeError, ShapeError } from "../errors";
import { Node } from "../graph/node";
import { normalizeDim, sameShape, showShape, sizeOf } from "../graph/shape";
import { checkNumber, operandError } from "../options";
import { maximum, mul, sub, where } from "./arithmetic";
import { expand, ones } from "./broadcast";
import { broadcast, cast, fitted, type Operand } from "./cast";
import { diagonal, undiagonal } from "./diagonal";
import { gather, scatter, scatterAdd } from "./indexing";
import { hostIntegers } from "./leaf";
import { spreadIndex, wrapIndex } from "./lookup";
import { cumsum } from "./scan";
import { index, type Item, setAt } from "./subscript";
import { reshape } from "./views";

// --- entries of a dimension ------------------------------------------------------------------------------------------

/** A dimension, its index as `gather` takes it, and what is written there. */
interface Entries {
  readonly at: number;
  readonly places: Node;
}

function entriesOf(op: string, x: Node, dim: number, index: Node): Entries {
  const at = normalizeDim(op, dim, x.shape.length);
  return { at, places: spreadIndex(op, index, x.shape, at) };
}

/** A source must have an entry per index. */
function checkSource(op: string, source: Node, { places }: Entries): void {
  if (sameShape(source.shape, places.shape)) return;
  throw new ShapeError(
    `${op}: source must have the tensor's shape with an entry per index, ${showShape(places.shape)}, got ${showShape(source.shape)}. Expand it.`,
  );
}

/** `x` with `alpha * source` added to the entries of `dim` that a 1-d index names, in its order. */
export function indexAdd(x: Node, dim: number, index: Node, source: Node, alpha = 1): Node {
  const entries = entriesOf("indexAdd", x, dim, index);
  checkSource("indexAdd", source, entries);
  const values = alpha === 1 ? source : mul(source, fitted("indexAdd", alpha, source.dtype));
  return scatterAdd(x, entries.at, entries.places, values, "indexAdd");
}

/** `x` with the entries of `dim` that a 1-d index names replaced; of several for one, the last stays. */
export function indexCopy(x: Node, dim: number, index: Node, source: Node): Node {
  const entries = entriesOf("indexCopy", x, dim, index);
  checkSource("indexCopy", source, entries);
  return scatter(x, entries.at, entries.places, source, "indexCopy");
}

/** `x` with one value in the entries of `dim` that a 1-d index names; negative indices count from the end. */
export function indexFill(x: Node, dim: number, index: Node, value: Operand): Node {
  const op = "indexFill";
  const at = normalizeDim(op, dim, x.shape.length);
  const { places } = entriesOf(op, x, at, wrapIndex(op, index, x.shape[at] ?? 1));
  return scatter(x, at, places, typeof value === "number" ? value : expand(scalarOf(op, value), places.shape), op);
}

function scalarOf(op: string, value: Node): Node {
  if (!((value as unknown) instanceof Node)) throw operandError(op, value);
  if (value.shape.length === 0) return value;
  throw new ShapeError(`${op}: value must be a number or a scalar tensor, got ${showShape(value.shape)}. Select one.`);
}

/** `x` with the elements of the flat tensor at `index` replaced, or added to; negative indices count from the end. */
export function put(x: Node, index: Node, source: Node, accumulate = false): Node {
  if (sizeOf(index.shape) !== sizeOf(source.shape)) {
    throw new ShapeError(
      `put: there must be a value per index, got ${showShape(source.shape)} for ${showShape(index.shape)}. Expand the source.`,
    );
  }
  const flat = reshape(x, [-1]);
  const places = reshape(wrapIndex("put", index, flat.shape[0]!), [-1]);
  return reshape((accumulate ? scatterAdd : scatter)(flat, 0, places, reshape(source, [-1]), "put"), x.shape);
}

// --- masks -----------------------------------------------------------------------------------------------------------

export function checkMask(op: string, mask: Node): void {
  if (mask.dtype === "bool") return;
  throw new DTypeError(`${op}: mask must be bool, got ${mask.dtype}. Compare it, or cast it with .to("bool").`);
}

/** `x` with one value where the mask is true; both broadcast. */
export function maskedFill(x: Node, mask: Node, value: Operand): Node {
  checkMask("maskedFill", mask);
  const filling = fitted("maskedFill", typeof value === "number" ? value : scalarOf("maskedFill", value), x.dtype);
  return where(mask, filling, x);
}

/** `x` with the elements of `source`, in order, where the mask is true. */
export function maskedScatter(x: Node, mask: Node, source: Node): Node {
  const op = "maskedScatter";
  checkMask(op, mask);
  const [whole, isTaken] = broadcast(op, [x, mask]) as [Node, Node];
  if (sizeOf(source.shape) < leastTaken(mask, sizeOf(whole.shape))) {
    throw new ShapeError(`${op}: source must have an element per true, got ${showShape(source.shape)}. Pass more.`);
  }
  if (sizeOf(whole.shape) === 0 || sizeOf(source.shape) === 0) return whole;
  const places = maximum(sub(cumsum(cast(reshape(isTaken, [-1]), "i32"), 0), 1), 0);
  const values = reshape(gather(reshape(fitted(op, source, x.dtype), [-1]), 0, places, op), whole.shape);
  return where(isTaken, values, whole);
}

/** How many of `size` elements a mask that broadcasts to them takes: one at least where the host does not know it. */
function leastTaken(mask: Node, size: number): number {
  const flags = hostIntegers(mask);
  if (!flags || size === 0) return Math.min(size, 1);
  let taken = 0;
  for (const flag of flags) if (flag !== 0) taken++;
  return taken * (size / flags.length);
}

// --- parts -----------------------------------------------------------------------------------------------------------

/** `x` with a diagonal replaced. */
export function diagonalScatter(x: Node, source: Node, offset = 0, dim1 = 0, dim2 = 1): Node {
  const op = "diagonalScatter";
  const line = diagonal(x, offset, dim1, dim2);
  if (!sameShape(line.shape, source.shape)) {
    throw new ShapeError(
      `${op}: source must have the diagonal's shape ${showShape(line.shape)}, got ${showShape(source.shape)}. Expand it.`,
    );
  }
  const spread = (values: Node): Node => undiagonal(values, x.shape, offset, dim1, dim2);
  return where(spread(ones(line.shape, "bool")), spread(fitted(op, source, x.dtype)), x);
}

/** `x` with the entry `index` of `dim` replaced. */
export function selectScatter(x: Node, source: Node, dim: number, index: number): Node {
  const at = normalizeDim("selectScatter", dim, x.shape.length);
  return replaceAlong("selectScatter", x, source, at, index);
}

/** `x` with `start:end:step` of `dim` replaced. */
export function sliceScatter(
  x: Node,
  source: Node,
  dim: number,
  start: number | null,
  end: number | null,
  step: number,
): Node {
  for (const [name, bound] of Object.entries({ start, end, step })) {
    if (bound !== null) checkNumber("sliceScatter", name, bound);
  }
  const at = normalizeDim("sliceScatter", dim, x.shape.length);
  return replaceAlong("sliceScatter", x, source, at, `${start ?? ""}:${end ?? ""}:${step}`);
}

/** `x[:, ..., item] = source`, where the source must have the shape of what it replaces. */
function replaceAlong(op: string, x: Node, source: Node, dim: number, item: Item): Node {
  const items = [...new Array<Item>(dim).fill(":"), item];
  const { shape } = index(x, items);
  if (!sameShape(source.shape, shape)) {
    throw new ShapeError(
      `${op}: src must have the shape of what it replaces, ${showShape(shape)}, got ${showShape(source.shape)}. Expand it.`,
    );
  }
  return setAt(x, items, source, false, op);
}
