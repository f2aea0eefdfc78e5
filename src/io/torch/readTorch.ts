/**
 * Checkpoints of PyTorch: what torch.save wrote, read without running anything of it. Two forms: a zip file with a pickle and a file
 * for each storage (since PyTorch 1.6), and the legacy form, four pickles and the storages behind them.
 */

import { ValueError } from "../../errors";
import { checkOptionNames } from "../../options";
import { bytesOf, elementByteLength, type FileData, fromBytes } from "../fileArray";
import { storageOf } from "./globals";
import { malformed, quoted } from "./malformed";
import { PyDict, PyList, type PyStorage } from "./python";
import { isZip, readZip } from "./readZip";
import { unpickle } from "./unpickle";
import { convert, type TorchValue } from "./values";

/** Options of `readTorch`. */
export interface ReadTorchOptions {
  /**
   * Bytes that tensors may take beside their storages, where strides do not let them share the memory: a tensor that was
   * expanded can be much larger than its file. Default 64 MiB and four times the file.
   */
  readonly maxByteLength?: number;
}

/** Where a file keeps its pickle, and the bytes of its storages. */
interface Opened {
  readonly value: unknown;
  bytesOf(storage: PyStorage): Uint8Array;
}

/**
 * Reads a checkpoint of PyTorch, `.pt`, `.pth` or `.pth.tar`: state dicts and whatever else is tensors, numbers, strings, lists and
 * dicts. Nothing of it is run: a file that wants a function called, or a class made, is an error that names it.
 *
 * Python's integers beyond 2^53 are bigints. Tensors of `f16` and `bf16` have their raw bits, `i64` a BigInt64Array, `bool` 0 and 1, as
 * in safetensors files. Parameters are tensors, and tensors that shared memory share it.
 *
 * @param file all of its bytes
 * @param options see ReadTorchOptions
 * @returns what was given to torch.save, see TorchValue
 * @throws FormatError if the file is damaged, uses names other than those of state dicts, or holds complex, quantised or sparse tensors.
 *   The legacy form has no checksums: there, a damaged byte of a tensor is another number
 * @see torch.load, with weights_only=True
 *
 * @example
 * model.loadStateDict(readTorch(await file.arrayBuffer()) as Record<string, FileArray>);
 */
export function readTorch(file: Uint8Array | ArrayBuffer, options: ReadTorchOptions = {}): TorchValue {
  const bytes = bytesOf("readTorch", file);
  checkOptionNames("readTorch", options, ["maxByteLength"]);
  const { maxByteLength = 2 ** 26 + 4 * bytes.length } = options;
  if (!(maxByteLength >= 0)) {
    throw new ValueError(`readTorch: maxByteLength must be 0 or more, got ${maxByteLength}. Pass a count of bytes.`);
  }
  const opened = isZip(bytes) ? openZip(bytes) : openLegacy(bytes);
  const known = new Map<PyStorage, FileData>();
  const valuesOf = (storage: PyStorage): FileData => {
    let values = known.get(storage);
    if (!values) {
      const what = `readTorch: storage ${quoted(storage.key)}`;
      known.set(storage, (values = fromBytes(what, storage.dtype, opened.bytesOf(storage))));
    }
    return values;
  };
  return convert(opened.value, { valuesOf, bytesLeft: maxByteLength });
}

const byteLengthOf = ({ dtype, count }: PyStorage): number => count * elementByteLength(dtype);

/** Storages of a pickle by key; one key is one storage. */
class Storages {
  readonly byKey = new Map<string, PyStorage>();

  /** @param check of a storage that is met for the first time */
  constructor(private readonly check: (storage: PyStorage) => void) {}

  readonly load = (id: unknown): PyStorage => {
    const storage = storageOf(id);
    const known = this.byKey.get(storage.key);
    if (!known) {
      this.check(storage);
      this.byKey.set(storage.key, storage);
      return storage;
    }
    if (known.dtype !== storage.dtype || known.count !== storage.count)
      throw malformed(`storage ${quoted(storage.key)} must have one dtype and size`, "two");
    return known;
  };
}

// ---- the zip form ----

