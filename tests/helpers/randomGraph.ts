/**
 * Random graphs, for fast-check to draw and to shrink: a recipe is lists of numbers, and building it reads what they mean one by
 * one, so that any recipe is a graph. Every value is built twice, with state and without: where the engine reads a variable, the
 * other graph has the value that was written to it.
 */

import fc from "fast-check";
import type { DType } from "../../src/graph/dtype";
import { isFloat } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { sameShape, type Shape, sizeOf } from "../../src/graph/shape";
import { topologicalOrder } from "../../src/graph/walk";
import * as ops from "../../src/ops";
import type { Engine } from "../../src/runtime/engine";
import type { Variable } from "../../src/runtime/variable";
import { Draw } from "../ops/case";

/** Numbers that a part of a graph is read from; missing ones are 0. */
type Gene = readonly number[];

export interface Recipe {
  readonly leaves: readonly Gene[];
  readonly steps: readonly Gene[];
  readonly outputs: Gene;
}

const gene = fc.array(fc.nat(2 ** 20), { minLength: 8, maxLength: 8, size: "max" });

/** Graphs of a dozen nodes and more. */
export const recipes: fc.Arbitrary<Recipe> = fc.record({
  leaves: fc.array(gene, { minLength: 2, maxLength: 4, size: "max" }),
  steps: fc.array(gene, { minLength: 8, maxLength: 24, size: "max" }),
  outputs: gene,
});

export interface BuildOptions {
  /** Whether kernels beside reductions are among the nodes: products, scans, pools. */
  readonly withKernels?: boolean;
}

/** A value as the engine computes it, and the same without state. */
export interface Pair {
  readonly node: Node;
  readonly want: Node;
}

/** Elements of a leaf, and of any other node. */
const MOST = 300;
const MOST_OF_NODE = 4000;
const MOST_RANK = 6;

/** Sizes of dimensions: 1, primes, what divides often, and, seldom, 0. */
const SIZES = [1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 11, 12, 13, 17] as const;

/** Reads a gene number by number. */
class Reader {
  private position = 0;
  constructor(private readonly numbers: Gene) {}

  private next(): number {
    return this.numbers[this.position++] ?? 0;
  }
  int(below: number): number {
    return this.next() % Math.max(1, below);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)]!;
  }
  /** Whether one of so many cases. */
  oneIn(cases: number): boolean {
    return this.int(cases) === cases - 1;
  }
  /** In [-2, 2], of two decimals. */
  number(): number {
    return (this.int(401) - 200) / 100;
  }
  get seed(): string {
    return this.numbers.join(" ");
  }
}

interface State {
  readonly variable: Variable;
  want: Node;
}

/** What a step may be made of. */
interface Context {
  readonly read: Reader;
  readonly x: Pair;
  readonly rank: number;
  readonly shape: Shape;
  /** A value that broadcasts with `x`. */
  readonly partner: () => Pair;
  readonly dim: () => number;
}

/** The same on both graphs. */
const lift = (make: (...nodes: Node[]) => Node, ...pairs: readonly Pair[]): Pair => {
  const node = make(...pairs.map((pair) => pair.node));
  const isPure = pairs.every((pair) => pair.node === pair.want);
  return { node, want: isPure ? node : make(...pairs.map((pair) => pair.want)) };
};

/** Whether two shapes broadcast. */
const canMeet = (a: Shape, b: Shape): boolean => {
  for (let i = 1; i <= Math.min(a.length, b.length); i++) {
    const [x, y] = [a.at(-i)!, b.at(-i)!];
    if (x !== y && x !== 1 && y !== 1) return false;
  }
  return true;
};

/** A shape of the same number of elements. */
function shapeOfSize(read: Reader, size: number): Shape {
  const rank = read.int(5);
  const shape: number[] = [];
  let rest = size;
  while (shape.length < rank && rest > 0) {
    const divisors = Array.from({ length: Math.min(rest, 32) }, (_, i) => i + 1).filter((each) => rest % each === 0);
    const divisor = read.pick(divisors);
    shape.push(divisor);
    rest /= divisor;
  }
  shape.splice(read.int(shape.length + 1), 0, rest);
  return shape;
}

