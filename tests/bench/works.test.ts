/** The rows of the comparison with peers, small: flywheel on the CPU passes each check, and what is wrong fails it. */

import { grad, type Tensor, tensor } from "flywheel";
import { BasicBlock } from "flywheel/models";
import { BatchNorm2d } from "flywheel/nn";
import { beforeAll, describe, expect, it } from "vitest";
import {
  conv2dBackwardWork,
  conv2dWork,
  infoNCEWork,
  layerNormWork,
  matmulWork,
  pointwiseWork,
  softmaxWork,
  sumWork,
} from "../../bench/peers/kernelWorks";
import type { HostTensor, Library, MakeTask, Outputs } from "../../bench/peers/library";
import { open } from "../../bench/peers/libraries/flywheel";
import { mocoWork, residual } from "../../bench/peers/mocoWorks";
import { cnnWork, mlpWork, updateWork } from "../../bench/peers/stepWorks";
import { complaintAfter, complaintOf, random, type Results, runsToCheck, type Work } from "../../bench/peers/work";
import { WORKS } from "../../bench/peers/works";
import { resnet18Shapes } from "../../bench/resnet18";

const CONV = { batch: 2, channels: 3, size: 5 };
const SMALL: readonly Work[] = [
  matmulWork(9),
  pointwiseWork(33),
  sumWork(33),
  softmaxWork(3, 17),
  layerNormWork(3, 17),
  conv2dWork(CONV),
  conv2dBackwardWork(CONV),
  mlpWork({ batch: 6, sizes: [12, 9, 8, 4] }),
  cnnWork({ batch: 4, size: 8, channels: [1, 3, 4], classes: 5 }),
  updateWork("update", [[4, 3], [4]]),
  infoNCEWork("infoNCE", { n: 5, dim: 7, k: 21 }),
  mocoWork({ batch: 4, size: 9, queueSize: 16, dim: 6, channels: [1, 3, 4, 5] }),
] as Work[];

let library: Library;
beforeAll(async () => {
  library = await open("cpu");
});

/** What a page gets of a library. */
async function resultsOf({ kind, inputs, checkedRuns }: Work): Promise<Results> {
  const task = await (library.tasks[kind] as MakeTask<typeof kind>)(inputs());
  const reads: Outputs[] = [];
  for (let run = 0; run < checkedRuns; run++) {
    await task.run();
    reads.push(await task.read());
  }
  return { reads, state: (await task.state?.()) ?? null };
}

/** Results with one output of one run, or one tensor of the state, changed. */
function changed({ reads, state }: Results, name: string, change: (values: ArrayLike<number>) => number[]): Results {
  const inside = (outputs: Outputs): Outputs =>
    name in outputs ? { ...outputs, [name]: change(outputs[name]!) } : outputs;
  return { reads: reads.map(inside), state: state && inside(state) };
}

describe.each(SMALL.map((work) => [work.name, work] as const))("%s", (_, work) => {
  let results: Results;
  beforeAll(async () => {
    results = await resultsOf(work);
  });

  it("is right on the CPU reference", () => {
    expect(() => work.check(results)).not.toThrow();
  });

  it("must be right in every output and every tensor of the state", () => {
    const names = [
      ...Object.keys(work.kind === "update" ? {} : results.reads[0]!),
      ...Object.keys(results.state ?? {}),
    ];
    const mutants: Record<string, (values: ArrayLike<number>) => number[]> = {
      "does nothing": (values) => Array.from(values, () => 0),
      "is NaN at its end": (values) => [...Array.from(values).slice(0, -1), NaN],
      "is off by a tenth": (values) => Array.from(values, (value) => value * 1.1),
      "is too short": (values) => Array.from(values).slice(1),
    };
    for (const name of names) {
      for (const [defect, change] of Object.entries(mutants)) {
        expect(() => work.check(changed(results, name, change)), `${name} ${defect}`).toThrow(name);
      }
    }
  });
});

describe("training", () => {
  it.each(["mlp", "cnn", "moco", "update"])("%s: parameters that stay as they were are wrong", async (name) => {
    const work = SMALL.find((each) => each.name === name)!;
    const results = await resultsOf(work);
    const { layers = [], params = [] } = work.inputs() as { layers?: never[]; params?: { data: Float32Array }[] };
    const start: Record<string, Float32Array> = {};
    layers.forEach(({ weight, bias }: { weight: { data: Float32Array }; bias: { data: Float32Array } }, index) => {
      for (const prefix of name === "moco" ? ["", "key."] : [""]) {
        start[`${prefix}${index}.weight`] = weight.data;
        start[`${prefix}${index}.bias`] = bias.data;
      }
    });
    const prefixes = name === "update" ? ["param.", "average."] : ["", "key."];
    params.forEach(({ data }, index) => {
      for (const prefix of prefixes) start[`${prefix}${index}`] = data;
    });
    for (const [key, values] of Object.entries(start)) {
      expect(() => work.check(changed(results, key, () => Array.from(values))), key).toThrow(`the move of ${key}`);
    }
  });
});

