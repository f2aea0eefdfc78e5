/**
 * What a row of cases is: inputs drawn from a seed, and how a node is made of them. Several tests read the same rows.
 * How far results may stray is for `tests/helpers/tolerance` to say.
 */

import { allocateHost, type DType, type HostArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import * as ops from "../../src/ops";

/** Values of a leaf, and the view through which the op sees them. */
export interface Input {
  readonly host: HostArray;
  readonly view?: (leaf: Node) => Node;
}

export interface OpCase {
  readonly name: string;
  /** The same values at every call. */
  inputs(): Input[];
  make(...inputs: Node[]): Node;
  /** False where central differences mean nothing: at kinks, NaN and infinity. */
  readonly grad: boolean;
}

/** A stream of random inputs. */
export class Draw {
  private state: number;

  constructor(seed: string) {
    this.state = 0x811c9dc5; // FNV-1a of the name
    for (let i = 0; i < seed.length; i++) this.state = Math.imul(this.state ^ seed.charCodeAt(i), 0x01000193) >>> 0;
  }

  /** Uniform in [0, 1): splitmix32. */
  private next(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  }

  private fill(shape: readonly number[], dtype: DType, value: (index: number) => number): Input {
    const data = allocateHost(dtype, sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = value(i);
    return { host: { shape, dtype, data } };
  }

  uniform(shape: readonly number[], low = -2, high = 2): Input {
    return this.fill(shape, "f32", () => low + (high - low) * this.next());
  }

  /** Both signs, and no nearer to 0 than `low`. */
  awayFrom0(shape: readonly number[], low = 0.3, high = 2): Input {
    return this.fill(shape, "f32", () => (low + (high - low) * this.next()) * (this.next() < 0.5 ? -1 : 1));
  }

  /** Floats at least 0.2 apart, in random order: no ties, and every order is known. */
  distinct(shape: readonly number[]): Input {
    const count = sizeOf(shape);
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(this.next() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return this.fill(shape, "f32", (i) => 0.2 * (order[i]! - count / 2) + 0.05);
  }

  /** Integers in [low, high). */
  ints(shape: readonly number[], low: number, high: number, dtype: DType = "i32"): Input {
    return this.fill(shape, dtype, () => low + Math.floor((high - low) * this.next()));
  }

  bools(shape: readonly number[]): Input {
    return this.fill(shape, "bool", () => Number(this.next() < 0.5));
  }
}

/** Given values, as they are. */
export const given = (
  values: readonly number[],
  shape: readonly number[] = [values.length],
  dtype: DType = "f32",
): Input => {
  const data = allocateHost(dtype, values.length);
  data.set(values);
  return { host: { shape, dtype, data } };
};

/** An input that the op sees through a view. */
export const through = (input: Input, view: (leaf: Node) => Node): Input => ({ host: input.host, view });

/** Not contiguous: dimensions in reverse order. */
export const permuted = (input: Input): Input =>
  through(input, (leaf) =>
    ops.permute(
      leaf,
      leaf.shape.map((_, d) => leaf.shape.length - 1 - d),
    ),
  );

/** Not contiguous: every other element of the last dimension, backwards. */
export const strided = (input: Input): Input =>
  through(input, (leaf) =>
    ops.slice(
      leaf,
      [],
      [],
      leaf.shape.map((_, d) => (d === leaf.shape.length - 1 ? -2 : 1)),
    ),
  );

/** Not contiguous: a row repeated. */
export const repeated = (input: Input, times: number): Input =>
  through(input, (leaf) => ops.expand(ops.unsqueeze(leaf, 0), [times, ...leaf.shape]));

type Options = Partial<Pick<OpCase, "grad">>;

/** A row: a name, inputs drawn from a stream of the row's own, and the node. */
export type Row = (op: string) => OpCase;

export const row =
  (name: string, draw: (draw: Draw) => Input[], make: (...inputs: Node[]) => Node, options: Options = {}): Row =>
  (op) => ({
    name,
    inputs: () => draw(new Draw(`${op}/${name}`)),
    make,
    grad: options.grad ?? true,
  });

/** The rows of several ops, each with its stream. */
export const table = (rows: Readonly<Record<string, readonly Row[]>>): Record<string, OpCase[]> =>
  Object.fromEntries(Object.entries(rows).map(([op, list]) => [op, list.map((make) => make(op))]));

/** How a case is built. */
export interface BuildOptions {
  readonly requiresGrad?: boolean;
  /** dtype of the leaves that hold floats; default f32. */
  readonly float?: "f32" | "f64";
}

/** A case's nodes: leaves in memory of their own, and the output. */
export function build(
  opCase: OpCase,
  { requiresGrad = false, float = "f32" }: BuildOptions = {},
): { leaves: Node[]; output: Node } {
  const inputs = opCase.inputs();
  const leaves = inputs.map(({ host: { data, shape, dtype } }) =>
    dtype === "f32"
      ? ops.fromHost(float === "f32" ? data : Float64Array.from(data), shape, float, requiresGrad)
      : ops.fromHost(data, shape, dtype),
  );
  const seen = leaves.map((leaf, i) => inputs[i]!.view?.(leaf) ?? leaf);
  return { leaves, output: opCase.make(...seen) };
}
