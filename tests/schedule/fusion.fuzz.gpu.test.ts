/**
 * Random graphs: what the scheduler fuses must compute what the reference does, whatever is fused with what.
 * A failure prints the seed and the graph, which make it again.
 */

import { beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import type { Node } from "../../src/graph/node";
import { type Shape, sizeOf } from "../../src/graph/shape";
import { topologicalOrder } from "../../src/graph/walk";
import * as ops from "../../src/ops";
import { interpret } from "../../src/reference/interpret";

const GRAPHS = 120;
const NODES = 24;
/** Values stay within a few units and chains are short: f32 rounding of the f64 reference, amplified at most by the depth. */
const TOLERANCE = 2e-4;

class Random {
  constructor(private state: number) {}
  next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 32;
  }
  int(below: number): number {
    return Math.floor(this.next() * below);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)]!;
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
}

const SHAPES: readonly Shape[] = [
  [4, 6],
  [6],
  [2, 3, 4],
  [5],
  [1, 6],
  [4, 1],
  [8, 5],
  [3, 7],
  [12],
  [2, 2, 3, 4],
  [17, 9],
  [],
];

function leaf(random: Random, shape: Shape): Node {
  return ops.fromHost(
    Float32Array.from({ length: sizeOf(shape) }, () => 2 * random.next() - 1),
    shape,
  );
}

const broadcasts = (a: Shape, b: Shape): boolean => {
  for (let i = 1; i <= Math.min(a.length, b.length); i++) {
    const [x, y] = [a.at(-i)!, b.at(-i)!];
    if (x !== y && x !== 1 && y !== 1) return false;
  }
  return true;
};

/** One more node made of earlier ones. Results are kept within [-3, 3] or so. */
function grow(random: Random, nodes: readonly Node[]): Node {
  const x = random.pick(nodes);
  const rank = x.shape.length;
  const partner = (): Node =>
    random.pick(nodes.filter((node) => broadcasts(node.shape, x.shape) && sizeOf(node.shape) <= 4096));
  switch (random.int(15)) {
    case 0:
      return random.pick([ops.neg, ops.relu, ops.sigmoid, ops.tanh, ops.abs, ops.sin])(x);
    case 1:
      return ops.tanh(ops.add(x, partner()));
    case 2:
      return ops.mul(ops.tanh(x), ops.sigmoid(partner()));
    case 3:
      return ops.maximum(x, partner());
    case 4:
      return ops.where(ops.gt(x, 0.1), ops.sub(x, 0.5), partner());
    case 5:
      return ops.add(ops.mul(x, random.next()), random.next());
    case 6: {
      const dims = [...Array(rank).keys()].filter(() => random.chance(0.5));
      return random.pick([ops.mean, ops.amax])(
        x,
        dims.length > 0 || rank === 0 ? dims : [random.int(rank)],
        random.chance(0.5),
      );
    }
    case 7:
      return ops.permute(
        x,
        [...Array(rank).keys()].sort(() => random.next() - 0.5),
      );
    case 8:
      return ops.reshape(x, rank > 0 && random.chance(0.5) ? [sizeOf(x.shape)] : [1, sizeOf(x.shape)]);
    case 9:
      return rank === 0 ? x : ops.flip(x, [random.int(rank)]);
    case 10: {
      if (rank === 0) return x;
      const dim = random.int(rank);
      const start = random.int(x.shape[dim]!);
      const length = 1 + random.int(x.shape[dim]! - start);
      return ops.narrow(x, dim, start, length);
    }
    case 11:
      return rank === 0 ? x : ops.cat([x, ops.neg(x)], random.int(rank));
    case 12:
      return rank === 0 ? x : ops.pad(x, [1, 2], 0.25);
    case 13:
      return ops.tanh(ops.sum(x, rank === 0 ? [] : [rank - 1], true));
    default: {
      if (rank < 2) return ops.square(ops.tanh(x));
      const transposed = ops.transpose(x, rank - 2, rank - 1);
      return ops.tanh(random.chance(0.5) ? ops.matmul(x, transposed) : ops.matmul(transposed, x));
    }
  }
}

