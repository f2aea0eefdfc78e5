/** `npm start` as a user runs it: the whole way from the command line to the JSON line, in a real browser. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tuning } from "../demo/tuning";
import { knnAccuracy, readNpy as readBarNpy } from "../scripts/bar.mjs";
import { readNpy, readSafetensors } from "../src/io";
import { writeTinyData } from "./demo/tinyData";

const folder = mkdtempSync(join(tmpdir(), "flywheel-start-"));
const data = join(folder, "data");
const SCRIPT = join(import.meta.dirname, "../scripts/start.mjs");
const SMALL = ["--headless", "--encoder", "tinyGap", "--batch-size", "16", "--queue-size", "64", "--data", data];
const TINY = [...SMALL, "--device", "cpu", "--batch-size", "8", "--queue-size", "8"];

interface Run {
  code: number | null;
  lines: string[];
  errors: string;
}

/** Runs the script to its end; `onLine` sees every line of stdout as it comes. */
function start(
  args: readonly string[],
  { env = {}, onLine }: { env?: Record<string, string>; onLine?: (line: string, child: ChildProcess) => void } = {},
): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SCRIPT, ...args], { env: { ...process.env, ...env } });
    const run: Run = { code: null, lines: [], errors: "" };
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop()!;
      run.lines.push(...lines);
      for (const line of lines) onLine?.(line, child);
    });
    child.stderr.on("data", (chunk: Buffer) => (run.errors += chunk.toString()));
    child.on("close", (code) => resolve({ ...run, code }));
  });
}

const lastLine = ({ lines }: Run): Record<string, unknown> => JSON.parse(lines.at(-1)!) as Record<string, unknown>;

beforeAll(() => writeTinyData(data, { train: 400, test: 100 }));
afterAll(() => rmSync(folder, { recursive: true }));

