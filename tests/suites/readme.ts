/** The examples of README.md, as they stand there, on whatever device the project has. */

import * as flywheel from "flywheel";
import * as data from "flywheel/data";
import * as dev from "flywheel/dev";
import * as io from "flywheel/io";
import * as models from "flywheel/models";
import * as moco from "flywheel/moco";
import * as nn from "flywheel/nn";
import * as optim from "flywheel/optim";
import { expect, test } from "vitest";
import { expectConsole } from "../helpers/console";
import { readmeBlocks } from "../helpers/readme";

const MODULES: Readonly<Record<string, object>> = {
  flywheel,
  "flywheel/data": data,
  "flywheel/dev": dev,
  "flywheel/io": io,
  "flywheel/models": models,
  "flywheel/moco": moco,
  "flywheel/nn": nn,
  "flywheel/optim": optim,
};

type Log = (...parts: unknown[]) => void;
type Run = (modules: typeof MODULES, console: { log: Log }, given: object) => Promise<void>;
const AsyncFunction = (async () => undefined).constructor as unknown as new (...lines: string[]) => Run;

/**
 * Runs an example; returns what it prints.
 *
 * @param given names that the reader has to bring along
 */
async function run(example: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown[][]> {
  const withoutTypes = example
    .replaceAll(/\btype \w+, |, type \w+(?= \})/g, "")
    .replaceAll(/: (Tensor|number)\b| as Record<[\w, ]+>/g, "");
  const body = withoutTypes.replace(
    /^import (\{[^}]*\}) from ("[^"]+");$/gm,
    (_, names, from) => `const ${names} = modules[${from}];`,
  );
  expect(body).not.toMatch(/^import/m);
  const printed: unknown[][] = [];
  const log: Log = (...parts) => printed.push(parts);
  const lines = [`const { ${Object.keys(given).join(", ")} } = given;`, body];
  await new AsyncFunction("modules", "console", "given", lines.join("\n"))(MODULES, { log }, given);
  return printed;
}

