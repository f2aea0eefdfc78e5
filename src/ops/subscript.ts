/**
 * `x[...]` as PyTorch has it: numbers, slices, new dimensions, the ellipsis, tensors of indices and masks, read and written.
 * Everything but tensors is a slice and a reshape; tensors become one index into their dimensions, joined.
 */

import { IndexError, ShapeError, ValueError } from "../errors";
import { Node } from "../graph/node";
import { expandsTo, sameShape, type Shape, showShape, sizeOf } from "../graph/shape";
import { add, minimum, mul, where } from "./arithmetic";
import { expand, zerosLike } from "./broadcast";
import { broadcast, fitted, type Operand } from "./cast";
import { customVjp } from "./custom";
import { checkRange, gather, scatter, scatterAdd } from "./indexing";
import { fromHost, hostIntegers } from "./leaf";
import { lt } from "./logic";
import { spreadIndex, wrapIndex } from "./lookup";
import { replaceBox, resolveRange, sliceBox, type SliceAttrs, unslice } from "./slice";
import { movedim, permute, reshape } from "./views";

/** What may stand between the brackets. A string is a slice in Python's words, or the ellipsis; null is a new dimension. */
export type Item = number | null | string | readonly number[] | Node;

/** A dimension that a tensor of indices takes elements of. */
interface Pick {
  /** Among the dimensions that are left when numbers are gone and new ones are there. */
  readonly dim: number;
  /** i32; of any shape. Negative ones count from the end. */
  readonly index: Node;
}

/** Items, brought to what they come down to. */
interface Subscript {
  /** What slices and numbers take. */
  readonly box: SliceAttrs;
  /** Its shape without the dimensions that numbers took, and with new ones. */
  readonly shape: Shape;
  readonly picks: readonly Pick[];
}

// --- reading items ---------------------------------------------------------------------------------------------------

const SLICE = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

const show = (item: Item): string =>
  item instanceof Node ? `a tensor ${showShape(item.shape)}` : JSON.stringify(item);

/** How many dimensions of the tensor an item stands for. */
function dimsOf(item: Item): number {
  if (item === null) return 0;
  return item instanceof Node && item.dtype === "bool" ? item.shape.length : 1;
}

/** Items without an ellipsis: one for each dimension, and the new ones. */
function spelledOut(op: string, items: readonly Item[], shape: Shape): Item[] {
  const isDots = (item: Item): boolean => item === "...";
  if (items.filter(isDots).length > 1) {
    throw new IndexError(`${op}: there must be at most one "...", got ${items.map(show).join(", ")}. Remove one.`);
  }
  const named = items.reduce<number>((total, item) => total + (isDots(item) ? 0 : dimsOf(item)), 0);
  if (named > shape.length) {
    throw new IndexError(
      `${op}: there must be at most one index per dimension, got ${named} for ${showShape(shape)}. Remove the rest.`,
    );
  }
  const rest = new Array<Item>(shape.length - named).fill(":");
  const at = items.findIndex(isDots);
  return at < 0 ? [...items, ...rest] : items.toSpliced(at, 1, ...rest);
}

/** Where a mask is true, as one index per dimension. */
function placesOf(op: string, mask: Node, shape: Shape): Node[] {
  const known = hostIntegers(mask);
  if (!known) {
    throw new ValueError(
      `${op}: a mask must be known to the host, since the shape depends on it, got ${showShape(mask.shape)} that only the device knows. ` +
        "Write x.index(...(await mask.nonzero({ asTuple: true }))), or await x.maskedSelect(mask).",
    );
  }
  if (mask.shape.length === 0 || !sameShape(mask.shape, shape)) {
    throw new IndexError(
      `${op}: a mask must have the shape of the dimensions that it stands for, got ${showShape(mask.shape)} for ${showShape(shape)}. Expand it.`,
    );
  }
  return nonzeroPlaces(known, mask.shape).map((places) => fromHost(places, [places.length], "i32"));
}

/** Coordinates of what is not 0, one list per dimension, in the order of the elements. */
export function nonzeroPlaces(values: ArrayLike<number>, shape: Shape): Int32Array[] {
  const flat: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) flat.push(i);
  return shape.map((size, dim) => {
    const stride = sizeOf(shape.slice(dim + 1));
    return Int32Array.from(flat, (place) => Math.floor(place / stride) % size);
  });
}

