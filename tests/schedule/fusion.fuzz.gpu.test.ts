/**
 * Random chains of views, random programs on state, and random graphs of tensors larger than a binding: what the scheduler fuses
 * must compute what the reference does. A failure prints the seed and the graph, which make it again.
 * Graphs of all kinds of ops are in `graphs.fuzz`.
 */

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/runtime/engine";
import { CpuBackend } from "../../src/runtime/cpuBackend";
import { createWebGpuBackend } from "../../src/runtime/webgpuBackend";
import type { PlannedLaunch } from "../../src/schedule/plan";
import type { Node } from "../../src/graph/node";
import { type Shape, sizeOf } from "../../src/graph/shape";
import { topologicalOrder } from "../../src/graph/walk";
import * as ops from "../../src/ops";
import { backendWith } from "../helpers/lowLimits";
import { type Pair, RandomGraph, type Recipe, recipes, show } from "../helpers/randomGraph";
import { boundsOf, firstOff } from "../helpers/tolerance";

const PROGRAMS = 60;
/** Of each kind, with tensors larger than a binding. */
const WINDOWED = 40;
/** Each of so many chains of views. Lanes that were read from the wrong place showed in one chain of 1700: seed 5174. */
const VIEWS = 40;
const CHAINS = 10;
/** Elements of a leaf. */
const MOST = 300;
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

/** A random shape of so many elements; sizes of 1 among them. */
function factorised(random: Random, size: number, rank = 1 + random.int(4)): Shape {
  const shape: number[] = [];
  let rest = size;
  while (shape.length < rank - 1) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((divisor) => rest % divisor === 0);
    const divisor = random.pick(divisors);
    shape.push(divisor);
    rest /= divisor;
  }
  shape.push(rest);
  return shape.map((value) => ({ value, order: random.next() })).sort((a, b) => a.order - b.order).map(({ value }) => value); // prettier-ignore
}

/** Often a size of many divisors, so that reshapes have something to choose from. */
const randomSize = (random: Random): number =>
  random.chance(0.5) ? 1 + random.int(MOST) : random.pick([24, 30, 36, 48, 60, 72, 96, 120, 144, 180, 210, 240, 288]);

const randomShape = (random: Random): Shape => factorised(random, randomSize(random));

/** A part of `x`: from anywhere, of any length, along any dimension. */
function narrowed(random: Random, x: Node): Node {
  if (x.shape.length === 0) return x;
  const dim = random.int(x.shape.length);
  const start = random.int(x.shape[dim]!);
  return ops.narrow(x, dim, start, 1 + random.int(x.shape[dim]! - start));
}

const reshaped = (random: Random, x: Node): Node => ops.reshape(x, factorised(random, sizeOf(x.shape)));

function leaf(random: Random, shape: Shape): Node {
  return ops.fromHost(
    Float32Array.from({ length: sizeOf(shape) }, () => 2 * random.next() - 1),
    shape,
  );
}

/** Views of views of one leaf: slices below and above reshapes, where lanes part in the middle of a row. */
function randomViews(random: Random): Node {
  let x = leaf(random, randomShape(random));
  for (let count = 2 + random.int(4); count > 0; count--) {
    const rank = x.shape.length;
    switch (random.int(6)) {
      case 0:
        x = ops.flip(x, [random.int(rank)]);
        break;
      case 1:
        x = ops.transpose(x, random.int(rank), random.int(rank));
        break;
      case 2:
        x = reshaped(random, x);
        break;
      default:
        x = reshaped(random, narrowed(random, x));
    }
  }
  return ops.mul(x, 2);
}

/** A way to look at a tensor, chosen before it is known which one. */
type Look = (x: Node) => Node;