/** @param kind the device that a bare `init()` finds here */
export function readmeExamples(kind: "cpu" | "webgpu"): void {
  const [first, own, torch, contrast, views, training, reading, evaluation, compiled, saving, checkpoints, tuning] =
    readmeBlocks("ts");

  test("the tuning example tunes once", async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text),
    };
    const [x, y] = [flywheel.rand([24, 16]), flywheel.rand([16, 20])];
    const trainStep = (): Promise<unknown> => x.matmul(y).data();
    if (kind === "cpu") {
      await expect(run(tuning!, { storage, trainStep })).rejects.toThrow("tune: the device must be a WebGPU one");
      return;
    }
    const [[report]] = (await run(tuning!, { storage, trainStep })) as [[string]];
    expect(report).toMatch(/matmul m 24, n 20, k 16/);
    expect(await run(tuning!, { storage, trainStep })).toEqual([]);
    dev.forgetTuning();
  });

  test("the training example goes on to the bit", { timeout: 300_000 }, async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    const bytes = Uint8Array.from({ length: 150 * 784 }, (_, i) => (i * i) % 251);
    const lines = await run(training!, { images: flywheel.tensor(bytes, { shape: [150, 1, 28, 28] }) });
    expect(lines.map(([first]) => first)).toEqual([1, 2, 3, "three steps"]);
    expect(lines.at(-1)![1]).toBe(true);
  });

  test("the example of images in a file trains as on a tensor", { timeout: 300_000 }, async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    const count = 150;
    const bytes = Uint8Array.from({ length: count * 784 }, (_, i) => (i * i) % 251);
    const labels = new Uint8Array(count);
    const file = data.writeImages({ images: bytes, labels, count, channels: 1, height: 28, width: 28 });
    const lines = await run(reading!, { blob: new Blob([file as Uint8Array<ArrayBuffer>]) });
    flywheel.manualSeed(1);
    const held = await run(training!, { images: flywheel.tensor(bytes, { shape: [count, 1, 28, 28] }) });
    expect(lines.slice(0, 3).flat()).toEqual(held.slice(0, 3).map(([, loss]) => loss));
    expect(lines[3]).toEqual([[count, 128]]);
  });

  test("the evaluation example tells ten kinds of images apart", { timeout: 300_000 }, async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    flywheel.manualSeed(0);
    const { tensor } = flywheel;
    // class c has a bright square of its own; in noise
    const images = (count: number): { images: flywheel.Tensor; labels: flywheel.Tensor } => {
      const bytes = Uint8Array.from({ length: count * 784 }, (_, i) => {
        const [image, row, column] = [Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28];
        const label = image % 10;
        const isBright = Math.floor(row / 14) === label % 2 && Math.floor(column / 6) === label >> 1;
        return (isBright ? 120 : 20) + ((i * 7919 + 31 * i * i) % 101);
      });
      return {
        images: tensor(bytes, { shape: [count, 1, 28, 28] }),
        labels: tensor(Int32Array.from({ length: count }, (_, image) => image % 10)),
      };
    };
    const train = images(100);
    const recipe = { ...moco.RECIPES.fashionMnist, queueSize: 512, batchSize: 64 };
    const { model } = new moco.MoCoTrainer(train.images, models.tinyGap, recipe);
    const given = { encoder: model.encoderQ, train, test: images(30) };
    const lines = await run(evaluation!, given);
    const printed = Object.fromEntries(lines.map(([word, value]) => [word as string, value as number]));
    expect(Object.keys(printed)).toEqual(["kNN", "linear", "fine-tuned", "alignment"]);
    for (const word of ["kNN", "linear", "fine-tuned"]) expect(printed[word], word).toBeGreaterThan(60); // chance is 10
    expect(printed["alignment"]).toBeGreaterThan(0);
    expect(lines.at(-1)![3]).toBeLessThan(0);
  });

  test("the saving example gives the model and the optimizer back", async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4));
    const optimizer = new optim.Adam(model.parameters());
    model
      .forward(flywheel.ones([2, 3]))
      .sum()
      .backward();
    optimizer.step();
    const before = await nn.readState(model.stateDict());
    const optimizerBefore = await optim.packState(optimizer.stateDict());
    expect(Object.keys(optimizerBefore.tensors)).toHaveLength(12);
    await run(saving!, { model, optimizer });
    expect(await nn.readState(model.stateDict())).toEqual(before);
    expect(await optim.packState(optimizer.stateDict())).toEqual(optimizerBefore);
  });

  test("the example of checkpoints gives the model and the optimizer back", async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    const [made] = await run(`${checkpoints!}\nconsole.log(model, optimizer, file);`);
    const [model, optimizer, file] = made as [moco.MoCo, optim.SGD, Uint8Array];
    const again = await moco.writeOfficialCheckpoint({ model, optimizer, epoch: 3, arch: "tinyGap" });
    expect(again).toEqual(file);
    expect(moco.readOfficialCheckpoint(file).stateDict["queue"]!.shape).toEqual([32, 256]);
  });

  test("the example of views makes two of three images", async () => {
    await flywheel.init({ device: kind });
    const [[first, second, parameters]] = (await run(views!)) as [[number[], number[], number[][]]];
    expect([first, second]).toEqual([
      [3, 3, 32, 32],
      [3, 3, 32, 32],
    ]);
    expect(parameters.map((row) => row.length)).toEqual([14, 14, 14]);
  });

  test("the compiled step learns, and is replayed on a GPU", async () => {
    await flywheel.init({ device: kind });
    const printed = (await run(compiled!)).map(([value]) => value);
    const status = printed.pop();
    expect(printed).toHaveLength(4);
    expect(printed[3]).toBeLessThan((printed[0] as number) / 2);
    expect(status).toMatchObject(
      kind === "webgpu" ? { state: "replaying", recorded: 3, replayed: 97 } : { state: "eager", recorded: 100 },
    );
  });

  test("the first example is short, and trains to an accuracy above 0.9", async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    expect(first!.split("\n").filter((line) => line !== "").length).toBeLessThan(25);
    const printed = await run(first!);
    expect(flywheel.defaultDevice().kind).toBe(kind);
    const losses = printed.slice(0, -1).map(([, loss]) => loss as number);
    expect(losses).toHaveLength(4);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    const [word, accuracy] = printed.at(-1)!;
    expect(word).toBe("accuracy");
    expect(accuracy).toBeGreaterThan(0.9);
  });

  test("the model of one's own trains, and counts what it has seen", async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    const [[accuracy, seen]] = (await run(own!)) as [[number, number]];
    expect(accuracy).toBeGreaterThan(0.9);
    expect(seen).toBe(512);
  });

  test("the example of the rest of PyTorch trains, and prints what it says", async () => {
    if (kind === "cpu") expectConsole(/warn: flywheel runs on the CPU/);
    await flywheel.init();
    flywheel.manualSeed(0);
    const [early, middle, late, masked, checked, second] = await run(torch!);
    const losses = [early, middle, late].map((line) => (line as [number])[0]);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
    const [[positives], changed] = masked as [[number], number];
    expect(positives / (8 * 6 * 16)).toBeCloseTo(0.5, 1);
    expect(changed).toBe(0);
    expect(checked).toEqual([true]);
    expect(second).toEqual([
      [
        [6, 0],
        [0, 12],
      ],
    ]);
  });

  // ResNet-18 takes minutes in plain loops, and half a minute to compile for a software GPU: once is enough
  if (kind === "cpu" || "document" in globalThis) return;
  test("the MoCo example trains; images are made here, as two noisy views", { timeout: 300_000 }, async () => {
    await flywheel.init({ device: kind });
    flywheel.manualSeed(0);
    const { rand, randn } = flywheel;
    const images = rand([16, 3, 8, 8]); // smaller than the 32 x 32 that the example speaks of
    const view = (): flywheel.Tensor => images.add(randn([16, 3, 8, 8]).mul(0.1));
    const batches = Array.from({ length: 3 }, () => [view(), view()]);

    const printed = (await run(contrast!, { batches })) as [loss: number, top1: number][];
    expect(printed).toHaveLength(3);
    for (const [loss, top1] of printed) {
      expect(loss).toBeGreaterThan(0);
      expect(loss).toBeLessThan(2 * Math.log(1 + 4096));
      expect(top1).toBeGreaterThanOrEqual(0);
      expect(top1).toBeLessThanOrEqual(100);
    }
    expect(printed.at(-1)![0]).not.toBe(printed[0]![0]);
  });
}
