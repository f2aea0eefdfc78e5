/**
 * The names that a pickle may use, and the plain data that each of them makes. All other names are errors: this table is
 * what stands between a checkpoint and Python's "call anything".
 */

import { FormatError } from "../../errors";
import { countOf, type FileDType } from "../fileArray";
import { describe } from "../../options";
import { malformed, quoted } from "./malformed";
import { PyDict, PyGlobal, PyStorage, PyTensor, PyTuple } from "./python";

/** PyTorch's classes of storages; quantised and complex ones have no dtype here. */
export const STORAGES: ReadonlyMap<string, FileDType> = new Map<string, FileDType>([
  ["torch.DoubleStorage", "f64"],
  ["torch.FloatStorage", "f32"],
  ["torch.HalfStorage", "f16"],
  ["torch.BFloat16Storage", "bf16"],
  ["torch.LongStorage", "i64"],
  ["torch.IntStorage", "i32"],
  ["torch.ShortStorage", "i16"],
  ["torch.CharStorage", "i8"],
  ["torch.ByteStorage", "u8"],
  ["torch.BoolStorage", "bool"],
]);

/** dtypes are values of their own in PyTorch; here they are these strings. */
const DTYPES: ReadonlySet<string> = new Set(
  [
    ...["float64", "float32", "float16", "bfloat16", "complex32", "complex64", "complex128"],
    ...["int64", "int32", "int16", "int8", "uint8", "bool"],
  ].map((name) => `torch.${name}`),
);

/** More dimensions than any tensor has. */
const MAX_RANK = 64;

type Make = (args: readonly unknown[]) => unknown;

const CALLS: ReadonlyMap<string, Make> = new Map<string, Make>([
  [
    "collections.OrderedDict",
    (args) => (args.length === 0 ? new PyDict(true) : wrongArguments("collections.OrderedDict", args)),
  ],
  ["torch.Size", (args) => (args.length === 1 && isSizes(args[0]) ? args[0] : wrongArguments("torch.Size", args))],
  ["torch.device", deviceName],
  ["torch._utils._rebuild_tensor", (args) => rebuildTensor("torch._utils._rebuild_tensor", args)],
  ["torch._utils._rebuild_tensor_v2", rebuildTensorV2],
  ["torch._utils._rebuild_parameter", rebuildParameter],
]);

/**
 * What calling a name with arguments gives.
 *
 * @throws FormatError if the name is not in the table, or the arguments are not what torch.save writes
 */
export function called(name: string, args: readonly unknown[]): unknown {
  const make = CALLS.get(name);
  if (make) return make(args);
  throw unknownGlobal(name);
}

/** A name as a value: dtypes only. */
export function valueOfGlobal({ name }: PyGlobal): string {
  if (DTYPES.has(name)) return name;
  throw unknownGlobal(name);
}

/** Whether an object may be given attributes. */
export const buildable = (target: unknown, state: unknown): boolean =>
  target instanceof PyDict && target.isOrdered && state instanceof PyDict;

function unknownGlobal(name: string): FormatError {
  const known = [...CALLS.keys(), "torch's dtypes and storages"].join(", ");
  return new FormatError(
    `readTorch: a checkpoint must use no names but ${known}, got ${JSON.stringify(name.slice(0, 100))}. ` +
      "Nothing was run. If you trust the file, load it in Python and save its tensors, numbers and strings only: " +
      'torch.save({"state_dict": model.state_dict()}, path).',
  );
}

const wrongArguments = (name: string, args: readonly unknown[]): never => {
  throw malformed(`${name} must have the arguments that torch.save writes`, shown(args));
};

function shownOne(arg: unknown): string {
  if (typeof arg === "string") return quoted(arg);
  if (arg instanceof PyTuple) return `a tuple of ${arg.items.length}`;
  if (arg instanceof PyDict) return "a dict";
  if (arg instanceof PyStorage) return "a storage";
  return arg instanceof PyTensor ? "a tensor" : describe(arg);
}

/** The first arguments of a call; a file may have any number of them. */
function shown(args: readonly unknown[], most = 8): string {
  const each = args.slice(0, most).map(shownOne);
  return `(${[...each, ...(args.length > most ? ["..."] : [])].join(", ")})`;
}