/** A chain of views and aliases, of elements in any order, in the tensor's shape or in another. */
function randomLook(random: Random, shape: Shape, log: string[]): Look {
  const steps: Look[] = [];
  const names: string[] = [];
  let current = shape;
  const step = (name: string, look: Look, result: Shape = current): void => {
    steps.push(look);
    names.push(name);
    current = result;
  };
  for (let count = random.int(4); count > 0; count--) {
    switch (random.int(4)) {
      case 0:
        step("detach", ops.detach);
        break;
      case 1: {
        const to = factorised(random, sizeOf(shape));
        step(`reshape ${to.join("x")}`, (x) => ops.reshape(x, to), to);
        break;
      }
      case 2: {
        const dim = random.int(current.length);
        step(`flip ${dim}`, (x) => ops.flip(x, [dim]));
        break;
      }
      default: {
        const [a, b] = [random.int(current.length), random.int(current.length)];
        const swapped = current.map((size, d) => (d === a ? current[b]! : d === b ? current[a]! : size));
        step(`transpose ${a} ${b}`, (x) => ops.transpose(x, a, b), swapped);
      }
    }
  }
  log.push(`  through ${names.join(", ") || "nothing"}`);
  return (x) => steps.reduce((value, look) => look(value), x);
}

interface RandomProgram {
  /** What the program does, a line a step. */
  readonly log: readonly string[];
  /** What is read at the end, and the same without state: every version a node of its own. */
  readonly wanted: readonly Pair[];
}

/** Writes, each from what was read at that time, and reads that are wanted only after later writes. */
function randomProgram(random: Random, engine: Engine): RandomProgram {
  const log: string[] = [];
  const shape = random.chance(0.3) ? random.pick([[4, 6], [3, 5], [8]]) : randomShape(random); // prettier-ignore
  const versions = [0, 1].map(() => leaf(random, shape));
  const states = versions.map((value, i) => engine.createVariable(`v${i}`, value));
  engine.flush();
  const reads: Pair[] = [];
  const back: Look = (x) => ops.reshape(x, shape);
  for (let i = 0; i < 6; i++) {
    const target = random.int(2);
    const source = random.int(2);
    log.push(`v${source} is read, v${target} written`);
    const look = randomLook(random, shape, log);
    const [from, fromVersion] = [look(states[source]!.node), look(versions[source]!)];
    const isAlias = random.chance(0.5);
    log.push(isAlias ? "  wanted as it is" : "  wanted twice as large");
    const read: Look = isAlias ? (x) => x : (x) => ops.mul(x, 2);
    reads.push({ node: read(from), want: read(fromVersion) });
    if (random.chance(0.4)) {
      const rows = shape[0]!;
      const start = random.int(rows);
      const count = 1 + random.int(rows - start);
      log.push(`  rows ${start} to ${start + count} become the first ones + 1`);
      const first: Look = (x) => ops.add(ops.narrow(back(x), 0, 0, count), 1);
      engine.assign(states[target]!, first(from), ops.scalar(start, "u32"));
      const old = versions[target]!;
      const parts = [ops.narrow(old, 0, 0, start), first(fromVersion), ops.narrow(old, 0, start + count, rows - start - count)]; // prettier-ignore
      versions[target] = ops.cat(parts.filter((part) => part.shape[0]! > 0));
    } else {
      const isCopy = random.chance(0.3);
      log.push(isCopy ? "  all become that" : "  all become the mean of both");
      const mixed = (x: Node, old: Node): Node => (isCopy ? back(x) : ops.mul(ops.add(back(x), old), 0.5));
      engine.assign(states[target]!, mixed(from, states[target]!.node));
      versions[target] = mixed(fromVersion, versions[target]!);
    }
  }
  const kept = reads.filter(() => random.chance(0.6));
  return { log, wanted: [...kept, ...states.map((state, i) => ({ node: state.node, want: versions[i]! }))] };
}

/** Compares what is read with the same without state; a failure tells the seed, and how it was made. */
async function expectAsReference(engine: Engine, seed: number, pairs: readonly Pair[], log?: string): Promise<void> {
  const wanted = pairs.map(({ want }) => want);
  const bounded = boundsOf(wanted, { device: "webgpu", to: "reference", isCapped: false });
  const text = log ?? show(wanted);
  const got = await engine.read(pairs.map(({ node }) => node));
  bounded.forEach(({ values, bounds }, i) => {
    expect(firstOff(got[i]!, values, bounds), `seed ${seed}, value ${i}\n${text}`).toBeNull();
  });
}

