/**
 * Tuning: which variant of a kernel is fastest on this adapter, for the sizes that a program uses. Each candidate is first tried
 * on random numbers: one that does not compile, leaves something out or gives other sums than f64 does is never used.
 */

import { defaultDevice, type Device } from "../device";
import { FlywheelError, KernelError, OutOfMemoryError, ValueError } from "../errors";
import { choicesOf, familyOf, type KernelUse } from "../kernels/choices";
import { LIBRARIES } from "../kernels/libraries";
import { SHADERS } from "../kernels/shaders";
import type { Trial, Work } from "../kernels/kernel";
import type { KernelInfoMap } from "../ops/kernelInfo";
import { calibrate, type Rates } from "./calibrate";
import { backendOf, synchronize } from "./device";
import { bindKernel, variantsOf } from "./kernels";
import { type BoundLaunches, DeviceArray } from "./launches";
import { VERSION } from "../version";

/** How to tune. */
export interface TuneOptions {
  /** Default: the default device. */
  readonly device?: Device;
  /** Time in all, ms, after which what is left stays as it is; default 5000. What a candidate takes to compile counts. */
  readonly budgetMs?: number;
  /** Hears, when the program has run and after each use of a kernel, how many are dealt with, of how many. */
  readonly onProgress?: (done: number, count: number) => void;
  /** Changes the text of a variant before it is compiled: to break it, for a test of the test. */
  readonly edit?: (wgsl: string, variant: string) => string;
}

/** What became of a candidate. */
export interface TriedVariant {
  readonly variant: string;
  /** Of a run, the median; null where it was rejected. */
  readonly timeMs: number | null;
  /** Why it is not used; null where it is right. */
  readonly rejected: string | null;
}

/** A use of a kernel, and what was tried for it. */
export interface TunedUse {
  readonly kernel: keyof KernelInfoMap;
  readonly info: unknown;
  /** What is taken from now on. */
  readonly chosen: string;
  /** What would be taken without tuning. */
  readonly byDefault: string;
  readonly tried: readonly TriedVariant[];
}

/** What `tune` found. */
export interface TuneReport {
  readonly uses: readonly TunedUse[];
  /** Uses for which no time or memory was left. */
  readonly left: number;
  /** What the adapter reached, if it was not calibrated yet; see `calibrate`. */
  readonly rates: Rates | null;
}

/** Candidates are timed this often at least, in turn. */
const LEAST_ROUNDS = 3;
const MOST_ROUNDS = 9;
/** What one use may take of the time for all, ms. */
const USE_MS = 400;
/** A candidate must be this much faster than the default: below, it is noise. */
const GAIN = 0.95;
/** Elements of the output that are compared with f64. */
const SAMPLES = 48;

/**
 * Runs a program, and then tries the variants of each kernel that it used and that is not tuned yet; the fastest that are right
 * are taken from now on. Results may change in their last digits. An adapter that is not calibrated yet is. `savedTuning` keeps what was
 * found, `forgetTuning` forgets it.
 *
 * @param body what to tune for, such as a training step; wait inside for what it computes
 * @returns what was tried, use by use
 * @throws DeviceError for the CPU, which has no variants
 * @throws KernelError where no variant of a kernel is right
 *
 * @example
 * const report = await tune(() => trainStep(batch));
 * console.log(printTuning(report));
 */
