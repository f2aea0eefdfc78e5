/** Functions of several tensors: joins, grids, Einstein sums. What takes one tensor and others is a method of it. */

import { type CreationOptions, tensor } from "./creation";
import { naming, ShapeError, ValueError } from "./errors";
import type { Node } from "./graph/node";
import { broadcastShapes, showShape } from "./graph/shape";
import * as ops from "./ops";
import { checkChoice, checkOptionNames } from "./options";
import { build, checkTensorList, checkTensors, operandsOf, Tensor, wrap } from "./tensor";

// --- joins -----------------------------------------------------------------------------------------------------------

/**
 * Tensors one after the other along `dim`.
 *
 * @throws ShapeError if other sizes differ
 * @see torch.cat
 */
export const cat = (tensors: readonly Tensor[], dim = 0): Tensor =>
  joined("cat", tensors, (nodes) => ops.cat(nodes, dim));

/** As `cat`. @see torch.concat */
export const concat = cat;

/**
 * Tensors of one shape along a new dimension.
 *
 * @throws ShapeError if shapes differ
 * @see torch.stack
 */
export const stack = (tensors: readonly Tensor[], dim = 0): Tensor =>
  joined("stack", tensors, (nodes) => ops.stack(nodes, dim));

function joined(op: string, tensors: readonly Tensor[], make: (nodes: readonly Node[]) => Node): Tensor {
  checkTensorList(op, tensors);
  if (tensors.length === 0) {
    throw new ShapeError(`${op}: there must be at least one tensor, got none. Pass a list of tensors.`);
  }
  return build(op, tensors, (...nodes) => make(nodes));
}

/** Side by side: along the second dimension; vectors along their only one. @see torch.hstack */
export const hstack = (tensors: readonly Tensor[]): Tensor => joined("hstack", tensors, ops.hstack);

/** One below the other: along the first dimension; vectors are rows. @see torch.vstack */
export const vstack = (tensors: readonly Tensor[]): Tensor => joined("vstack", tensors, ops.vstack);

/** One behind the other: along the third dimension. @see torch.dstack */
export const dstack = (tensors: readonly Tensor[]): Tensor => joined("dstack", tensors, ops.dstack);

/** Side by side; vectors are columns. @see torch.column_stack */
export const columnStack = (tensors: readonly Tensor[]): Tensor => joined("columnStack", tensors, ops.columnStack);

/** A tensor, or each of a list. */
interface OneOrAll {
  (x: Tensor): Tensor;
  (x: readonly Tensor[]): Tensor[];
}

function atLeast(op: string, rank: 1 | 2 | 3): OneOrAll {
  const one = (x: Tensor): Tensor => wrap(ops.atLeast(rank, x.node), x.device);
  function each(x: Tensor): Tensor;
  function each(x: readonly Tensor[]): Tensor[];
  function each(x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
    if (!Array.isArray(x)) checkTensors(op, x);
    else checkTensorList(op, x);
    return x instanceof Tensor ? one(x) : x.map(one);
  }
  return each;
}

/** At least 1 dimension. @see torch.atleast_1d */
export const atleast1d = atLeast("atleast1d", 1);
/** At least 2 dimensions; a vector is a row. @see torch.atleast_2d */
export const atleast2d = atLeast("atleast2d", 2);
/** At least 3 dimensions; `[m, n]` becomes `[m, n, 1]`, `[n]` becomes `[1, n, 1]`. @see torch.atleast_3d */
export const atleast3d = atLeast("atleast3d", 3);

/**
 * Tensors expanded to the shape they broadcast to.
 *
 * @throws ShapeError if they do not
 * @see torch.broadcast_tensors
 */
export function broadcastTensors(...tensors: readonly Tensor[]): Tensor[] {
  if (tensors.length === 0) return [];
  checkTensors("broadcastTensors", ...tensors);
  operandsOf("broadcastTensors", tensors);
  const shape = tensors.map((x) => x.shape).reduce((a, b) => broadcastShapes("broadcastTensors", a, b));
  return tensors.map((x) => x.expand(shape));
}

// --- grids -----------------------------------------------------------------------------------------------------------

/**
 * Coordinates of a grid: one tensor per vector, each of the grid's shape.
 *
 * @param tensors vectors or scalars
 * @param options.indexing `"ij"` (default): the first vector runs along dim 0. `"xy"`: the first two are swapped
 * @see torch.meshgrid
 *
 * @example
 * const [y, x] = meshgrid([arange(h), arange(w)]);
 */
export function meshgrid(tensors: readonly Tensor[], options: { readonly indexing?: "ij" | "xy" } = {}): Tensor[] {
  checkOptionNames("meshgrid", options, ["indexing"]);
  const { indexing = "ij" } = options;
  checkChoice("meshgrid", "indexing", indexing, ["ij", "xy"]);
  checkTensorList("meshgrid", tensors);
  const long = tensors.find((x) => x.ndim > 1);
  if (long || tensors.length === 0) {
    throw new ShapeError(
      `meshgrid: there must be vectors, got ${long ? showShape(long.shape) : "none"}. Pass a list of 1-d tensors.`,
    );
  }
  operandsOf("meshgrid", tensors);
  const isSwapped = indexing === "xy" && tensors.length > 1;
  const ordered = isSwapped ? [tensors[1]!, tensors[0]!, ...tensors.slice(2)] : tensors;
  const shape = ordered.map((x) => x.numel());
  const grids = ordered.map((x, dim) => x.reshape(shape.map((size, d) => (d === dim ? size : 1))).expand(shape));
  return isSwapped ? [grids[1]!, grids[0]!, ...grids.slice(2)] : grids;
}