const toTensor = ({ data, shape }: HostTensor): Tensor => tensor(data, { shape });

/** ResNet-18 itself is too large for plain loops in a test: its parts are compared. */
describe("a residual block", () => {
  it.each([
    { from: 3, to: 3, stride: 1, isAround: false },
    { from: 3, to: 4, stride: 2, isAround: true },
  ])("of $from to $to channels is flywheel's, forward and backward", async (shape) => {
    const [size, n] = [5, 2];
    const block = new BasicBlock(shape.from, shape.to, shape.stride, (channels) => new BatchNorm2d(channels));
    const params = block.parameters();
    params.forEach((param, index) =>
      param.assign(toTensor(random(param.shape, { seed: 20 + index, low: -0.4, high: 1 }))),
    );
    const x = toTensor(random([n, shape.from, size, size], { seed: 1 })).requiresGrad_();
    const y = block.forward(x);
    const gradOut = random(y.shape, { seed: 2 });
    const grads = grad(y, [x, ...params], { gradOutputs: toTensor(gradOut) });
    const valuesOf = async (tensor: Tensor): Promise<Float64Array> => Float64Array.from(await tensor.data(), Number);

    const values = await Promise.all(params.map(valuesOf));
    const ours = residual(await valuesOf(x), values, { ...shape, first: 0 }, size);
    const found = new Map<number, Float64Array>();
    const gradInput = ours.backward(Float64Array.from(gradOut.data), found);
    const close = (got: Float64Array, wanted: Float64Array): void => {
      expect(got).toHaveLength(wanted.length);
      // f32 against f64, through two BatchNorms of 18 to 50 values
      got.forEach((value, index) => expect(value).toBeCloseTo(wanted[index]!, 4));
    };
    close(ours.y, await valuesOf(y));
    close(gradInput, await valuesOf(grads[0]!));
    for (const [index, gradient] of grads.slice(1).entries()) close(found.get(index)!, await valuesOf(gradient));
  });
});

describe("the rows", () => {
  it("are thirteen and a long one, each under a name and a title of its own", () => {
    expect(WORKS.filter(({ isLong }) => !isLong)).toHaveLength(13);
    expect(new Set(WORKS.map(({ name }) => name)).size).toBe(14);
    expect(new Set(WORKS.map(({ title }) => title)).size).toBe(14);
  });

  it("are checked themselves, or by a smaller one that is", async () => {
    const long = WORKS.filter(({ isLong }) => isLong);
    expect(long.map(({ standIn }) => [standIn?.kind, standIn?.standIn])).toEqual([["mocoResNet18", undefined]]);
    const [work] = long as Work[];
    expect(runsToCheck(work!)).toBe(1);
    expect(complaintOf(work!, { reads: [{ loss: [8] }], state: null })).toBeNull();
    expect(complaintOf(work!, { reads: [{ loss: [NaN] }], state: null })).toMatch(/^loss: must be finite/);
  });

  it("may be looked at again after any run: ops wholly, training for NaN", async () => {
    const [op, training] = [SMALL[0]!, SMALL.find(({ name }) => name === "mlp")!];
    const { reads } = await resultsOf(op);
    expect(complaintAfter(op, reads[0]!)).toBeNull();
    expect(complaintAfter(op, { y: Array.from(reads[0]!["y"]!, () => 0) })).toMatch(/elements are wrong/);
    expect(complaintAfter(training, { loss: [3] })).toBeNull();
    expect(complaintAfter(training, { loss: [Infinity] })).toMatch(/must be finite/);
  });

  it("have the sizes that they say", () => {
    const flops = Object.fromEntries(WORKS.map((work) => [work.name, work.flops / 1e9]));
    expect(flops["matmul"]).toBeCloseTo(0.268, 3);
    expect(flops["conv2d"]).toBeCloseTo(2.416, 3);
    expect(flops["moco"]).toBeCloseTo(0.42, 2);
    expect(flops["mocoResNet18"]).toBeCloseTo(142.2, 1); // 0.556 of an image forward, four times, 32 images, two flops each
    const shapes = resnet18Shapes();
    expect(shapes).toHaveLength(62);
    expect(shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0)).toBe(11_234_496);
  });
});