function leafShape(read: Reader): Shape {
  const rank = read.int(MOST_RANK + 1);
  const shape: number[] = [];
  for (let d = 0; d < rank; d++) {
    const size = read.oneIn(80) ? 0 : read.pick(SIZES);
    shape.push(sizeOf(shape) * size <= MOST ? size : 1);
  }
  return shape;
}

const bounded = (x: Node): Node => ops.tanh(x);

type Step = (context: Context) => Pair | null;

const unary = (...functions: readonly ((x: Node) => Node)[]): Step => ({ read, x }) => lift(read.pick(functions), x); // prettier-ignore

const binary = (...functions: readonly ((a: Node, b: Node) => Node)[]): Step => ({ read, x, partner }) => lift(read.pick(functions), x, partner()); // prettier-ignore

/** Needs a dimension. */
const along = (make: (context: Context, dim: number) => (x: Node) => Node): Step => (context) => context.rank === 0 ? null : lift(make(context, context.dim()), context.x); // prettier-ignore

const squashed = (f: (a: Node, b: Node) => Node) => (a: Node, b: Node): Node => bounded(f(a, b)); // prettier-ignore

/** Dims that a gene names, at least one if there are any. */
function someDims({ read, rank }: Context): number[] {
  const chosen = read.int(2 ** rank);
  const dims = Array.from({ length: rank }, (_, d) => d).filter((d) => (chosen >> d) % 2 === 1);
  return dims.length > 0 || rank === 0 ? dims : [read.int(rank)];
}

function permutation(read: Reader, rank: number): number[] {
  const rest = Array.from({ length: rank }, (_, d) => d);
  return Array.from({ length: rank }, () => rest.splice(read.int(rest.length), 1)[0]!);
}

/** Some elements of every dimension, from either end. */
function randomSlice({ read, shape }: Context): (x: Node) => Node {
  const cuts = shape.map((size) => {
    if (size === 0 || read.oneIn(12)) return { start: 0, end: 0, step: 1 };
    const first = read.int(size);
    const last = first + read.int(size - first);
    const step = read.pick([1, 1, 2, 3, -1, -2]);
    return step > 0
      ? { start: first, end: last + 1, step }
      : { start: last, end: first === 0 ? null : first - 1, step };
  });
  const [starts, ends, steps] = [cuts.map(({ start }) => start), cuts.map(({ end }) => end), cuts.map(({ step }) => step)]; // prettier-ignore
  return (x) => ops.slice(x, starts, ends, steps);
}

/** `(i * a + b) mod size`, of the positions along a dimension: integers that a device computes, spread over `x`. */
function places({ read, shape }: Context, dim: number, size: number): (x: Node) => Node {
  const [factor, shift] = [1 + read.int(6), read.int(7)];
  const view = shape.map((each, d) => (d === dim ? each : 1));
  return (x) => {
    const counted = ops.add(ops.mul(ops.iota(shape[dim]!), factor), shift);
    return ops.expand(ops.reshape(ops.remainder(counted, Math.max(1, size)), view), x.shape);
  };
}

