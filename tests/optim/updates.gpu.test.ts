/**
 * Optimizers and clipping on a GPU against the reference, over parameters of many sizes in one arena: below, at and beyond the
 * 64 elements that share a segment, with some that get their first gradient late. Once as on a software adapter, once as on hardware.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { tensor } from "../../src/creation";
import { type Device, openDevice } from "../../src/device";
import type { AdapterClass } from "../../src/gpu/adapter";
import { utils } from "../../src/nn";
import { backendOf } from "../../src/dev/device";
import { programsIn } from "../../src/dev/explain";
import { choicesOf } from "../../src/kernels/choices";
import { KERNELS } from "../../src/kernels";
import { Followers } from "../../src/optim/follow";
import { Adam, AdamW, LARS, type Optimizer, RMSprop, SGD } from "../../src/optim";
import { Parameter } from "../../src/parameter";
import { read, type Tensor } from "../../src/tensor";

const { adam, clipGradNorm, clipGradValue, ema, gradNorm, lars, momentumSgd, momentumSgdEma, rmsProp } = KERNELS;

const SHAPES = [[5, 13], [64], [1], [70, 300], [3], [2, 4, 8], [17_000], [129, 1]];
/** Steps from which parameters have gradients. */
const FROM = [0, 0, 1, 0, 2, 0, 1, 0];

let devices: { cpu: Device; software: Device; hardware: Device };
beforeAll(async () => {
  const asOn = async (adapterClass: AdapterClass): Promise<Device> => {
    const device = await openDevice("webgpu");
    const { gpu } = device.engine.backend as unknown as { gpu: { limits: { adapterClass: AdapterClass } } };
    gpu.limits.adapterClass = adapterClass;
    return device;
  };
  devices = {
    cpu: await openDevice("cpu"),
    software: await asOn("software"),
    hardware: await asOn("hardware"),
  };
});

type Split = readonly { readonly params: readonly Parameter[] }[];

interface Case {
  readonly make: (groups: Split) => Optimizer;
  /** What is done to the gradients first. */
  readonly clip?: (all: readonly Parameter[]) => Tensor | null;
  /** All parameters have gradients from the first step on. */
  readonly isTogether?: true;
  /** Other parameters follow. */
  readonly isFollowed?: true;
}

const ofTwoGroups: Case["make"] = ([a, b]) =>
  new SGD([a!, { ...b!, nesterov: true, weightDecay: 0.1 }], { lr: 0.1, momentum: 0.9 });
const ofOneGroup: Case["make"] = (groups) =>
  new SGD(
    groups.flatMap(({ params }) => params),
    { lr: 0.1, momentum: 0.9, dampening: 0.2, weightDecay: 0.1 },
  );

/** Name -> an optimizer over two groups. */
const CASES: Readonly<Record<string, Case>> = {
  SGD: { make: ofTwoGroups },
  "SGD, all alike in the end": { make: ofOneGroup },
  "SGD, all alike": { make: ofOneGroup, isTogether: true },
  "SGD, followed": { make: ofTwoGroups, isFollowed: true },
  "SGD, all alike, followed": { make: ofOneGroup, isTogether: true, isFollowed: true },
  Adam: {
    make: ([a, b]) =>
      new Adam(
        [
          { ...a!, maximize: true },
          { ...b!, lr: 0.1 },
        ],
        { lr: 0.01, weightDecay: 0.1 },
      ),
  },
  "Adam, amsgrad in one group": { make: ([a, b]) => new Adam([a!, { ...b!, amsgrad: true }], { betas: [0.5, 0.6] }) },
  AdamW: { make: ([a, b]) => new AdamW([a!, { ...b!, weightDecay: 0.5 }], { lr: 0.01 }) },
  RMSprop: { make: ([a, b]) => new RMSprop([a!, { ...b!, lr: 0.1 }], { weightDecay: 0.1 }) },
  "RMSprop, momentum in one group": { make: ([a, b]) => new RMSprop([a!, { ...b!, momentum: 0.9 }], { alpha: 0.9 }) },
  "RMSprop, centered in one group": { make: ([a, b]) => new RMSprop([a!, { ...b!, centered: true }], { alpha: 0.8 }) },
  LARS: { make: ([a, b]) => new LARS([a!, { ...b!, trustCoefficient: 0.1 }], { lr: 1, weightDecay: 0.1 }) },
  "clipping by norm": {
    make: ([a, b]) => new SGD([a!, b!], { lr: 1 }),
    clip: (all) => utils.clipGradNorm_(all, 2),
  },
  "clipping by the largest": {
    make: ([a, b]) => new SGD([a!, b!], { lr: 1 }),
    clip: (all) => utils.clipGradNorm_(all.slice(2), 0.3, { normType: Infinity }),
  },
  "clipping by value": {
    make: ([a, b]) => new SGD([a!, b!], { lr: 1 }),
    clip: (all) => {
      utils.clipGradValue_(all, 0.7);
      return null;
    },
  },
};

/** Numbers in -1..1 that are the same everywhere. */
const values = (shape: readonly number[], seed: number, device: Device): Tensor => {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i));
  return tensor(data, { shape, device });
};