function openZip(file: Uint8Array): Opened {
  const entries = readZip(file);
  const folders = [...entries.keys()].flatMap((name) => /^([^/]+\/)data\.pkl$/.exec(name)?.[1] ?? []);
  const [folder] = folders;
  if (folder === undefined || folders.length > 1) {
    throw malformed(
      "a zip file must have one data.pkl, in a folder",
      `${folders.length}`,
      "Pass what torch.save wrote.",
    );
  }
  if (entries.has(`${folder}constants.pkl`)) {
    throw malformed(
      "a file must hold a checkpoint",
      "a program of torch.jit.save",
      "Save its state_dict() with torch.save.",
    );
  }
  checkByteOrder(entries.get(`${folder}byteorder`));
  const bytesOf = ({ key }: PyStorage): Uint8Array | undefined => entries.get(`${folder}data/${key}`);
  const storages = new Storages((storage) => {
    const found = bytesOf(storage)?.length;
    if (found !== byteLengthOf(storage)) {
      throw malformed(
        `storage ${quoted(storage.key)} must have ${byteLengthOf(storage)} bytes, as the pickle says`,
        found === undefined ? "none" : `${found}`,
      );
    }
  });
  const pickle = entries.get(`${folder}data.pkl`)!;
  const { value, end } = unpickle(pickle, 0, storages.load);
  if (end !== pickle.length) throw malformed("data.pkl must hold one pickle", `${pickle.length - end} bytes more`);
  return { value, bytesOf: (storage) => bytesOf(storage)! };
}

function checkByteOrder(order: Uint8Array | undefined): void {
  const text = order && String.fromCharCode(...order.subarray(0, 16));
  if (text === undefined || text === "little") return;
  throw malformed("a file must be little-endian", quoted(text), "Save it on a little-endian machine.");
}

// ---- the legacy form ----

/** The first pickle of every legacy file. */
const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

function openLegacy(file: Uint8Array): Opened {
  const noStorage = (): never => {
    throw malformed("the first pickles must have no tensors", "one");
  };
  const magic = file[0] === 0x80 ? unpickle(file, 0, noStorage) : { value: undefined, end: 0 };
  if (magic.value !== MAGIC_NUMBER) {
    throw malformed(
      "a file must begin as torch.save writes it",
      "other bytes",
      "Pass a .pt, .pth or .pth.tar file of PyTorch 0.4 or newer, not one in a .tar or .gz file.",
    );
  }
  const version = unpickle(file, magic.end, noStorage);
  if (version.value !== PROTOCOL_VERSION) throw malformed("the protocol version must be 1001", "another one");
  const system = unpickle(file, version.end, noStorage);
  checkSystem(system.value);

  const storages = new Storages(() => undefined); // their bytes come later
  const { value, end } = unpickle(file, system.end, storages.load);
  const keys = unpickle(file, end, noStorage);
  const bytes = legacyBytes(file, keys.end, keysOf(keys.value, storages.byKey));
  return { value, bytesOf: (storage) => bytes.get(storage)! };
}

function checkSystem(system: unknown): void {
  const items = system instanceof PyDict ? system.items : [];
  const order = items[items.indexOf("little_endian") + 1];
  if (items.includes("little_endian") && order === true) return;
  throw malformed("a file must be little-endian", "one that is not", "Save it on a little-endian machine.");
}

/** Storages in the order of the file, which must be those of the pickle. */
function keysOf(keys: unknown, byKey: ReadonlyMap<string, PyStorage>): PyStorage[] {
  const names = keys instanceof PyList ? keys.items : [];
  const storages = names.flatMap((name) => (typeof name === "string" ? (byKey.get(name) ?? []) : []));
  const isSame = keys instanceof PyList && names.length === byKey.size && new Set(storages).size === byKey.size;
  if (!isSame) throw malformed("the list of storages must name each storage of the pickle once", "another list");
  return storages;
}

/** Each storage is its number of elements in 8 bytes, then its bytes; then the file ends. */
function legacyBytes(file: Uint8Array, start: number, storages: readonly PyStorage[]): Map<PyStorage, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const bytes = new Map<PyStorage, Uint8Array>();
  let at = start;
  for (const storage of storages) {
    const end = at + 8 + byteLengthOf(storage);
    if (end > file.length || view.getBigUint64(at, true) !== BigInt(storage.count)) {
      throw malformed(
        `storage ${quoted(storage.key)} must have ${storage.count} elements, as the pickle says`,
        end > file.length ? "the end of the file" : "another count",
        "The file is truncated or damaged: copy it again.",
      );
    }
    bytes.set(storage, file.subarray(at + 8, end));
    at = end;
  }
  if (at !== file.length) throw malformed("the file must end with its last storage", `${file.length - at} bytes more`);
  return bytes;
}