/** What one item says of its dimension: a range of it, and whether the dimension stays. */
interface Part {
  readonly start: number;
  readonly size: number;
  readonly step: number;
  readonly stays: boolean;
}

function partOf(op: string, item: Item, size: number): Part {
  const whole = { start: 0, size, step: 1, stays: true };
  if (typeof item === "number") {
    if (!Number.isInteger(item)) throw new IndexError(`${op}: indices must be integers, got ${item}. Round it.`);
    checkRange(op, Int32Array.of(item), size, -size);
    return { start: item < 0 ? item + size : item, size: 1, step: 1, stays: false };
  }
  if (typeof item !== "string") return whole;
  const match = SLICE.exec(item);
  const step = Number(match?.[3] ?? 1);
  if (!match || step === 0) {
    throw new ValueError(
      `${op}: a slice must read "start:stop" or "start:stop:step" with integers, of which any may be left out and step is not 0, ` +
        `got ${JSON.stringify(item)}. Write "1:3", "::2" or ":".`,
    );
  }
  const bound = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
  return { ...resolveRange(size, bound(match[1]), bound(match[2]), step), step, stays: true };
}

/** The tensor of indices that an item is; null for others. */
function indexOf(op: string, item: Item): Node | null {
  if (item === null || typeof item === "number" || typeof item === "string") return null;
  if (item instanceof Node) {
    if (item.dtype === "i32" || item.dtype === "u32") return item;
    const way = item.dtype === "u8" ? `.to("bool") for a mask, .to("i32") for indices` : `.to("i32")`;
    throw new IndexError(`${op}: tensors must be integers or masks, got ${item.dtype}. Cast it with ${way}.`);
  }
  if (!Array.isArray(item) || !item.every(Number.isInteger)) {
    throw new IndexError(`${op}: lists of indices must hold integers, got ${show(item)}. Round them.`);
  }
  return fromHost(Int32Array.from(item), [item.length], "i32");
}

function parse(op: string, items: readonly Item[], shape: Shape): Subscript {
  let next = 0;
  const parts: Part[] = [];
  const kept: number[] = [];
  const picks: Pick[] = [];
  const take = (item: Item): void => {
    const size = shape[next++]!;
    const index = indexOf(op, item);
    if (index) picks.push({ dim: kept.length, index });
    const part = partOf(op, item, size);
    parts.push(part);
    if (part.stays) kept.push(part.size);
  };
  for (const item of spelledOut(op, items, shape)) {
    if (item === null) kept.push(1);
    else if (item instanceof Node && item.dtype === "bool") {
      const places = placesOf(op, item, shape.slice(next, next + item.shape.length));
      for (const place of places) take(place);
    } else take(item);
  }
  const box: SliceAttrs = {
    starts: parts.map(({ start }) => start),
    sizes: parts.map(({ size }) => size),
    steps: parts.map(({ step }) => step),
  };
  return { box, shape: kept, picks };
}

// --- tensors of indices ----------------------------------------------------------------------------------------------

/** How the dimensions of picks are joined to one, and where those of the indices go. */
interface Joined {
  /** Dimensions that are picked from first, then the others. */
  readonly order: readonly number[];
  /** Sizes of the others. */
  readonly others: Shape;
  /** The joined dimension's size. */
  readonly size: number;
  /** i32 places in the joined dimension; -1 where a GPU met an index out of range. */
  readonly places: Node;
  /** Where the places' dimensions stand among the others. */
  readonly at: number;
}

function join(op: string, { shape, picks }: Subscript): Joined {
  const picked = picks.map(({ dim }) => dim);
  const otherDims = shape.map((_, dim) => dim).filter((dim) => !picked.includes(dim));
  return {
    order: [...picked, ...otherDims],
    others: otherDims.map((dim) => shape[dim]!),
    size: sizeOf(picked.map((dim) => shape[dim]!)),
    places: joinPlaces(op, picks, shape),
    at: placeOfPicks(picks, otherDims),
  };
}