export async function tune(
  body: () => unknown,
  { device = defaultDevice(), budgetMs = 5000, onProgress, edit = (wgsl) => wgsl }: TuneOptions = {},
): Promise<TuneReport> {
  const backend = backendOf("tune", device);
  const choices = choicesOf(backend.gpu.limits);
  backend.forgetPlans(); // what is planned already asks for no variants
  choices.uses.clear();
  await body();
  await synchronize(device);
  const end = performance.now() + budgetMs;
  const rates = choices.mostWork === null ? await calibrate(device) : null;
  const found: TunedUse[] = [];
  let left = 0;
  try {
    const open = [...choices.uses].filter(
      ([key, use]) => !choices.tuned.has(key) && variantsFor(device, use).length > 1,
    );
    onProgress?.(0, open.length);
    for (const [done, [key, use]] of open.entries()) {
      const tuned = performance.now() > end ? null : await tuneUse(device, use, edit);
      if (tuned) {
        choices.tuned.set(key, tuned.chosen);
        found.push(tuned);
      } else left++;
      onProgress?.(done + 1, open.length);
    }
  } finally {
    backend.forgetPlans();
  }
  return { uses: found, left, rates };
}

const variantsFor = (device: Device, { kernel, info }: KernelUse): string[] =>
  variantsOf(device, kernel, info as KernelInfoMap[typeof kernel]);

/** A candidate that is right so far. */
interface Candidate {
  readonly variant: string;
  readonly launches: BoundLaunches;
  readonly timesMs: number[];
}

/** Null where there is no memory for its operands. */
async function tuneUse(
  device: Device,
  use: KernelUse,
  edit: NonNullable<TuneOptions["edit"]>,
): Promise<TunedUse | null> {
  const { kernel } = use;
  const info = { ...(use.info as object), ...("hasBias" in (use.info as object) && { hasBias: false }) };
  const variants = variantsFor(device, use);
  const byDefault = variants[0]!;
  const trial = familyOf(kernel).trial!;
  const { inputs: lengths, output: length } = trial.arrays(info);
  const inputs = lengths.map((each, index) => randomNumbers(each, index + 1));
  const arrays: DeviceArray[] = [];
  const candidates: Candidate[] = [];
  const rejected: TriedVariant[] = [];
  try {
    for (const values of [...inputs, new Float32Array(length)]) arrays.push(DeviceArray.from(device, values));
    const output = arrays.at(-1)!;
    const operands = { inputs: arrays.slice(0, -1), output };
    for (const variant of variants) {
      const options = { variant, edit: (wgsl: string) => edit(wgsl, variant) };
      try {
        const launches = await bindKernel(device, kernel, info as never, operands, options);
        candidates.push({ variant, launches, timesMs: [] });
        output.write(new Float32Array(length).fill(NaN));
        launches.submit();
        const wrong = complaintOf(trial, { info, inputs, output: await output.data() });
        if (wrong === null) continue;
        rejected.push({ variant, timeMs: null, rejected: wrong });
      } catch (error) {
        if (!(error instanceof FlywheelError)) throw error;
        rejected.push({ variant, timeMs: null, rejected: error.message.split("\n")[0]! });
      }
    }
    const right = candidates.filter(({ variant }) => rejected.every((other) => other.variant !== variant));
    await timeInTurns(right);
    const tried = right.map(({ variant, timesMs }) => ({ variant, timeMs: median(timesMs), rejected: null }));
    return { kernel, info: use.info, byDefault, chosen: fastest(tried, byDefault), tried: [...tried, ...rejected] };
  } catch (error) {
    if (error instanceof OutOfMemoryError) return null;
    throw error;
  } finally {
    for (const { launches } of candidates) launches.dispose();
    for (const array of arrays) array.dispose();
  }
}

/** Rounds in which each candidate runs once, so that what slows the machine down hits all alike. */
async function timeInTurns(candidates: readonly Candidate[]): Promise<void> {
  const end = performance.now() + USE_MS;
  for (let round = 0; round < MOST_ROUNDS && (round < LEAST_ROUNDS || performance.now() < end); round++) {
    for (const { launches, timesMs } of candidates) {
      const { dispatches } = await launches.time();
      timesMs.push(dispatches.reduce((sum, { timeMs }) => sum + timeMs, 0));
    }
  }
}