async function run(device: Device, { make, clip, isTogether, isFollowed }: Case): Promise<Float32Array[]> {
  const params = SHAPES.map((shape, index) => new Parameter(values(shape, index, device)));
  const followers = isFollowed ? SHAPES.map((shape, index) => new Parameter(values(shape, 50 + index, device))) : [];
  const optimizer = make([
    { params: params.filter((_, index) => index % 2 === 0) },
    { params: params.filter((_, index) => index % 2 === 1) },
  ]);
  const following = isFollowed ? new Followers("test", params, followers) : null;
  const norms: Tensor[] = [];
  for (let step = 0; step < 4; step++) {
    params.forEach((p, index) => {
      p.grad = !isTogether && step < FROM[index]! ? null : values(SHAPES[index]!, 100 * (step + 1) + index, device);
    });
    const norm = clip?.(params);
    if (norm) norms.push(norm);
    optimizer.step();
    following?.run(0.9);
  }
  return (await read([...params, ...followers, ...norms])) as Float32Array[];
}

/** Elements whose value differs by more than a few roundings of what was added up, which is below 10. */
function expectClose(actual: readonly Float32Array[], expected: readonly Float32Array[]): void {
  expected.forEach((list, index) => {
    list.forEach((value, i) => {
      const got = actual[index]![i]!;
      if (!(Math.abs(got - value) <= 4e-6 * (1 + Math.abs(value))))
        expect.fail(`${JSON.stringify(SHAPES[index] ?? "another")}[${i}]: got ${got}, reference ${value}`);
    });
  });
}

test("parameters that are alike get the same bits as those that are looked up", async () => {
  const options = { lr: 0.1, momentum: 0.9, dampening: 0.2, weightDecay: 0.1 };
  const together: Case["make"] = (groups) =>
    new SGD(
      groups.flatMap(({ params }) => params),
      options,
    );
  const apart: Case["make"] = (groups) => new SGD([...groups], options);
  for (const isFollowed of [undefined, true] as const) {
    const kernels: string[] = [];
    const results: Float32Array[][] = [];
    for (const make of [together, apart]) {
      const programs = await programsIn(
        async () => {
          results.push(await run(devices.software, { make, isTogether: true, isFollowed }));
        },
        { device: devices.software },
      );
      kernels.push(...programs.flat().map(({ label }) => label));
    }
    expect(new Set(kernels.filter((kernel) => kernel.startsWith("momentumSgd")))).toEqual(
      new Set(["momentumSgdUniform", isFollowed ? "momentumSgdEma" : "momentumSgd"]),
    );
    expect(results[0]).toEqual(results[1]);
  }
});

describe.each(["software", "hardware"] as const)("planned for %s", (adapterClass) => {
  test.each(Object.entries(CASES))("%s", async (_name, theCase) => {
    expectClose(await run(devices[adapterClass], theCase), await run(devices.cpu, theCase));
  });
});

test.each(["LARS", "clipping by norm", "clipping by the largest"])("planned for arm: %s", async (name) => {
  const arm = await openDevice("webgpu");
  Object.assign(backendOf("test", arm).gpu.limits, { adapterClass: "hardware", vendor: "arm" });
  expectClose(await run(arm, CASES[name]!), await run(devices.cpu, CASES[name]!));
});

describe("in parts", () => {
  /** Bytes that a dispatch may go through: less than any pass over the arena does. */
  const MOST = { flops: Infinity, bytes: 2000 };
  const cut = new Set<string>();
  let inParts: Device;
  beforeAll(async () => {
    inParts = await openDevice("webgpu");
    choicesOf(backendOf("test", inParts).gpu.limits).mostWork = MOST;
  });

  test.each(Object.entries(CASES))("%s, to the bit", async (_name, theCase) => {
    let got: Float32Array[] = [];
    const programs = await programsIn(async () => (got = await run(inParts, theCase)), { device: inParts });
    for (const { label, part } of programs.flat()) if (part) cut.add(label);
    expect(got).toEqual(await run(await openDevice("webgpu"), theCase));
  });

  test("a moving average by itself, to the bit", async () => {
    const averaged = async (device: Device): Promise<Float32Array[]> => {
      const params = SHAPES.map((shape, index) => new Parameter(values(shape, index, device)));
      const followers = SHAPES.map((shape, index) => new Parameter(values(shape, 50 + index, device)));
      const following = new Followers("test", params, followers);
      for (let step = 0; step < 3; step++) following.run(0.9);
      return (await read(followers)) as Float32Array[];
    };
    let got: Float32Array[] = [];
    const programs = await programsIn(async () => (got = await averaged(inParts)), { device: inParts });
    for (const { label, part } of programs.flat()) if (part) cut.add(label);
    expect(got).toEqual(await averaged(await openDevice("webgpu")));
  });

  test("all kernels were cut that have several workgroups", () => {
    const families = { adam, clipGradNorm, clipGradValue, ema, gradNorm, lars, momentumSgd, momentumSgdEma, rmsProp };
    const shaders = Object.values(families).flatMap((family) => family.shaders.map(({ name }) => name));
    expect([...new Set(shaders)].filter((name) => !cut.has(name))).toEqual([]);
  });
});
