/**
 * Checkpoints: everything that a training goes on from, to the bit, in one safetensors file. Tensors are the model's state by
 * PyTorch's names under `model.`, and the optimizer's under `optimizer.`; the rest is text.
 */

import { FormatError } from "../errors";
import { readSafetensors, type Safetensors, writeSafetensors } from "../io";
import { crc32 } from "../io/crc32";
import { toBytes } from "../io/fileArray";
import { type Module, readState } from "../nn";
import { type Optimizer, packState, unpackState } from "../optim";
import type { Generator, GeneratorState } from "../random";
import { VERSION } from "../version";

/** Something with a small state of numbers and words: a schedule, a sampler. */
export interface Resumable<State = never> {
  stateDict(): object;
  loadStateDict(state: State): void;
}

/** What a training consists of. */
export interface CheckpointParts {
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** Schedules, samplers and the like, by name. */
  readonly states?: Readonly<Record<string, Resumable>>;
  /** Where randomness comes from, by name. */
  readonly generators?: Readonly<Record<string, Generator>>;
}

/** Says what the file is, and of which kind. */
const FORMAT = "flywheel checkpoint 2";
/** As it was before files had a checksum. */
const OLDER_FORMAT = "flywheel checkpoint 1";
const OWN_KEYS = ["format", "version", "checksum", "param_groups", "slots", "states", "generators"];

/**
 * The bytes of a checkpoint. All values are of one moment, between two steps.
 *
 * @param metadata free text by key, given back by `readCheckpoint`: the recipe, the tuning, the step
 * @throws FormatError if a key of the metadata is one of the checkpoint's own
 *
 * @example
 * const bytes = await writeCheckpoint({ model, optimizer, states: { schedule, sampler }, generators: { views } });
 */
export async function writeCheckpoint(
  { model, optimizer, states = {}, generators = {} }: CheckpointParts,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const taken = OWN_KEYS.find((key) => Object.hasOwn(metadata, key));
  if (taken !== undefined)
    throw new FormatError(`writeCheckpoint: metadata must not have the key ${taken}, got one. Take another key.`);
  // taken before anything is awaited: steps that run meanwhile move them
  const text = {
    states: JSON.stringify(mapValues(states, (each) => each.stateDict())),
    generators: JSON.stringify(mapValues(generators, (each) => each.getState())),
  };
  const [modelState, packed] = await Promise.all([readState(model.stateDict()), packState(optimizer.stateDict())]);
  const tensors = { ...prefixed("model.", modelState), ...prefixed("optimizer.", packed.tensors) };
  const slots = JSON.stringify(Object.keys(packed.tensors).sort());
  const all = { ...metadata, ...packed.metadata, slots, ...text, format: FORMAT, version: VERSION };
  return writeSafetensors(tensors, { ...all, checksum: checksumOf({ tensors, metadata: all }) });
}

/**
 * Goes on from a checkpoint: all parts are set, or, if one does not fit, none.
 *
 * @param parts as they were when it was written: the same model, optimizer, schedules
 * @returns the metadata that was given to `writeCheckpoint`, and the `version` of the library that wrote it
 * @throws FormatError if the file is no checkpoint, or damaged; StateDictError or ValueError, of the part that does not fit
 *
 * @example
 * const { step } = await readCheckpoint({ model, optimizer, states: { schedule, sampler }, generators: { views } }, bytes);
 */
export async function readCheckpoint(
  { model, optimizer, states = {}, generators = {} }: CheckpointParts,
  bytes: Uint8Array | ArrayBuffer,
): Promise<Record<string, string>> {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== FORMAT && metadata.format !== OLDER_FORMAT) {
    throw new FormatError(
      `readCheckpoint: the file must say that it is a ${FORMAT}, got ${metadata.format ?? "no such word"}. Pass what writeCheckpoint() gave.`,
    );
  }
  const checksum = checksumOf({ tensors, metadata });
  if (metadata.format === FORMAT && metadata.checksum !== checksum) {
    throw new FormatError(
      `readCheckpoint: the file must have its checksum, got ${checksum} instead of ${metadata.checksum ?? "one"}. It is damaged, or was changed by hand: write it again.`,
    );
  }
  const foreign = Object.keys(tensors).find((name) => !/^(model|optimizer)\./.test(name));
  if (foreign !== undefined) {
    throw new FormatError(
      `readCheckpoint: tensors must be of the model or the optimizer, got ${foreign}. Pass what writeCheckpoint() gave.`,
    );
  }
  const newStates = objectsOf("states", metadata.states, Object.keys(states));
  const newGenerators = objectsOf("generators", metadata.generators, Object.keys(generators));
  const optimizerTensors = without("optimizer.", tensors);
  checkSlots(Object.keys(optimizerTensors), metadata.slots);
  const optimizerState = unpackState({ tensors: optimizerTensors, metadata });

  const undo = await snapshot({ model, optimizer, states, generators });
  try {
    model.loadStateDict(without("model.", tensors));
    optimizer.loadStateDict(optimizerState);
    for (const [name, each] of Object.entries(states)) each.loadStateDict(newStates[name] as never);
    for (const [name, each] of Object.entries(generators)) each.setState(newGenerators[name] as GeneratorState);
  } catch (error) {
    undo();
    throw error;
  }
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key === "version" || !OWN_KEYS.includes(key)));
}