/** Runs a random program and compares what it reads with the same without state. */
async function expectInOrder(engine: Engine, seed: number): Promise<void> {
  const { log, wanted } = randomProgram(new Random(seed), engine);
  await expectAsReference(engine, seed, wanted, log.join("\n"));
}

const chainsOfViews = (seed: number): Pair[] => {
  const random = new Random(seed);
  return Array.from({ length: CHAINS }, () => {
    const node = randomViews(random);
    return { node, want: node };
  });
};

describe("fusion", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = new Engine(await createWebGpuBackend());
  });

  it(`computes ${VIEWS * CHAINS} chains of views as the reference does`, async () => {
    for (let seed = 5141; seed <= 5140 + VIEWS; seed++) await expectAsReference(engine, seed, chainsOfViews(seed));
  });

  it("keeps program order between reads and writes of state", async () => {
    for (let seed = 1001; seed <= 1000 + PROGRAMS; seed++) await expectInOrder(engine, seed);
  });
});

// A binding holds a part of the largest tensor at most: half of it at WebGPU's default limits, less on other GPUs.
describe("fusion of tensors larger than a binding", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  });

  /** Runs `body` with an engine whose bindings hold a half to a fifth of so many elements; gives what was launched. */
  async function withParts(
    seed: number,
    elements: number,
    body: (engine: Engine) => Promise<void>,
  ): Promise<PlannedLaunch[]> {
    const parts = 2 + (seed % 4);
    const most = Math.max(512, 256 * Math.ceil((4 * elements) / (256 * parts)));
    const backend = backendWith(device, { maxStorageBufferBindingSize: most });
    const launches: PlannedLaunch[] = [];
    const run = backend.run.bind(backend);
    backend.run = (program) => {
      launches.push(...backend.launchesOf(program));
      return run(program);
    };
    await body(new Engine(backend));
    backend.destroy();
    return launches;
  }

  const largest = (roots: readonly Node[]): number =>
    Math.max(...topologicalOrder(roots).map(({ shape }) => sizeOf(shape)));
  const usesWindow = ({ bindings }: PlannedLaunch): boolean => bindings.some(({ byteOffset }) => byteOffset !== 0);

  it(`computes ${WINDOWED} random graphs as the reference does`, async () => {
    const options = { withKernels: false };
    const sizeOfLargest = (recipe: Recipe): number =>
      largest(new RandomGraph(recipe, new Engine(new CpuBackend()), options).outputs.map(({ want }) => want));
    const large = fc.sample(recipes, { seed: 2001, numRuns: 8 * WINDOWED }).filter((recipe) => sizeOfLargest(recipe) >= 256); // prettier-ignore
    let windowed = 0;
    for (const [i, recipe] of large.slice(0, WINDOWED).entries()) {
      const launches = await withParts(i, sizeOfLargest(recipe), (engine) =>
        expectAsReference(engine, i, new RandomGraph(recipe, engine, options).outputs),
      );
      if (launches.some(usesWindow)) windowed++;
    }
    expect(windowed).toBeGreaterThan(WINDOWED / 2);
  });

  it("computes chains of views as the reference does", async () => {
    for (let seed = 6001; seed <= 6000 + WINDOWED / 2; seed++) {
      const chains = chainsOfViews(seed);
      const smallest = Math.min(...chains.map(({ node }) => largest([node])));
      await withParts(seed, smallest, (engine) => expectAsReference(engine, seed, chains));
    }
  });

  it("keeps program order between reads and writes of state", async () => {
    for (let seed = 3001; seed <= 3000 + WINDOWED; seed++) {
      const { wanted } = randomProgram(new Random(seed), new Engine(new CpuBackend()));
      const size = largest(wanted.map(({ want }) => want));
      await withParts(seed, size, (engine) => expectInOrder(engine, seed));
    }
  });
});
