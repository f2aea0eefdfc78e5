/** Arguments as callers without types may get them wrong. TypeScript tells those who use it; the others would train with defaults. */

import { DeviceError, DTypeError, ValueError } from "./errors";

/** An argument, as an error shows it. */
export function describe(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (isPromise(value)) return "a Promise";
  const { name: kind } = (value.constructor as { readonly name?: string } | undefined) ?? {};
  // tensors say what they are
  if (kind && kind !== "Object")
    return "dtype" in value ? (value as { toString(): string }).toString() : `${article(kind)} ${kind}`;
  const names = Object.keys(value);
  return names.length > 0 && names.length < 9 ? `an object with ${names.join(", ")}` : "an object";
}

const article = (name: string): string => (/^([AEIOU]|[FHLMNRSX][A-Z])/.test(name) ? "an" : "a");

/** Whether something has to be awaited. */
export const isPromise = (value: unknown): boolean =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";

/** Words that name a kind of device elsewhere. Here devices are objects. */
const DEVICE_WORD = /^(cpu|cuda|gpu|webgpu|mps|xpu|hip|meta)(:\d+)?$/i;

/** Checks that a word that should be a dtype is not meant as a device. */
export function checkNoDeviceName(op: string, word: unknown): void {
  if (typeof word !== "string" || !DEVICE_WORD.test(word)) return;
  throw new DeviceError(
    `${op}: a device must be an object, got the string "${word}". Write await ${op}(device) with what init() or openDevice() gave; ` +
      "init({ device }) and withDevice(device, ...) say where new tensors and layers are.",
  );
}

/** The error for what is neither a tensor nor a number. */
export const operandError = (op: string, value: unknown): DTypeError =>
  new DTypeError(
    `${op}: operands must be tensors, numbers or booleans, got ${describe(value)}. ${wayToOperand(value)}`,
  );

function wayToOperand(value: unknown): string {
  if (typeof value === "string" || typeof value === "bigint") return "Convert it with Number.";
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return "Make a tensor of it: tensor(values).";
  if (value === undefined || value === null) return "Is an argument missing?";
  if (isPromise(value)) return "Write await in front of it.";
  return "Check the arguments and their order.";
}

/**
 * Checks that options are an object whose names are all known.
 *
 * @param silent names that are taken too, and that no message offers
 * @throws ValueError for anything else: a number in their place, a name of Python's, a typing error
 */
export function checkOptionNames(
  op: string,
  options: unknown,
  names: readonly string[],
  silent: readonly string[] = [],
): void {
  const known = names.join(", ");
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ValueError(
      `${op}: options must be one object with names of ${known}, got ${describe(options)}. Write { ${names[0]!}: ... }.`,
    );
  }
  const wrong = Object.keys(options).find((name) => !names.includes(name) && !silent.includes(name));
  if (wrong === undefined) {
    checkOptionKinds(op, options);
    return;
  }
  const near = names.find((name) => plain(name) === plain(wrong));
  throw new ValueError(
    `${op}: options must have names of ${known}, got ${wrong}. ${near ? `Write ${near}.` : "Check the spelling."}`,
  );
}

const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();

/** Options that are true or false wherever they are: any other value would count as one of them. */
const SWITCHES = new Set([
  "accumulate",
  "addBiasKv",
  "addZeroAttn",
  "affine",
  "alignCorners",
  "allowUnused",
  "antialias",
  "asTuple",
  "averageAttnWeights",
  "batchFirst",
  "ceilMode",
  "cifarStem",
  "countIncludePad",
  "createGraph",
  "cycleMomentum",
  "debug",
  "descending",
  "elementwiseAffine",
  "equalNan",
  "freeze",
  "full",
  "includeSelf",
  "isCausal",
  "keepDim",
  "largest",
  "logInput",
  "logTarget",
  "mlp",
  "needWeights",
  "normFirst",
  "persistent",
  "raiseException",
  "recomputeScaleFactor",
  "requiresGrad",
  "retainGraph",
  "returnCounts",
  "returnIndices",
  "returnInverse",
  "right",
  "setToNone",
  "shuffle",
  "stable",
  "streaming",
  "strict",
  "swap",
  "threePhase",
  "trackRunningStats",
  "training",
  "unbiased",
  "useBuffers",
  "useInputStats",
  "withReplacement",
  "zeroInitResidual",
]);

/** Options that are numbers wherever they are: others would be made into one, or reach an op inside. */
const NUMBERS = new Set([
  "alpha",
  "atol",
  "beta",
  "delta",
  "dropoutP",
  "eps",
  "groups",
  "ignoreIndex",
  "labelSmoothing",
  "margin",
  "rtol",
  "temperature",
  "threshold",
]);

function checkOptionKinds(op: string, options: object): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (SWITCHES.has(name) && value !== undefined && value !== null) checkSwitch(op, name, value);
    if (NUMBERS.has(name) && value !== undefined) checkNumber(op, name, value);
  }
}

/** Whether something counts what there is at least one of. */
export const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;

/** @throws ValueError unless each is a whole number above 0 */
export function checkCounts(op: string, counts: Readonly<Record<string, unknown>>, advice = "Pass a number."): void {
  for (const [name, value] of Object.entries(counts)) {
    if (isCount(value)) continue;
    throw new ValueError(`${op}: ${name} must be a positive integer, got ${describe(value)}. ${advice}`);
  }
}

/** Checks that something is true or false. */
export function checkSwitch(op: string, name: string, value: unknown): void {
  if (typeof value === "boolean") return;
  throw new ValueError(`${op}: ${name} must be true or false, got ${describe(value)}. Pass one of them.`);
}

/** Checks that something is a number. */
export function checkNumber(op: string, name: string, value: unknown): void {
  if (typeof value === "number") return;
  throw new ValueError(`${op}: ${name} must be a number, got ${describe(value)}. ${wayToOperand(value)}`);
}

/** Checks that something is a function. */
export function checkIsFunction(op: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new ValueError(`${op}: ${name} must be a function, got ${describe(value)}. Write ${op}(() => ...).`);
}

/** Checks that something is a list. */
export function checkIsList(op: string, name: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw new ValueError(`${op}: ${name} must be a list, got ${describe(value)}. Write [...].`);
}

/** Checks that a word is one of those that are understood. */
export function checkChoice(op: string, name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  const quoted = choices.map((choice) => `"${choice}"`);
  throw new ValueError(
    `${op}: ${name} must be ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)!}, got ${typeof value === "string" ? JSON.stringify(value) : describe(value)}. Pass one of them.`,
  );
}