function fastest(tried: readonly { variant: string; timeMs: number }[], byDefault: string): string {
  const known = tried.find(({ variant }) => variant === byDefault);
  const best = tried.reduce<{ variant: string; timeMs: number } | undefined>(
    (least, each) => (least === undefined || each.timeMs < least.timeMs ? each : least),
    undefined,
  );
  if (!best) throw new KernelError(`tune: some variant must be right, got none in place of ${byDefault}. Report it.`);
  return known && best.timeMs > GAIN * known.timeMs ? byDefault : best.variant;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** From -1 to 1, the same at every run. */
function randomNumbers(length: number, seed: number): Float32Array {
  const values = new Float32Array(length);
  let state = Math.imul(seed, 0x9e3779b9) | 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state / 2 ** 31;
  }
  return values;
}

/** An ULP of f32 in relation to the value. */
const ULP = 2 ** -23;

/** What is wrong with an output that started as NaN; null if nothing is. */
function complaintOf(
  trial: Trial<unknown>,
  { info, inputs, output }: { info: unknown; inputs: readonly Float32Array[]; output: Float32Array },
): string | null {
  const missing = output.findIndex((value) => !Number.isFinite(value));
  if (missing >= 0) return `element ${missing} of ${output.length} is ${output[missing]}`;
  const step = Math.max(1, Math.floor(output.length / SAMPLES));
  for (let index = output.length - 1; index >= 0; index -= step) {
    const { value, magnitude, terms } = trial.at(info, inputs, index);
    const allowed = ULP * (1 + Math.min(terms, 6 * Math.sqrt(terms))) * magnitude; // roundings of a sum do not all point one way
    const off = Math.abs(output[index]! - value);
    if (off > allowed) return `element ${index} is ${output[index]}, must be ${value} within ${allowed.toPrecision(2)}`;
  }
  return null;
}

// ---- keeping it ----

/** Of the texts of shaders and libraries: what was found for others does not hold. */
function shadersHash(): string {
  const shaders = [...SHADERS.values()];
  let hash = 0x811c9dc5;
  for (const { source } of new Set([...shaders, ...LIBRARIES, ...shaders.flatMap(({ libs }) => libs ?? [])]))
    for (let i = 0; i < source.length; i++) hash = Math.imul(hash ^ source.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16);
}

/** What decides which variants there are, and how fast each is: adapter, browser, shaders, features, and the limits that plans see. */
function identityOf(device: Device): string {
  const { info, limits } = backendOf("tuning", device).gpu;
  const browser = /(Chrome|Firefox|Version)\/\d+/.exec(
    (globalThis.navigator as Navigator | undefined)?.userAgent ?? "",
  );
  const { vendor, architecture, device: name, description, features, subgroupMinSize, subgroupMaxSize } = info;
  return [
    ...[vendor, architecture, name, description, browser?.[0] ?? "", VERSION, shadersHash()],
    ...[`subgroups ${subgroupMinSize ?? "?"}-${subgroupMaxSize ?? "?"}`, features.join(" ")],
    Object.entries(limits)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([limit, value]) => `${limit} ${value}`)
      .join(" "),
  ].join("|");
}

/**
 * What was tuned on a device, as text that `useTuning` understands: for a file, or a page's storage. It holds for this adapter with
 * its features and limits, this browser's major version, and this version of flywheel with its shaders.
 *
 * @throws DeviceError for the CPU
 *
 * @example
 * localStorage.setItem("tuning", savedTuning());
 */
export function savedTuning(device: Device = defaultDevice()): string {
  const { tuned, mostWork } = choicesOf(backendOf("savedTuning", device).gpu.limits);
  return JSON.stringify({ adapter: identityOf(device), chosen: Object.fromEntries(tuned), mostWork } satisfies Saved);
}

/**
 * Takes what was tuned before.
 *
 * @param text from `savedTuning`
 * @returns whether it was: false where it was found on another adapter, or by another version
 * @throws ValueError if it is no tuning
 * @throws DeviceError for the CPU
 */