function randomGraph(seed: number): { outputs: Node[]; random: Random } {
  const random = new Random(seed);
  const nodes: Node[] = Array.from({ length: 4 }, () => leaf(random, random.pick(SHAPES)));
  for (let i = 0; i < NODES; i++) {
    const node = grow(random, nodes);
    if (sizeOf(node.shape) <= 20_000 && node.shape.length <= 5) nodes.push(node);
  }
  const outputs = [
    ...new Set([nodes.at(-1)!, nodes.at(-2)!, random.pick(nodes.slice(4)), random.pick(nodes.slice(4))]),
  ];
  return { outputs, random };
}

const show = (roots: readonly Node[]): string => {
  const order = topologicalOrder(roots);
  return order
    .map(
      (node, i) =>
        `${i}: ${node.op.name} [${node.shape.join()}] ${JSON.stringify(node.attrs)} <- ${node.inputs.map((input) => order.indexOf(input)).join()}`,
    )
    .join("\n");
};

/** Index of the first value that is off, or -1. */
function firstOff(got: ArrayLike<number>, want: ArrayLike<number>): number {
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i]! - want[i]!);
    if (!(error <= TOLERANCE * (1 + Math.abs(want[i]!)))) return i;
  }
  return -1;
}

describe("fusion", () => {
  let backend: WebGpuBackend;
  beforeAll(async () => {
    backend = await createWebGpuBackend();
  });

  it(`computes ${GRAPHS} random graphs as the reference does`, async () => {
    for (let seed = 1; seed <= GRAPHS; seed++) {
      const { outputs } = randomGraph(seed);
      const want = interpret(outputs, { leaf: (node) => node.hostData! });
      const graph = show(outputs);
      const got = await new Engine(backend).read(outputs);
      outputs.forEach((node, i) => {
        const off = firstOff(got[i]!, want.get(node)!);
        expect(
          off,
          `seed ${seed}, output ${i} (${node.op.name} [${node.shape.join()}]) at [${off}]: got ${got[i]![off]}, reference ${want.get(node)![off]}\n${graph}`,
        ).toBe(-1);
      });
    }
  });

  it("keeps program order between reads and writes of state", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Random(1000 + seed);
      const engine = new Engine(backend);
      const shape = random.pick([[4, 6], [3, 5], [8]]);
      const states = [0, 1].map((i) => engine.createVariable(`v${i}`, leaf(random, shape)));
      engine.flush();
      const values = await engine.read(states.map((state) => state.node));
      // a program of writes, each from what was read at that time, against plain arrays
      const host = values.map((value) => Float64Array.from(value));
      const reads: { node: Node; want: Float64Array }[] = [];
      for (let i = 0; i < 6; i++) {
        const target = random.int(2);
        const source = random.int(2);
        const flips = random.chance(0.3);
        const from = flips ? ops.flip(states[source]!.node, [0]) : states[source]!.node;
        const rows = shape[0]!;
        const width = sizeOf(shape.slice(1));
        const flipped = host[source]!.map(
          (_, k) => host[source]![flips ? (rows - 1 - Math.floor(k / width)) * width + (k % width) : k]!,
        );
        reads.push({ node: ops.mul(from, 2), want: flipped.map((v) => 2 * v) });
        if (random.chance(0.4)) {
          const start = random.int(rows);
          const count = 1 + random.int(rows - start);
          engine.assign(states[target]!, ops.add(ops.narrow(from, 0, 0, count), 1), ops.scalar(start, "u32"));
          host[target] = host[target]!.map((v, k) =>
            k >= start * width && k < (start + count) * width ? flipped[k - start * width]! + 1 : v,
          );
        } else {
          engine.assign(states[target]!, ops.mul(ops.add(from, states[target]!.node), 0.5));
          host[target] = host[target]!.map((v, k) => (flipped[k]! + v) / 2);
        }
      }
      const wanted = [...reads.slice(-3), ...states.map((state, i) => ({ node: state.node, want: host[i]! }))];
      const got = await engine.read(wanted.map(({ node }) => node));
      wanted.forEach(({ want }, i) => {
        const off = firstOff(got[i]!, want);
        expect(off, `seed ${1000 + seed}, value ${i} at [${off}]: got ${got[i]![off]}, wanted ${want[off]}`).toBe(-1);
      });
    }
  });
});
