/** Products of vectors and matrices with names of their own: what `torch` has beside `matmul`, checked as it checks. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { expandsTo, normalizeDim, showShape } from "../graph/shape";
import { add, mul, sub } from "./arithmetic";
import { expand } from "./broadcast";
import { broadcast, cast, commonDType, fitted } from "./cast";
import { checkRank } from "./check";
import { tensordot } from "./einsum";
import { iota } from "./generate";
import { eq } from "./logic";
import { matmul, matmulAs, productAs } from "./matmul";
import { forProduct } from "./precision";
import { roll } from "./rearrange";
import { reshape, unsqueeze } from "./views";

/** A product whose operands must have these ranks. */
const ranked =
  (op: string, ranks: readonly [number, number], layouts: readonly [string, string], multiply = matmulAs) =>
  (a: Node, b: Node): Node => {
    checkRank(op, "the first operand", a, ranks[0], layouts[0]);
    checkRank(op, "the second operand", b, ranks[1], layouts[1]);
    return multiply(op, a, b);
  };

/** Product of two matrices. */
export const mm = ranked("mm", [2, 2], ["[m, k]", "[k, n]"]);
/** Product of a matrix and a vector. */
export const mv = ranked("mv", [2, 1], ["[m, k]", "[k]"]);
/** Product of two vectors: a scalar. Autocast leaves it in its dtype, as `inner` and `tensordot`. */
export const dot = ranked("dot", [1, 1], ["[n]", "[n]"], productAs);

/** Products of two stacks of matrices, one by one: nothing broadcasts. */
export function bmm(a: Node, b: Node): Node {
  checkRank("bmm", "the first operand", a, 3, "[batch, m, k]");
  checkRank("bmm", "the second operand", b, 3, "[batch, k, n]");
  if (a.shape[0] !== b.shape[0]) {
    throw new ShapeError(
      `bmm: stacks must have one length, got ${showShape(a.shape)} and ${showShape(b.shape)}. Use matmul to broadcast.`,
    );
  }
  return matmulAs("bmm", a, b);
}

/** Every element of one vector times every element of the other. */
export function outer(a: Node, b: Node): Node {
  checkRank("outer", "the first operand", a, 1, "[m]");
  checkRank("outer", "the second operand", b, 1, "[n]");
  return mul(unsqueeze(a, 1), b);
}

/** Products summed over the last dimension of both; with a scalar, a plain product. */
export const inner = (a: Node, b: Node): Node =>
  a.shape.length === 0 || b.shape.length === 0 ? mul(a, b) : tensordot(a, b, [[-1], [-1]]);

// --- products that are added to something ----------------------------------------------------------------------------

export interface AddOptions {
  /** Factor of what is added to. 0 leaves it out, NaN and all. */
  readonly beta?: number;
  /** Factor of the product. */
  readonly alpha?: number;
}

/** `beta * x + alpha * product` */
function addProduct(op: string, summand: Node, product: Node, { beta = 1, alpha = 1 }: AddOptions): Node {
  const [x] = forProduct([summand]);
  if (!expandsTo(x.shape, product.shape)) {
    throw new ShapeError(
      `${op}: the tensor must broadcast to the product, got ${showShape(x.shape)} for ${showShape(product.shape)}. Reshape it.`,
    );
  }
  const times = (node: Node, factor: number): Node => (factor === 1 ? node : mul(node, fitted(op, factor, node.dtype)));
  const scaled = times(product, alpha);
  if (beta === 0) return cast(scaled, commonDType([x, product]));
  return add(expand(times(x, beta), product.shape), scaled);
}

const added =
  (op: string, multiply: (a: Node, b: Node) => Node) =>
  (x: Node, a: Node, b: Node, options: AddOptions = {}): Node =>
    addProduct(op, x, multiply(a, b), options);

/** `beta * x + alpha * a @ b` for matrices. */
export const addmm = added("addmm", ranked("addmm", [2, 2], ["[m, k]", "[k, n]"]));
/** `beta * x + alpha * a @ b` for a matrix and a vector. */
export const addmv = added("addmv", ranked("addmv", [2, 1], ["[m, k]", "[k]"]));
/** `beta * x + alpha * outer(a, b)`. */
export const addr = added("addr", outer);
/** `beta * x + alpha * a @ b` for stacks of matrices. */
export const baddbmm = added("baddbmm", bmm);

// --- others ----------------------------------------------------------------------------------------------------------