export function useTuning(text: string, device: Device = defaultDevice()): boolean {
  const backend = backendOf("useTuning", device);
  const saved = parsed(text, identityOf(device));
  if (!saved) return false;
  const { chosen, mostWork } = saved;
  const choices = choicesOf(backend.gpu.limits);
  choices.tuned.clear();
  for (const [key, variant] of Object.entries(chosen)) choices.tuned.set(key, variant);
  choices.mostWork = mostWork;
  backend.forgetPlans();
  return true;
}

/** What is in the text. */
interface Saved {
  readonly adapter: string;
  readonly chosen: Readonly<Record<string, string>>;
  /** Of one dispatch; null where the adapter was not calibrated. */
  readonly mostWork: Work | null;
}

/** Null where it was found elsewhere, or by a version that may have written it otherwise. */
function parsed(text: string, identity: string): Saved | null {
  try {
    const saved = JSON.parse(text) as { readonly [K in keyof Saved]?: unknown };
    const { adapter, chosen, mostWork } = saved;
    if (typeof adapter === "string" && adapter !== identity) return null;
    const isChoice =
      typeof chosen === "object" && chosen !== null && Object.values(chosen).every((each) => typeof each === "string");
    if (typeof adapter === "string" && isChoice && (mostWork === null || isWork(mostWork))) return saved as Saved;
  } catch {
    // said below
  }
  throw new ValueError(`useTuning: there must be what savedTuning gave, got ${JSON.stringify(text.slice(0, 60))}.`);
}

function isWork(value: unknown): value is Work {
  if (typeof value !== "object" || value === null) return false;
  const { flops, bytes } = value as Partial<Work>;
  return typeof flops === "number" && flops > 0 && typeof bytes === "number" && bytes > 0;
}

/** Forgets what was tuned and calibrated: cost models decide again. @throws DeviceError for the CPU */
export function forgetTuning(device: Device = defaultDevice()): void {
  const backend = backendOf("forgetTuning", device);
  const choices = choicesOf(backend.gpu.limits);
  choices.tuned.clear();
  choices.mostWork = null;
  backend.forgetPlans();
}

/** A report as a table: kernel, sizes, what is taken, and the times of all candidates. */
export function printTuning({ uses, left, rates }: TuneReport): string {
  const lines: string[] = uses.map(({ kernel, info, chosen, byDefault, tried }) => {
    const shown = tried.map(({ variant, timeMs, rejected }) =>
      timeMs === null ? `${variant} rejected: ${rejected}` : `${variant} ${timeMs.toPrecision(3)} ms`,
    );
    const change = chosen === byDefault ? chosen : `${chosen} (was ${byDefault})`;
    return `${kernel} ${sizesOf(info)}: ${change}\n  ${shown.join("\n  ")}`;
  });
  if (lines.length > 0)
    lines.push(`A variant is taken that is ${Math.round(100 * (1 - GAIN))} % faster than what the rules take.`);
  if (left > 0) lines.push(`${left} more were left as they are: no time, or no memory.`);
  if (rates) {
    const [gflops, gbytes] = [rates.flopsPerSecond / 1e9, rates.bytesPerSecond / 1e9].map((rate) =>
      rate.toPrecision(3),
    );
    lines.unshift(`the adapter reaches ${gflops} GFLOP/s and ${gbytes} GB/s`);
  }
  return lines.length > 0 ? lines.join("\n") : "nothing to choose";
}

/** Sizes, and the strides of operands that may lie either way. */
const sizesOf = (info: unknown): string =>
  Object.entries(info as Record<string, unknown>)
    .flatMap(([name, value]) => {
      if (typeof value === "number") return value > 1 ? [`${name} ${value}`] : [];
      const { row, col } = (value ?? {}) as { row?: number; col?: number };
      return row === undefined || col === undefined ? [] : [`${name} by ${row} and ${col}`];
    })
    .join(", ");