describe("npm start", () => {
  test("trains, and ends with one line of JSON", async () => {
    const json = join(folder, "out.json");
    const run = await start([...SMALL, "--steps", "3", "--no-eval", "--seed", "7", "--json", json]);
    expect(run.errors).toBe("");
    expect(run.code).toBe(0);
    expect(run.lines[0]).toMatch(/^adapter: \S/);
    expect(run.lines.filter((line) => line.startsWith("step"))).toHaveLength(3);

    const result = lastLine(run);
    expect(Object.keys(result)).toEqual(
      "adapter device steps seed loss contrastAccuracy knnBefore knnAfter linearProbe firstStepSeconds stepsPerSecond dispatchesPerStep submitsPerStep buffersCreatedPerStep tuning".split(
        " ",
      ),
    );
    expect(result).toMatchObject({
      device: "webgpu",
      steps: 3,
      seed: 7,
      knnBefore: null,
      knnAfter: null,
      linearProbe: null,
    });
    expect(`adapter: ${String(result["adapter"])}`).toBe(run.lines[0]);
    expect(result["loss"]).toBeGreaterThan(0);
    expect(result["contrastAccuracy"]).toBeGreaterThanOrEqual(0);
    expect(result["contrastAccuracy"]).toBeLessThanOrEqual(1);
    expect(result["stepsPerSecond"]).toBeGreaterThan(0);
    expect(result["firstStepSeconds"]).toBeGreaterThan(0);
    expect(result["dispatchesPerStep"]).toBeGreaterThan(0);
    expect(result["submitsPerStep"]).toBeGreaterThan(0);
    expect(readFileSync(json, "utf8")).toBe(`${run.lines.at(-1)!}\n`);
  });

  test("evaluates before, during and after, probes, and writes features that give the same accuracy", async () => {
    const file = join(folder, "features.safetensors");
    const run = await start([...SMALL, "--steps", "4", "--eval-every", "2", "--linear-probe", "--features", file]);
    expect(run.errors).toBe("");
    expect(run.code).toBe(0);
    const evaluations = run.lines.filter((line) => line.startsWith("kNN"));
    expect(evaluations.map((line) => line.replace(/:.*/, ""))).toEqual([
      "kNN accuracy before training",
      "kNN accuracy after 2 steps",
      "kNN accuracy after 4 steps",
    ]);
    const probed = Number(lastLine(run)["linearProbe"]);
    expect(run.lines).toContain(`linear probe after 4 steps: ${(100 * probed).toFixed(2)} %`);
    expect(probed).toBeGreaterThan(0.3); // ten classes

    const { tensors } = readSafetensors(new Uint8Array(readFileSync(file)));
    expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))).toEqual({
      bank: [400, 128],
      bank_labels: [400],
      test: [100, 128],
      test_labels: [100],
    });
    expect(tensors).toMatchObject({ bank_labels: { dtype: "u8" }, test_labels: { dtype: "u8" } }); // as long as bytes hold them
    const features = (name: string): Float32Array => directions(tensors[name]!.data as Float32Array, 128);
    const labels = (name: string): Uint8Array => tensors[`${name}_labels`]!.data as Uint8Array;
    const accuracy = knnAccuracy({
      bank: features("bank"),
      bankLabels: labels("bank"),
      test: features("test"),
      testLabels: labels("test"),
    });
    // Where two classes have nearly the same vote, rounding decides.
    expect(Math.abs(accuracy - Number(lastLine(run)["knnAfter"]))).toBeLessThanOrEqual(0.011);
  });

  test("fails if the probe at its end does, and keeps what else there is", async () => {
    const far = ["--steps", "1", "--lr", "1e30", "--no-eval", "--linear-probe"]; // weights that give no numbers
    const run = await start([...TINY, "--dim", "8", ...far]);
    expect(run.errors).toMatch(/^The probe failed: linearProbe: .+\n$/);
    expect(lastLine(run)).toMatchObject({ steps: 1, linearProbe: null });
    expect(run.code).toBe(1);
  });

  test.each([
    ["WebGPU", SMALL],
    ["the CPU reference", [...TINY, "--dim", "8"]],
  ])("goes on from a checkpoint in another process, to the bit, on %s", async (name, options) => {
    const steps = 200;
    const [whole, half, rest] = ["whole", "half", "rest"].map((part) => join(folder, `${part} ${name}.safetensors`));
    const every = ["--steps", String(steps), "--eval-every", String(steps / 2)];
    const first = await start([...options, ...every, "--checkpoint", whole!], {
      onLine(line) {
        // after half of the steps a checkpoint was written; the last one takes its place
        const step = Number(/^step +(\d+)/.exec(line)?.[1] ?? 0);
        if (step > steps / 2 && !existsSync(half!)) copyFileSync(whole!, half!);
      },
    });
    expect(first.errors).toBe("");
    const { metadata } = readSafetensors(new Uint8Array(readFileSync(half!)));
    expect((JSON.parse(metadata["states"]!) as { schedule: object }).schedule).toMatchObject({ last_epoch: steps / 2 });

    // the options are in the file, but for what does not belong to the run
    const given = ["--headless", "--data", data, "--device", options === SMALL ? "webgpu" : "cpu"];
    const second = await start([...given, "--resume", half!, "--checkpoint", rest!]);
    expect(second.errors).toBe("");
    expect(second.code).toBe(0);
    expect(second.lines.find((line) => line.startsWith("step"))).toMatch(new RegExp(`^step +${steps / 2 + 1}/`));
    for (const value of ["knnBefore", "knnAfter", "loss", "contrastAccuracy"])
      // the loss of the last step, in all its digits
      expect(lastLine(second)[value]).toBe(lastLine(first)[value]);
    expect(readFileSync(rest!).equals(readFileSync(whole!)), "all weights, momenta, keys and words").toBe(true);
  });

  test("does not go on with other images than those of the checkpoint, and says which", async () => {
    const save = join(folder, "of 400.safetensors");
    const first = await start([...TINY, "--dim", "8", "--steps", "1", "--no-eval", "--checkpoint", save]);
    expect(first.errors).toBe("");
    const fewer = join(folder, "fewer");
    writeTinyData(fewer, { train: 300, test: 100 });
    const run = await start(["--headless", "--device", "cpu", "--data", fewer, "--resume", save]);
    expect(run.errors).toBe(
      "This save is of a run on Fashion-MNIST (400 to train on and 100 others, 28 by 28, grey), but the page has Fashion-MNIST (300 to train on and 100 others, 28 by 28, grey): run npm start with the same --data FOLDER, or without where there was none.\n",
    );
    expect(run.code).toBe(2);
  });

  test("runs on the CPU reference, and writes features as .npy files", async () => {
    const run = await start([...TINY, "--steps", "2", "--no-eval", "--features", join(folder, "features.npy")]);
    expect(run.code).toBe(0);
    expect(lastLine(run)).toMatchObject({ device: "cpu", steps: 2, dispatchesPerStep: null });
    const shapeOf = (name: string): readonly number[] =>
      readNpy(new Uint8Array(readFileSync(join(folder, name)))).shape;
    expect(shapeOf("features.npy")).toEqual([100, 128]);
    expect(shapeOf("features.labels.npy")).toEqual([100]);
    expect(shapeOf("features.bank.npy")).toEqual([400, 128]);
    expect(shapeOf("features.bank.labels.npy")).toEqual([400]);
    for (const name of ["features.npy", "features.labels.npy"])
      // npm run bar has a reader of its own
      expect(readBarNpy(join(folder, name)).shape).toEqual(shapeOf(name));
  });

  test("gives the same losses on WebGPU as on the CPU reference", async () => {
    const args = [...SMALL, "--batch-size", "8", "--queue-size", "16", "--steps", "5", "--no-eval"];
    const [cpu, gpu] = [await start([...args, "--device", "cpu"]), await start(args)];
    expect(lastLine(cpu)["device"]).toBe("cpu");
    expect(lastLine(gpu)["device"]).toBe("webgpu");
    expect(Math.abs(Number(lastLine(gpu)["loss"]) - Number(lastLine(cpu)["loss"]))).toBeLessThanOrEqual(1e-3);
    // Of each step, as they are printed: rounded to 0.001.
    const losses = ({ lines }: Run): number[] =>
      lines.flatMap((line) => /loss (\d\.\d{3}) /.exec(line)?.[1] ?? []).map(Number);
    expect(losses(cpu)).toHaveLength(5);
    losses(gpu).forEach((loss, i) => expect(Math.abs(loss - losses(cpu)[i]!), `step ${i + 1}`).toBeLessThan(1.5e-3));
    expect(losses(gpu)).toHaveLength(5);
  });

  test("tunes the first step's kernels, and later runs know what was found", async () => {
    const cache = join(folder, "cache");
    const args = [...SMALL, "--steps", "3", "--no-eval", "--tune", "on"];
    const first = await start(args, { env: { XDG_CACHE_HOME: cache } });
    expect(first.errors).toBe("");
    const { tuning } = lastLine(first) as unknown as { tuning: Tuning };
    expect(tuning).toMatchObject({ known: 0, rejected: [], notKept: null });
    expect(tuning.tried).toBeGreaterThan(2);
    expect(Object.values(tuning.chosen).reduce((sum, times) => sum + times, 0)).toBe(tuning.tried);
    const line = `tuning: 0 known, ${tuning.tried} tried, ${tuning.changed.length} changed, ${tuning.left} left as they are`;
    expect(first.lines).toContain(line);

    const file = join(cache, "flywheel/tuning.json");
    const { chosen } = JSON.parse(readFileSync(file, "utf8")) as { chosen: Record<string, string> };
    const second = await start(args, { env: { XDG_CACHE_HOME: cache } });
    const later = (lastLine(second) as unknown as { tuning: Tuning }).tuning;
    expect(later).toMatchObject({ known: Object.keys(chosen).length, tried: tuning.left });
    const off = await start([...SMALL, "--steps", "2", "--no-eval"], { env: { XDG_CACHE_HOME: cache } });
    expect(lastLine(off)["tuning"]).toBeNull();

    writeFileSync(file, "no tuning");
    const third = await start(args, { env: { XDG_CACHE_HOME: cache } });
    expect(third.code).toBe(0);
    expect((lastLine(third) as unknown as { tuning: Tuning }).tuning.known).toBe(0);
    expect(JSON.parse(readFileSync(file, "utf8"))).toHaveProperty("chosen");
  });

  test("trains also where what tuning found cannot be kept", async () => {
    const cache = join(folder, "no-folder");
    writeFileSync(cache, "");
    const run = await start([...SMALL, "--steps", "2", "--no-eval", "--tune", "on"], {
      env: { XDG_CACHE_HOME: cache },
    });
    expect(run.code).toBe(0);
    expect(run.errors).toMatch(/^What tuning found could not be kept: \S/m);
  });

  test("stops with a sentence when the loss is no number", async () => {
    const run = await start([...TINY, "--steps", "9", "--no-eval", "--lr", "1e30"]);
    expect(run.code).toBe(1);
    expect(run.errors).toMatch(/^The loss is \S+ at step \d+: try a lower learning rate\.\n$/);
  });

  test("Ctrl-C ends it, and its browser", async () => {
    const marker = `--flywheel-test=${process.pid}`;
    const run = await start([...SMALL, "--steps", "100000", "--no-eval"], {
      env: { CHROME_ARGS: marker },
      onLine: (line, child) => line.startsWith("step") && child.kill("SIGINT"),
    });
    expect(run.code).toBe(130);
    expect(run.errors).toBe("");
    if (process.platform === "win32") return;
    const processes = spawnSync("ps", ["-axo", "args"], { encoding: "utf8" }).stdout;
    expect(processes.split("\n").filter((line) => line.includes(marker))).toEqual([]);
  });

  test("ends quietly when nobody reads its output, as in `npm start | head -1`", async () => {
    const run = await start([...SMALL, "--steps", "100000", "--no-eval"], {
      onLine: (_, child) => child.stdout!.destroy(),
    });
    expect(run.code).toBe(141);
    expect(run.errors).toBe("");
  });

  test("says in one sentence that there is no adapter", async () => {
    const run = await start([...SMALL, "--steps", "1", "--no-eval"], {
      env: { CHROME_ARGS: "--disable-gpu --disable-software-rasterizer" },
    });
    expect(run.code).toBe(2);
    expect(run.errors).toMatch(/^device: WebGPU needs .*\n$/);
    expect(run.lines).toEqual([]);
  });

  test.each([
    [
      "a queue smaller than the batch",
      ["--queue-size", "100"],
      /^--queue-size must be at least --batch-size, got 100 and 128/,
    ],
    ["a missing folder", ["--data", join(folder, "nowhere")], /^--data must be an existing folder/],
    ["a batch larger than the data", [...TINY, "--batch-size", "512", "--queue-size", "512"], /batch.*400/],
    [
      "results over features",
      ["--data", data, "--json", join(folder, "e.labels.npy"), "--features", join(folder, "e.npy")],
      /^--json and --features must name different files/,
    ],
    ["a queue beyond a binding", ["--queue-size", "1073741824"], /^--queue-size times --dim must be at most/],
    ["an unknown option", ["--stpes", "3"], /^--stpes is no option/],
  ])("refuses %s in one sentence", async (_, args, sentence) => {
    const run = await start(["--headless", ...args]);
    expect(run.code).toBe(2);
    expect(run.errors).toMatch(sentence);
    expect(run.errors.trimEnd()).not.toContain("\n");
    expect(run.lines.filter((line) => !line.startsWith("adapter"))).toEqual([]);
  });

  test("--help lists the options", async () => {
    const run = await start(["--help"]);
    expect(run.code).toBe(0);
    expect(run.lines.join("\n")).toContain("--eval-every N");
  });
});

/** The rows of a matrix, once each is known to have length 1. */
function directions(values: Float32Array, dim: number): Float32Array {
  for (let start = 0; start < values.length; start += dim)
    expect(Math.hypot(...values.subarray(start, start + dim))).toBeCloseTo(1, 5);
  return values;
}
