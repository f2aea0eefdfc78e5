/**
 * Reading checkpoints in the layout of the authors' PyTorch code, described in official.ts: what is in a file, checked to be one of MoCo
 * and SGD.
 */

import { FormatError } from "../errors";
import { type FileArray, isTorchObject, isTorchTensor, readTorch, type TorchValue } from "../io";
import { describe as shown } from "../options";

/** A checkpoint of the authors' code, read. */
export interface OfficialCheckpoint {
  /** Epochs that were trained; null if the file does not say. */
  readonly epoch: number | null;
  /** Name of the encoder, `"resnet50"`; null if the file does not say. */
  readonly arch: string | null;
  /** By the names of `MoCo.stateDict()`: without `module.`. Published files have the query encoder alone. */
  readonly stateDict: Readonly<Record<string, FileArray>>;
  /** State of SGD over the parameters of both encoders; null where there is none. */
  readonly optimizer: OfficialOptimizer | null;
}

/**
 * State of torch.optim.SGD: momentum by a parameter's index, and the options of its group. Files older than PyTorch 1.6 have any
 * distinct numbers as indices, in `state` and in `params`; those of `params` are in the parameters' order.
 */
export interface OfficialOptimizer {
  readonly state: Readonly<Record<number | string, { readonly momentum_buffer?: FileArray | null }>>;
  readonly param_groups: readonly Readonly<Record<string, unknown>>[];
}

/** Names begin so, since the model was wrapped for several GPUs. */
export const PREFIX = "module.";

/** What of a checkpoint is not as it must be. */
const wrong = (mustHold: string, got: string): FormatError =>
  new FormatError(
    `readOfficialCheckpoint: ${mustHold}, got ${got}. Pass a checkpoint of MoCo's main_moco.py, or read others with io.readTorch.`,
  );

/**
 * Reads a checkpoint of the authors' code. It is checked to be one; whether it fits a model shows when it is loaded.
 *
 * @param file all bytes of a `.pth.tar`, zip or legacy
 * @throws FormatError if the file is damaged, wants something run, has another layout, or another optimizer than SGD
 * @see io.readTorch; main_moco.py, save_checkpoint
 *
 * @example
 * const checkpoint = readOfficialCheckpoint(await file.arrayBuffer());
 * loadOfficialCheckpoint(checkpoint, { model, optimizer });
 */
export function readOfficialCheckpoint(file: Uint8Array | ArrayBuffer): OfficialCheckpoint {
  const root = readTorch(file);
  if (!isTorchObject(root)) throw wrong("a checkpoint must be a dict with state_dict", shown(root));
  const { epoch = null, arch = null, state_dict: state, optimizer = null } = root;
  if (epoch !== null && !isCount(epoch)) throw wrong("epoch must be a count", shown(epoch));
  if (arch !== null && typeof arch !== "string") throw wrong("arch must be a string", shown(arch));
  return { epoch, arch, stateDict: stateDictOf(state), optimizer: optimizer === null ? null : optimizerOf(optimizer) };
}

/** Whether a value counts something. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function stateDictOf(state: TorchValue | undefined): Record<string, FileArray> {
  if (!isTorchObject(state)) throw wrong("state_dict must be a dict of tensors", shown(state));
  const entries = Object.entries(state).map(([name, value]): [string, FileArray] => {
    if (!isTorchTensor(value)) throw wrong(`${name} in state_dict must be a tensor`, shown(value));
    return [name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name, value];
  });
  const stateDict = Object.fromEntries(entries);
  if (Object.keys(stateDict).length < entries.length)
    throw wrong(`names must differ in more than ${PREFIX}`, "one with it and without");
  if (!entries.some(([name]) => name.startsWith("encoder_q.")))
    throw wrong("state_dict must have module.encoder_q.*", `${entries.length} other names`);
  return stateDict;
}

function optimizerOf(optimizer: TorchValue): OfficialOptimizer {
  const { state, param_groups: groups } = isTorchObject(optimizer) ? optimizer : {};
  // an empty dict is an object, one with numbers as keys a Map
  const slots = state instanceof Map ? [...(state as ReadonlyMap<unknown, TorchValue>)] : null;
  const isEmpty = isTorchObject(state) && Object.keys(state).length === 0;
  if (!(slots ?? isEmpty) || !Array.isArray(groups))
    throw wrong("optimizer must have state and param_groups", shown(optimizer));
  return {
    state: Object.fromEntries((slots ?? []).map(([index, slot]) => [indexOf(index), momentumOf(slot)])),
    param_groups: (groups as readonly TorchValue[]).map(groupOf),
  };
}

/** Old files have what Python's id() gives, a 64-bit address. */
const isIndex = (value: unknown): value is number | bigint =>
  isCount(value) || (typeof value === "bigint" && value >= 0n);

function indexOf(index: unknown): string {
  if (isIndex(index)) return String(index);
  throw wrong("optimizer.state must have indices of parameters", shown(index));
}

/** Without momentum, PyTorch saves None for it: a slot that lacks the name is another optimizer's. */
function momentumOf(slot: TorchValue): { momentum_buffer: FileArray | null } {
  const { momentum_buffer: momentum } = isTorchObject(slot) ? slot : {};
  if (momentum === null || isTorchTensor(momentum)) return { momentum_buffer: momentum };
  throw wrong("optimizer.state must be SGD's, with a tensor or None as momentum_buffer", shown(slot));
}

function groupOf(group: TorchValue): Readonly<Record<string, unknown>> {
  const params = isTorchObject(group) ? group["params"] : null;
  if (!isTorchObject(group) || !Array.isArray(params) || !params.every(isIndex))
    throw wrong(
      "optimizer.param_groups must be dicts, each with indices as params",
      shown(isTorchObject(group) ? params : group),
    );
  for (const name of ["lr", "momentum", "weight_decay"]) {
    if (!Number.isFinite(group[name]))
      throw wrong(
        `optimizer.param_groups must be SGD's, each with a finite number as ${name}`,
        shown(Object.hasOwn(group, name) ? group[name] : group),
      );
  }
  return group;
}