const STEPS: readonly Step[] = [
  unary(ops.neg, ops.abs, ops.relu, ops.square, ops.sigmoid, ops.tanh, ops.sin, ops.cos, ops.erf),
  unary(
    (x) => ops.sqrt(ops.abs(x)),
    (x) => ops.log1p(ops.abs(x)),
    (x) => ops.exp(bounded(x)),
    (x) => ops.reciprocal(ops.add(ops.square(x), 1)),
    (x) => ops.rsqrt(ops.add(ops.abs(x), 0.5)),
  ),
  binary(ops.add, ops.sub, squashed(ops.mul), ops.maximum, ops.minimum),
  binary(
    (a, b) => ops.div(a, ops.add(ops.square(b), 1)),
    (a, b) => ops.mul(bounded(a), ops.sigmoid(b)),
    (a, b) => ops.where(ops.gt(a, 0.1), a, b),
    (a, b) => ops.where(ops.logicalAnd(ops.lt(a, b), ops.ge(b, -0.5)), ops.neg(a), b),
    (a, b) => ops.add(ops.cast(ops.le(a, b), "f32"), a),
  ),
  ({ read, x }) => {
    const [factor, term] = [read.number(), read.number()];
    return lift((node) => ops.add(ops.mul(node, factor), term), x);
  },
  // numbers that are counted
  along(({ shape, read }, dim) => {
    const [scale, view] = [read.number() / 8, shape.map((size, d) => (d === dim ? size : 1))];
    return (x) => ops.add(x, ops.mul(ops.reshape(ops.iota(shape[dim]!), view), scale));
  }),
  // reductions
  ...[ops.sum, ops.mean, ops.amax, ops.amin, ops.prod].map((fold): Step => (context) => {
    const dims = someDims(context);
    const isEmpty = dims.some((dim) => context.shape[dim] === 0);
    if (isEmpty && fold !== ops.sum) return null;
    const keepDim = context.read.oneIn(2);
    const of = fold === ops.prod ? (x: Node) => ops.add(ops.mul(bounded(x), 0.25), 1) : (x: Node) => x;
    return lift((x) => fold(of(x), dims, keepDim), context.x);
  }),
  // views
  ({ read, x, rank }) => {
    const dims = permutation(read, rank);
    return lift((node) => ops.permute(node, dims), x);
  },
  ({ read, x, shape }) => {
    const to = shapeOfSize(read, sizeOf(shape));
    return lift((node) => ops.reshape(node, to), x);
  },
  along((_context, dim) => (x) => ops.flip(x, [dim])),
  (context) => lift(randomSlice(context), context.x),
  ({ read, x, shape }) => {
    const to = [read.int(3), ...shape.map((size) => (size === 1 ? 1 + read.int(4) : size))];
    return lift((node) => ops.expand(node, to[0] === 0 ? to.slice(1) : to), x);
  },
  ({ read, x, rank }) => {
    const dim = read.int(rank + 1);
    return lift((node) => ops.unsqueeze(node, dim), x);
  },
  ({ x }) => lift((node) => ops.squeeze(node), x),
  // places
  along((_context, dim) => (x) => ops.cat([x, ops.neg(x)], dim)),
  ({ x, partner, rank, read }) => {
    const other = partner();
    const dim = read.int(rank);
    const fits = rank > 0 && other.node.shape.length === rank && other.node.shape.every((size, d) => d === dim || size === x.node.shape[d]); // prettier-ignore
    return fits ? lift((a, b) => ops.cat([a, b], dim), x, other) : null;
  },
  along(({ read, rank }, dim) => {
    const amounts = Array.from({ length: rank }, () => [0, 0]);
    amounts[dim] = [read.int(3), read.int(3)];
    const value = read.number();
    return (x) => ops.pad(x, amounts.toReversed().flat(), value);
  }),
  along(({ read, shape }, dim) => {
    const count = shape[dim] === 0 ? 0 : read.int(5);
    const index = new Draw(read.seed).ints([count], 0, shape[dim]!).host;
    return (x) => ops.indexSelect(x, dim, ops.fromHost(index.data, [count], "i32"));
  }),
  along((context, dim) => {
    const index = places(context, dim, context.shape[dim]!);
    return (x) => ops.gather(x, dim, index(x));
  }),
  along((context, dim) => {
    const whole = places(context, dim, 5);
    const mask = context.read.int(5);
    return (x) => ops.where(ops.eq(whole(x), mask), ops.cast(ops.bitwiseXor(whole(x), 3), "f32"), x);
  }),
];

const KERNELS: readonly Step[] = [
  ({ read, x, rank }) => {
    if (rank < 2) return null;
    const isFirst = read.oneIn(2);
    return lift((node) => {
      const transposed = ops.transpose(node, rank - 2, rank - 1);
      return bounded(isFirst ? ops.matmul(node, transposed) : ops.matmul(transposed, node));
    }, x);
  },
  along((_context, dim) => (x) => ops.cumsum(x, dim)),
  along((context, dim) => {
    const index = places(context, dim, context.shape[dim]!);
    return (x) => bounded(ops.scatterAdd(ops.neg(x), dim, index(x), x));
  }),
  ({ read, x, rank, shape }) => {
    if (rank !== 4 || shape[2]! < 2 || shape[3]! < 2) return null;
    const stride = 1 + read.int(2);
    return lift((node) => ops.maxPool2d(node, 2, { stride }).values, x);
  },
];