/** Places in the dimensions of all picks, as one place in the joined dimension. */
function joinPlaces(op: string, picks: readonly Pick[], shape: Shape): Node {
  const wrapped = picks.map(({ dim, index }) => wrapIndex(op, index, shape[dim]!));
  return broadcast(op, wrapped).reduce((joined, next, i) => {
    const place = add(mul(joined, shape[picks[i]!.dim]!), next);
    return where(lt(minimum(joined, next), 0), -1, place);
  });
}

/**
 * Neighbouring picks leave the dimensions of their indices where they were; others put them in front. Scalars leave none and
 * keep nobody apart.
 */
function placeOfPicks(picks: readonly Pick[], otherDims: readonly number[]): number {
  const dims = picks.filter(({ index }) => index.shape.length > 0).map(({ dim }) => dim);
  const [first, last] = [dims[0] ?? 0, dims.at(-1) ?? 0];
  const isApart = otherDims.some((dim) => dim > first && dim < last);
  return isApart ? 0 : otherDims.filter((dim) => dim < first).length;
}

/** Dimensions counted on from `first`. */
const run = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

// --- reading and writing ---------------------------------------------------------------------------------------------

/** `x[items]`. */
export function index(x: Node, items: readonly Item[]): Node {
  const subscript = parse("index", items, x.shape);
  const part = reshape(sliceBox(x, subscript.box), subscript.shape);
  if (subscript.picks.length === 0) return part;
  const { order, others, size, places, at } = join("index", subscript);
  const flat = reshape(permute(part, order), [size, ...others]);
  const taken = gather(flat, 0, spreadIndex("index", reshape(places, [-1]), flat.shape, 0), "index");
  const rank = places.shape.length;
  return movedim(reshape(taken, [...places.shape, ...others]), run(0, rank), run(at, rank));
}

/** `x`, with `x[items] = value`, or `+=` where it accumulates: then every index counts, also those that are there twice. */
export function setAt(x: Node, items: readonly Item[], value: Operand, accumulate = false, op = "setAt"): Node {
  const subscript = parse(op, items, x.shape);
  const { box, shape, picks } = subscript;
  const values = fitted(op, value, x.dtype);
  if (picks.length > 0) return replaceBox(x, setPicks(op, x, subscript, values, accumulate), box);
  const part = reshape(expandTo(op, values, shape), box.sizes);
  if (accumulate) return add(x, unslice(part, box, x.shape));
  const result = replaceBox(x, part, box);
  if (result !== part || !x.requiresGrad) return result;
  return customVjp(part, [x, part], (gradOut) => [zerosLike(x), gradOut]); // nothing of x is left, but its gradient is 0
}

/** The box with the picked elements replaced. */
function setPicks(op: string, x: Node, subscript: Subscript, values: Node, accumulate: boolean): Node {
  const { box, shape } = subscript;
  const { order, others, size, places, at } = join(op, subscript);
  const rank = places.shape.length;
  const given = expandTo(op, values, others.toSpliced(at, 0, ...places.shape));
  const rows = reshape(movedim(given, run(at, rank), run(0, rank)), [sizeOf(places.shape), ...others]);
  const moved = permute(reshape(sliceBox(x, box), shape), order);
  const flat = reshape(moved, [size, ...others]);
  const spread = spreadIndex(op, reshape(places, [-1]), flat.shape, 0);
  const written = (accumulate ? scatterAdd : scatter)(flat, 0, spread, rows, op);
  const back = order.map((_, dim) => order.indexOf(dim));
  return reshape(permute(reshape(written, moved.shape), back), box.sizes);
}

/** A value broadcast to what it is written to; sizes of 1 in front do not count. */
function expandTo(op: string, value: Node, shape: Shape): Node {
  const extra = Math.max(value.shape.length - shape.length, 0);
  const from = value.shape.slice(0, extra).every((size) => size === 1) ? value.shape.slice(extra) : value.shape;
  if (!expandsTo(from, shape)) {
    throw new ShapeError(
      `${op}: the value must broadcast to what is replaced, got ${showShape(value.shape)} for ${showShape(shape)}. Reshape it.`,
    );
  }
  return expand(reshape(value, from), shape);
}