/** Cross products of 3-vectors along `dim`; without it, the first dimension of size 3. The operands broadcast. */
export function cross(a: Node, b: Node, dim?: number): Node {
  const [x, y] = broadcast("cross", [a, b]) as [Node, Node];
  const rank = x.shape.length;
  const at = dim === undefined ? x.shape.indexOf(3) : normalizeDim("cross", dim, rank);
  if (x.shape[at] !== 3) {
    throw new ShapeError(
      `cross: dim must have size 3, got ${showShape(x.shape)}${dim === undefined ? "" : ` and dim ${dim}`}. Name the dimension of the vectors.`,
    );
  }
  return sub(mul(roll(x, -1, at), roll(y, -2, at)), mul(roll(x, -2, at), roll(y, -1, at)));
}

/** The Kronecker product: a block `a[i] * b` for each element of `a`. */
export function kron(a: Node, b: Node): Node {
  const rank = Math.max(a.shape.length, b.shape.length);
  const padded = (node: Node): number[] => [...new Array<number>(rank - node.shape.length).fill(1), ...node.shape];
  const [shapeA, shapeB] = [padded(a), padded(b)];
  const blocks = reshape(
    a,
    shapeA.flatMap((size) => [size, 1]),
  );
  const inside = reshape(
    b,
    shapeB.flatMap((size) => [1, size]),
  );
  return reshape(
    mul(blocks, inside),
    shapeA.map((size, d) => size * shapeB[d]!),
  );
}

/** The product of matrices in the order that takes fewest multiplications; the first and the last may be vectors. */
export function multiDot(op: string, matrices: readonly Node[]): Node {
  const [first, last] = [matrices[0], matrices.at(-1)];
  if (!first || !last || matrices.length < 2) {
    throw new ShapeError(`${op}: there must be at least 2 matrices, got ${matrices.length}. Pass a list of them.`);
  }
  const chain = [...matrices];
  if (first.shape.length === 1) chain[0] = unsqueeze(first, 0);
  if (last.shape.length === 1) chain[chain.length - 1] = unsqueeze(last, 1);
  for (const matrix of chain) checkRank(op, "each matrix", matrix, 2, "[m, n]");
  const product = multiply(chain, cheapestSplits(chain), 0, chain.length - 1);
  const rows = first.shape.length === 1 ? [] : [product.shape[0]!];
  const columns = last.shape.length === 1 ? [] : [product.shape[1]!];
  return reshape(product, [...rows, ...columns]);
}

type Splits = readonly (readonly number[])[];

function multiply(chain: readonly Node[], splits: Splits, from: number, to: number): Node {
  if (from === to) return chain[from]!;
  const split = splits[from]![to]!;
  return matmul(multiply(chain, splits, from, split), multiply(chain, splits, split + 1, to));
}

/** `splits[i][j]`: behind which matrix the product of i to j is cut last. Longer chains are built of shorter ones. */
function cheapestSplits(chain: readonly Node[]): Splits {
  const sizes = [chain[0]!.shape[0]!, ...chain.map(({ shape }) => shape[1]!)];
  const count = chain.length;
  const costs = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  const splits = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  for (let length = 1; length < count; length++) {
    for (let from = 0; from + length < count; from++) {
      const to = from + length;
      costs[from]![to] = Infinity;
      for (let split = from; split < to; split++) {
        const last = sizes[from]! * sizes[split + 1]! * sizes[to + 1]!;
        const cost = costs[from]![split]! + costs[split + 1]![to]! + last;
        if (cost >= costs[from]![to]!) continue;
        costs[from]![to] = cost;
        splits[from]![to] = split;
      }
    }
  }
  return splits;
}

/** A square matrix, or a stack of them, times itself `n` times, by squaring. */
export function matrixPower(x: Node, n: number): Node {
  const [rows, columns] = x.shape.slice(-2);
  if (x.shape.length < 2 || rows !== columns) {
    throw new ShapeError(`matrixPower: matrices must be square, got ${showShape(x.shape)}. Use matmul.`);
  }
  if (!(Number.isInteger(n) && n >= 0)) {
    throw new ValueError(`matrixPower: n must be an integer of at least 0, got ${n}. Invert the matrix on the host.`);
  }
  if (n === 0) return expand(cast(eq(unsqueeze(iota(rows!), 1), iota(rows!)), x.dtype), x.shape);
  if (n === 1) return x;
  const half = matrixPower(x, Math.floor(n / 2));
  const squared = matmul(half, half);
  return n % 2 === 0 ? squared : matmul(squared, x);
}