/** A graph that a recipe makes, in program order on an engine. */
export class RandomGraph {
  private readonly values: Pair[] = [];
  private readonly states: State[] = [];
  readonly outputs: readonly Pair[];

  constructor(
    { leaves, steps, outputs }: Recipe,
    private readonly engine: Engine,
    { withKernels = true }: BuildOptions = {},
  ) {
    for (const each of leaves) this.addLeaf(new Reader(each));
    const kinds = [...STEPS, ...(withKernels ? KERNELS : [])];
    for (const each of steps) this.add(new Reader(each), kinds);
    this.outputs = this.choose(new Reader(outputs));
  }

  private addLeaf(read: Reader): void {
    const shape = leafShape(read);
    const { host } = new Draw(read.seed).uniform(shape, -1, 1);
    const leaf = ops.fromHost(host.data, shape);
    if (read.oneIn(3)) {
      const variable = this.engine.createVariable(`v${this.states.length}`, leaf);
      this.states.push({ variable, want: leaf });
      this.values.push({ node: variable.node, want: leaf });
    } else {
      this.values.push({ node: leaf, want: leaf });
    }
  }

  private add(read: Reader, kinds: readonly Step[]): void {
    if (this.states.length > 0 && read.oneIn(8)) {
      this.useState(read);
      return;
    }
    const latest = this.values.slice(-4);
    const x = read.oneIn(3) ? read.pick(this.values) : read.pick(latest);
    const { shape } = x.node;
    const made = read.pick(kinds)({
      read,
      x,
      shape,
      rank: shape.length,
      partner: () => read.pick(this.values.filter(({ node }) => canMeet(node.shape, shape))),
      dim: () => read.int(shape.length),
    });
    if (made && isFloat(made.node.dtype) && sizeOf(made.node.shape) <= MOST_OF_NODE && made.node.shape.length <= MOST_RANK) this.values.push(made); // prettier-ignore
  }

  /** Reads a variable as it is now, or writes all of it, or some rows. */
  private useState(read: Reader): void {
    const state = read.pick(this.states);
    const { variable, want } = state;
    const now = { node: variable.node, want };
    const kind = read.int(3);
    if (kind === 0) {
      this.values.push(now);
      return;
    }
    const x = read.pick(this.values);
    // an average of what was there and of something else, in its shape
    const value = lift(
      (old, other) => ops.mul(ops.add(old, sameShape(other.shape, old.shape) ? other : ops.sum(bounded(other))), 0.5),
      now,
      x,
    );
    const [rows = 0] = variable.shape;
    if (kind === 1 || rows < 2) {
      this.engine.assign(variable, value.node);
      state.want = value.want;
      return;
    }
    const start = read.int(rows);
    const count = 1 + read.int(rows - start);
    const part = lift((all) => ops.narrow(all, 0, 0, count), value);
    this.engine.assign(variable, part.node, ops.scalar(start, "u32"));
    const parts = [ops.narrow(want, 0, 0, start), part.want, ops.narrow(want, 0, start + count, rows - start - count)];
    state.want = ops.cat(parts.filter(({ shape }) => shape[0]! > 0));
  }

  /** The last value, up to three others, and state as it is in the end. */
  private choose(read: Reader): Pair[] {
    const others = Array.from({ length: read.int(4) }, () => read.pick(this.values));
    const chosen = new Set([this.values.at(-1)!, ...others]);
    return [...chosen, ...this.states.map(({ variable, want }) => ({ node: variable.node, want }))];
  }
}

/** Nodes of a graph that are computed. */
export const computed = (roots: readonly Node[]): Node[] =>
  topologicalOrder(roots, (node) => node.hasValue).filter((node) => !node.hasValue);

/** A graph, a line a node. */
export function show(roots: readonly Node[]): string {
  const order = topologicalOrder(roots);
  const line = (node: Node, i: number): string => {
    const inputs = node.inputs.map((input) => order.indexOf(input)).join();
    const attrs = JSON.stringify(node.attrs);
    const dtype: DType = node.dtype;
    return `${i}: ${node.op.name} ${dtype}[${node.shape.join()}] ${attrs} <- ${inputs}`;
  };
  return order.map(line).join("\n");
}
