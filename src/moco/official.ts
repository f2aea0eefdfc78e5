/**
 * Checkpoints in the layout of the authors' PyTorch code, `checkpoint_0199.pth.tar`: `{ epoch, arch, state_dict, optimizer }`, where names
 * begin with `module.`, since the model was wrapped for several GPUs, and the optimizer has the parameters of both encoders but momentum
 * for the query's only. It holds the state between two steps: SGD applied, the key encoder's moving average not yet.
 */

import { StateDictError, ValueError } from "../errors";
import { type FileArray, type TorchValue, writeTorch } from "../io";
import { type IncompatibleKeys, type Module, readState } from "../nn";
import { type Optimizer, SGD } from "../optim";
import { checkOptionNames, describe } from "../options";
import type { Parameter } from "../parameter";
import type { MoCo } from "./moco";
import { isCount, type OfficialCheckpoint, type OfficialOptimizer, PREFIX } from "./officialFile";

/** What is trained together. */
export interface Trained {
  readonly model: MoCo;
  /** SGD over the query encoder's parameters, or those of both encoders, in one group. */
  readonly optimizer: Optimizer;
}

/** Fields that PyTorch 1.13's SGD keeps beside those of ours. */
const MORE_FIELDS = { foreach: null, differentiable: false };

// ---- loading ----

/**
 * Loads a checkpoint into a model and its optimizer, so that training goes on as PyTorch's would: everything, or nothing.
 *
 * @param trained.optimizer over `model.parameters()`, as in the authors' code, or over `model.encoderQ.parameters()`
 * @throws StateDictError if names, shapes, dtypes or groups do not fit, there is no optimizer in the file, or a count is none;
 *   ValueError if the optimizer is another than SGD, or an option of it is outside its range. Nothing is written then
 *
 * @example
 * loadOfficialCheckpoint(readOfficialCheckpoint(bytes), { model, optimizer });
 */
export function loadOfficialCheckpoint({ stateDict, optimizer: saved }: OfficialCheckpoint, trained: Trained): void {
  checkOptionNames("loadOfficialCheckpoint", trained, ["model", "optimizer"]);
  const { model } = trained;
  if (!saved)
    refuse("the file must have the optimizer's state", "none", "Load it with model.loadStateDict(stateDict).");
  const { sgd, queryCount, isWhole } = layoutOf("loadOfficialCheckpoint", trained);
  const dict = forOptimizer(saved, queryCount, isWhole);
  sgd.checkStateDict(dict);
  model.loadStateDict(stateDict); // checks all before it writes, counts too
  sgd.loadStateDict(dict);
}

function refuse(mustHold: string, got: string, way: string): never {
  throw new StateDictError(`loadOfficialCheckpoint: ${mustHold}, got ${got}. ${way}`);
}

/** Whether an optimizer, which must be SGD, has the parameters of both encoders, and how many the query encoder has. */
function layoutOf(op: string, { model, optimizer }: Trained): { sgd: SGD; queryCount: number; isWhole: boolean } {
  if (!(optimizer instanceof SGD)) {
    throw new ValueError(
      `${op}: the optimizer must be SGD, as the authors' code has, got ${describe(optimizer)}. Use writeCheckpoint and readCheckpoint for others.`,
    );
  }
  const query = model.encoderQ.parameters();
  const params = optimizer.paramGroups.length === 1 ? optimizer.paramGroups[0]!.params : [];
  const isSame = (wanted: readonly Parameter[]): boolean =>
    params.length === wanted.length && wanted.every((parameter, index) => parameter === params[index]);
  const isWhole = isSame([...query, ...model.encoderK.parameters()]);
  if (isWhole || isSame(query)) return { sgd: optimizer, queryCount: query.length, isWhole };
  throw new ValueError(
    `${op}: the optimizer must have one group of model.parameters() or model.encoderQ.parameters(), got ${optimizer.paramGroups.length} ` +
      `groups of ${optimizer.paramGroups.map((group) => group.params.length).join(", ")}. Make it so: new SGD(model.parameters(), ...).`,
  );
}

/** The saved state for an optimizer of both encoders, or of the query encoder alone: indices become places in the group. */
function forOptimizer(
  { state, param_groups: groups }: OfficialOptimizer,
  queryCount: number,
  isWhole: boolean,
): OfficialOptimizer {
  const places = placesOf(groups, queryCount);
  const slots = Object.entries(state).map(([index, slot]) => {
    const place = places.get(index);
    if (place === undefined)
      refuse("the file's optimizer must have state of its group's parameters", `some of ${index}`, DAMAGED);
    if (place >= queryCount)
      refuse("the key encoder must have no momentum", `some at place ${place}`, "The file is of another algorithm.");
    return [place, slot] as const;
  });
  const params = Array.from({ length: isWhole ? 2 * queryCount : queryCount }, (_, place) => place);
  return { state: Object.fromEntries(slots), param_groups: [{ ...groups[0], params }] };
}

const DAMAGED = "The file is damaged: save it again in PyTorch.";