/** CRC-32 of all that a file says, in an order of its own: names, shapes and values, and each text but the checksum itself. */
function checksumOf({ tensors, metadata }: Pick<Safetensors, "tensors" | "metadata">): string {
  const byName = <V>(record: Readonly<Record<string, V>>): [string, V][] =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = byName(tensors);
  const texts = byName(metadata).filter(([key]) => key !== "checksum");
  const arrays = parts.map(([name, { shape, dtype }]) => [name, shape, dtype]);
  let sum = crc32(new TextEncoder().encode(JSON.stringify([texts, arrays])));
  for (const [name, array] of parts) sum = crc32(toBytes(name, array), sum);
  return sum.toString(16).padStart(8, "0");
}

/** An optimizer takes a state in which some momenta are missing, and starts those anew: here that is a damaged file. */
function checkSlots(names: readonly string[], text: string | undefined): void {
  const written = listOf(text);
  const missing = written?.filter((name) => !names.includes(name)) ?? [];
  const foreign = names.filter((name) => !written?.includes(name));
  if (written && missing.length + foreign.length === 0) return;
  const got = [...(missing.length > 0 ? [`none of ${some(missing)}`] : []), ...(foreign.length > 0 ? [`${some(foreign)} beside them`] : [])]; // prettier-ignore
  throw new FormatError(
    `readCheckpoint: the optimizer's tensors must be those that the file lists, got ${written ? got.join(", and ") : "no list"}. The file is damaged: write it again.`,
  );
}

/** A list of names; null for what is none. */
function listOf(text: string | undefined): readonly string[] | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return Array.isArray(value) ? (value as readonly string[]) : null;
  } catch {
    return null;
  }
}

/** A few of many names: a ResNet-50 has hundreds. */
const some = (names: readonly string[], most = 5): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} others` : "");

/** Takes all parts as they are; the function that it gives puts them back. */
async function snapshot({ model, optimizer, states = {}, generators = {} }: CheckpointParts): Promise<() => void> {
  // all of one moment, taken before anything is awaited: steps that run meanwhile move them
  const before = mapValues(states, (each) => each.stateDict());
  const words = mapValues(generators, (each) => each.getState());
  const groups = optimizer.paramGroups.map((group) => ({ ...group }));
  const [modelState, packed] = await Promise.all([readState(model.stateDict()), packState(optimizer.stateDict())]);
  return () => {
    model.loadStateDict(modelState);
    optimizer.loadStateDict(unpackState(packed));
    optimizer.paramGroups.forEach((group, index) => {
      setOptions(group, groups[index]!);
    });
    for (const [name, each] of Object.entries(states)) each.loadStateDict(before[name] as never);
    for (const [name, each] of Object.entries(generators)) each.setState(words[name]!);
  };
}

/** Gives a group the options of another, and no others: those that a file alone has are taken away. */
function setOptions(group: object, options: object): void {
  for (const name of Object.keys(group)) if (!Object.hasOwn(options, name)) Reflect.deleteProperty(group, name);
  Object.assign(group, options);
}

/** An object of objects, with the keys that are wanted and no others. */
function objectsOf(what: string, text: string | undefined, keys: readonly string[]): Record<string, object> {
  let value: unknown = null;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    // reported below
  }
  const found = typeof value === "object" && value !== null ? Object.keys(value) : null;
  const fits = found?.length === keys.length && keys.every((key) => found.includes(key));
  if (fits && Object.values(value as object).every((each) => typeof each === "object" && each !== null))
    return value as Record<string, object>;
  throw new FormatError(
    `readCheckpoint: ${what} must be an object with ${keys.join(", ") || "no keys"}, got ${text ?? "none"}. Pass the parts that were saved.`,
  );
}

const mapValues = <V, W>(record: Readonly<Record<string, V>>, each: (value: V) => W): Record<string, W> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, each(value)]));

const prefixed = <V>(prefix: string, record: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));

/** Those whose names have the prefix, by the rest of them. */
const without = <V>(prefix: string, record: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
