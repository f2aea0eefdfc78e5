/** The rows of the comparison with peers, small: flywheel on the CPU passes each check, and what is wrong fails it. */

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
import type { Library, MakeTask, Outputs } from "../../bench/peers/library";
import { open } from "../../bench/peers/libraries/flywheel";
import { cnnWork, mlpWork, mocoWork, updateWork } from "../../bench/peers/stepWorks";
import type { Results, Work } from "../../bench/peers/work";
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
    params.forEach(({ data }, index) => {
      start[`param.${index}`] = start[`average.${index}`] = data;
    });
    for (const [key, values] of Object.entries(start)) {
      expect(() => work.check(changed(results, key, () => Array.from(values))), key).toThrow(`the move of ${key}`);
    }
  });
});

describe("the rows", () => {
  it("are thirteen, each under a name and a title of its own", () => {
    expect(new Set(WORKS.map(({ name }) => name)).size).toBe(13);
    expect(new Set(WORKS.map(({ title }) => title)).size).toBe(13);
  });

  it("have the sizes that they say", () => {
    const flops = Object.fromEntries(WORKS.map((work) => [work.name, work.flops / 1e9]));
    expect(flops["matmul"]).toBeCloseTo(0.268, 3);
    expect(flops["conv2d"]).toBeCloseTo(2.416, 3);
    expect(flops["moco"]).toBeCloseTo(0.42, 2);
    const shapes = resnet18Shapes();
    expect(shapes).toHaveLength(62);
    expect(shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0)).toBe(11_234_496);
  });
});