/** Where in its group each index is. PyTorch goes by this order too, whatever the numbers are. */
function placesOf(groups: OfficialOptimizer["param_groups"], queryCount: number): ReadonlyMap<string, number> {
  const way = "Build the model as it was saved.";
  if (groups.length !== 1) refuse("the file's optimizer must have one group", `${groups.length}`, way);
  const params = (groups[0]!["params"] ?? []) as readonly unknown[];
  if (params.length !== 2 * queryCount)
    refuse(`the file's optimizer must have ${2 * queryCount} parameters`, `${params.length}`, way);
  const indices = params.map(String);
  const twice = indices.find((index, place) => indices.indexOf(index) !== place);
  if (twice !== undefined) refuse("the file's optimizer must have each parameter once", `${twice} again`, DAMAGED);
  return new Map(indices.map((index, place) => [index, place]));
}

/**
 * Loads the query encoder alone, without its head, for linear evaluation: `encoder.fc` stays as it is.
 *
 * @param encoder a model of the same names, such as `resnet50({ numClasses: 10 })`
 * @returns the names of the head, which stayed
 * @throws StateDictError if another name, a shape or a dtype does not fit, or a count is none; nothing is written then
 * @see main_lincls.py
 *
 * @example
 * const encoder = resnet50({ numClasses: 1000 });
 * loadBackbone(encoder, readOfficialCheckpoint(bytes));
 */
export function loadBackbone(encoder: Module, { stateDict }: OfficialCheckpoint): IncompatibleKeys {
  const isHead = (name: string): boolean => name.startsWith("fc.");
  const start = "encoder_q.";
  const body = Object.entries(stateDict)
    .filter(([name]) => name.startsWith(start) && !isHead(name.slice(start.length)))
    .map(([name, value]): [string, FileArray] => [name.slice(start.length), value]);
  const state = Object.fromEntries(body);
  const wanted = Object.keys(encoder.stateDict()).filter((name) => !isHead(name));
  const missing = wanted.filter((name) => !Object.hasOwn(state, name));
  const unexpected = Object.keys(state).filter((name) => !wanted.includes(name));
  if (missing.length + unexpected.length > 0) {
    throw new StateDictError(
      `loadBackbone: the encoder must have the names of encoder_q but for fc, got missing: ${missing.join(", ") || "none"}; ` +
        `unexpected: ${unexpected.join(", ") || "none"}. Build the encoder as it was trained.`,
    );
  }
  return encoder.loadStateDict(state, { strict: false });
}

// ---- writing ----

/** What a checkpoint says beside its state. */
export interface Progress {
  /** Epochs that were trained. */
  readonly epoch: number;
  /** Name of the encoder, as torchvision has it: `"resnet18"`. */
  readonly arch: string;
}

/**
 * Writes a model and its optimizer as the authors' code does, all values of one moment: PyTorch goes on from there.
 *
 * @param trained.optimizer over `model.parameters()` or `model.encoderQ.parameters()`; the file has both encoders' anyway
 * @returns a `.pth.tar` file
 * @throws ValueError if the optimizer has other parameters, or momentum in the classical form, which PyTorch lacks, or `epoch` is no count
 * @see io.writeTorch; main_moco.py, save_checkpoint
 *
 * @example
 * const bytes = await writeOfficialCheckpoint({ model, optimizer, epoch: 200, arch: "resnet18" });
 */
export async function writeOfficialCheckpoint({ epoch, arch, ...trained }: Trained & Progress): Promise<Uint8Array> {
  const op = "writeOfficialCheckpoint";
  checkOptionNames(op, trained, ["model", "optimizer"]);
  if (!isCount(epoch)) throw new ValueError(`${op}: epoch must be a count, got ${String(epoch)}. Pass epochs trained.`);
  const { model } = trained;
  const { sgd, queryCount } = layoutOf(op, trained);
  const { state, param_groups: groups } = sgd.stateDict();
  const { classical, ...options } = groups[0]!;
  if (classical === true)
    throw new ValueError(`${op}: momentum must be PyTorch's, got classical. Train with classical: false.`);

  const momenta = Object.entries(state).map(([index, { momentum_buffer: momentum }]) => [
    `momentum.${index}`,
    momentum,
  ]);
  const tensors = Object.entries(model.stateDict()).map(([name, tensor]) => [PREFIX + name, tensor]);
  const values = await readState(Object.fromEntries([...momenta, ...tensors]) as ReturnType<MoCo["stateDict"]>);
  const inFile = (name: string): FileArray => withLongs(values[name]!);

  const params = Array.from({ length: 2 * queryCount }, (_, index) => index);
  return writeTorch({
    epoch,
    arch,
    state_dict: Object.fromEntries(tensors.map(([name]) => [name as string, inFile(name as string)])),
    optimizer: {
      state: new Map(
        Object.keys(state).map((index) => [Number(index), { momentum_buffer: inFile(`momentum.${index}`) }]),
      ),
      param_groups: [{ ...(options as Record<string, TorchValue>), ...MORE_FIELDS, params }],
    },
  });
}

/** Counters are int64 in PyTorch. */
function withLongs({ shape, dtype, data }: FileArray): FileArray {
  return dtype === "i32"
    ? { shape, dtype: "i64", data: BigInt64Array.from(data as Int32Array, BigInt) }
    : { shape, dtype, data };
}