/** The storage of a persistent id: `("storage", torch.FloatStorage, "0", "cpu", 6)`, in legacy files with None at its end. */
export function storageOf(id: unknown): PyStorage {
  const parts = id instanceof PyTuple ? id.items : [];
  const [word, kind, key, location, count, view = null] = parts;
  const isStorage =
    (parts.length === 5 || parts.length === 6) &&
    word === "storage" &&
    kind instanceof PyGlobal &&
    typeof key === "string" &&
    typeof location === "string" &&
    isSize(count);
  if (!isStorage)
    throw malformed("a persistent id must be a storage's", parts.length > 0 ? shown(parts) : describe(id));
  if (view !== null)
    throw malformed("a storage must be no part of another", "a part", "Save it with PyTorch 0.4 or newer.");
  const dtype = STORAGES.get(kind.name);
  if (dtype) return new PyStorage(key, dtype, count);
  throw malformed(
    `storages must be ${[...STORAGES.keys()].join(", ")}`,
    JSON.stringify(kind.name.slice(0, 100)),
    "Convert the tensor to one of their dtypes before saving: tensor.float().",
  );
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isSizes = (value: unknown): value is PyTuple =>
  value instanceof PyTuple && value.items.length <= MAX_RANK && value.items.every(isSize);

/** `torch.device("cuda", 0)` is the string "cuda:0". */
function deviceName(args: readonly unknown[]): string {
  const [type, index] = args;
  if (typeof type !== "string" || args.length > 2) return wrongArguments("torch.device", args);
  if (index === undefined) return type;
  return isSize(index) ? `${type}:${index}` : wrongArguments("torch.device", args);
}

/** Arguments: storage, offset, sizes, strides, requiresGrad, hooks and, in newer files, metadata. */
function rebuildTensorV2(args: readonly unknown[]): PyTensor {
  const [requiresGrad, hooks, metadata = null] = args.slice(4);
  const isPlain = args.length >= 6 && args.length <= 7 && typeof requiresGrad === "boolean" && isEmptyDict(hooks);
  if (!isPlain) return wrongArguments("torch._utils._rebuild_tensor_v2", args);
  if (metadata !== null && !isEmptyDict(metadata)) {
    throw malformed(
      "a tensor must have no metadata",
      "some",
      "Save tensor.resolve_neg(), and no attributes of your own, instead.",
    );
  }
  return rebuildTensor("torch._utils._rebuild_tensor_v2", args.slice(0, 4));
}

const isEmptyDict = (value: unknown): boolean => value instanceof PyDict && value.items.length === 0;

/** A parameter is its tensor; whether it is trained is for the model to say. */
function rebuildParameter(args: readonly unknown[]): PyTensor {
  const [data, requiresGrad, hooks] = args;
  const isPlain =
    args.length <= 3 && data instanceof PyTensor && typeof requiresGrad === "boolean" && isEmptyDict(hooks);
  return isPlain ? data : wrongArguments("torch._utils._rebuild_parameter", args);
}

/** A view of a storage. The last element that it reaches must lie in there. */
function rebuildTensor(name: string, args: readonly unknown[]): PyTensor {
  const [storage, offset, sizes, strides] = args;
  const isTensor =
    args.length === 4 &&
    storage instanceof PyStorage &&
    isSize(offset) &&
    isSizes(sizes) &&
    isSizes(strides) &&
    sizes.items.length === strides.items.length;
  if (!isTensor) return wrongArguments(name, args);
  const shape = sizes.items as number[];
  const steps = strides.items as number[];
  const last = shape.reduce((sum, size, dim) => sum + (size - 1) * steps[dim]!, offset);
  const count = countOf(shape);
  const fits = count === 0 ? offset <= storage.count : Number.isSafeInteger(last) && last < storage.count;
  if (count === undefined || !fits) {
    throw malformed(
      `a tensor must lie in its storage of ${storage.count} elements`,
      `offset ${offset}, sizes [${shape.join(", ")}] and strides [${steps.join(", ")}]`,
    );
  }
  return new PyTensor(storage, offset, shape, steps);
}