/**
 * All tuples with one element of each vector, a row each, in the order of counting.
 *
 * @shape `[a], [b], ... -> [a * b * ..., count]`; of one vector, the vector
 * @see torch.cartesian_prod
 */
export function cartesianProd(...tensors: readonly Tensor[]): Tensor {
  checkTensors("cartesianProd", ...tensors);
  const grids = naming("cartesianProd", () => meshgrid(tensors)).map((grid) => grid.ravel());
  return grids.length === 1 ? grids[0]! : stack(grids, 1);
}

/**
 * All choices of `r` elements of a vector, a row each, in the order of the vector.
 *
 * @param options.withReplacement whether an element may come several times; default false
 * @shape `[n] -> [count, r]`
 * @see torch.combinations
 */
export function combinations(x: Tensor, r = 2, options: { readonly withReplacement?: boolean } = {}): Tensor {
  checkOptionNames("combinations", options, ["withReplacement"]);
  checkTensors("combinations", x);
  if (x.ndim !== 1)
    throw new ShapeError(`combinations: there must be 1 dimension, got ${showShape(x.shape)}. Flatten it.`);
  if (!(Number.isInteger(r) && r >= 0)) {
    throw new ValueError(`combinations: r must be an integer of at least 0, got ${r}. Pass how many to choose.`);
  }
  const rows = choices(x.numel(), r, options.withReplacement ?? false);
  const places = Int32Array.from(rows.flat());
  return x.take(tensor(places, { shape: [rows.length, r], device: x.device }));
}

/** Ascending lists of `r` of the numbers below `n`. */
function choices(n: number, r: number, withReplacement: boolean): number[][] {
  let rows: number[][] = [[]];
  for (let i = 0; i < r; i++) {
    rows = rows.flatMap((row) => {
      const last = row.at(-1);
      const first = last === undefined ? 0 : last + Number(!withReplacement);
      return Array.from({ length: Math.max(n - first, 0) }, (_, k) => [...row, first + k]);
    });
  }
  return rows;
}

/** Rows and columns of the places of a triangle, row by row; i32 `[2, count]`. */
function triangleIndices(
  op: string,
  [rows, columns]: readonly [number, number],
  keeps: (offset: number) => boolean,
  options: CreationOptions,
): Tensor {
  if (![rows, columns].every((size) => Number.isInteger(size) && size >= 0)) {
    throw new ShapeError(`${op}: sizes must be integers of at least 0, got ${rows} and ${columns}. Round them.`);
  }
  const places = Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const);
  const kept = places.filter(([row, column]) => keeps(column - row));
  const flat = Int32Array.from([...kept.map(([row]) => row), ...kept.map(([, column]) => column)]);
  return tensor(flat, { dtype: "i32", ...options, shape: [2, kept.length] });
}

/** Rows and columns of the lower triangle of `[rows, columns]`, row by row; i32 `[2, count]`. @see torch.tril_indices */
export const trilIndices = (rows: number, columns: number, offset = 0, options: CreationOptions = {}): Tensor =>
  triangleIndices("trilIndices", [rows, columns], (distance) => distance <= offset, options);

/** Rows and columns of the upper triangle of `[rows, columns]`, row by row; i32 `[2, count]`. @see torch.triu_indices */
export const triuIndices = (rows: number, columns: number, offset = 0, options: CreationOptions = {}): Tensor =>
  triangleIndices("triuIndices", [rows, columns], (distance) => distance >= offset, options);

// --- sums of products ------------------------------------------------------------------------------------------------

/**
 * The sum of products that an equation describes: every dimension has a letter, and those that the result does not have
 * are summed over. Pairs of operands are contracted as matrix products, the cheapest first.
 *
 * @param equation letters per operand, and of the result behind `->`; without it, letters that appear once, in
 *   alphabetical order. `...` stands for dimensions that broadcast, a letter that an operand has twice for its diagonal
 * @throws ValueError if the equation cannot be read; ShapeError if sizes of one letter differ
 * @see torch.einsum
 *
 * @example
 * einsum("bij,bjk->bik", a, b); // a stack of matrix products
 * einsum("ii", a); // the trace
 */
export const einsum = (equation: string, ...operands: readonly Tensor[]): Tensor =>
  joined("einsum", operands, (nodes) => ops.einsum(equation, nodes));

/**
 * Products summed over pairs of dimensions.
 *
 * @param dims how many: the last of `a` with the first of `b`; or two lists that name them. Default 2
 * @throws ShapeError if sizes of a pair differ
 * @see torch.tensordot
 */
export const tensordot = (
  a: Tensor,
  b: Tensor,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor => joined("tensordot", [a, b], ([x, y]) => ops.tensordot(x!, y!, dims));

/** Product of matrices in the order that takes fewest multiplications; the first and last may be vectors. @see torch.linalg.multi_dot */
export const multiDot = (tensors: readonly Tensor[]): Tensor =>
  joined("multiDot", tensors, (nodes) => ops.multiDot("multiDot", nodes));

/** As `multiDot`. @see torch.chain_matmul */
export const chainMatmul = (...matrices: readonly Tensor[]): Tensor =>
  joined("chainMatmul", matrices, (nodes) => (nodes.length === 1 ? nodes[0]! : ops.multiDot("chainMatmul", nodes)));
