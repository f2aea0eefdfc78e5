/** Checkpoints for PyTorch: the zip form, which torch.load reads, also with `weights_only=True`. */

import { DTypeError, ValueError } from "../../errors";
import { describe, isPromise } from "../../options";
import { elementByteLength, type FileArray, type FileData, toBytes } from "../fileArray";
import { STORAGES } from "./globals";
import { Pickler, type Placed } from "./pickle";
import { isTorchTensor, MAX_DEPTH, type TorchKey, type TorchValue } from "./values";
import { writeZip } from "./writeZip";

/**
 * Writes a checkpoint for PyTorch, as torch.save does: a zip file in which each storage is aligned to 64 bytes.
 *
 * Whole numbers become Python's int, others float; arrays become lists, objects and Maps dicts. Tensors whose `data` overlap in
 * memory share it in PyTorch, too. It holds only names that `weights_only=True` allows.
 *
 * @param value tensors (`{ shape, dtype, data }`), numbers, strings, arrays, objects, Maps, see TorchValue
 * @returns the file, less than 4 GiB
 * @throws DTypeError if a tensor's dtype is one that PyTorch 1.13 lacks (u16, u32, u64), or its data contradicts it; for values that no
 *   checkpoint holds: functions, undefined, tensors on a device
 * @throws ShapeError if a tensor has other values than its shape says
 * @throws ValueError if values are nested deeper than 256 or in themselves, a text is no valid Unicode, or the file too large
 * @see torch.save, torch.load
 *
 * @example
 * const bytes = writeTorch({ epoch: 3, state_dict: await readState(model.stateDict()) });
 */
export function writeTorch(value: TorchValue): Uint8Array {
  const tensors = new Map<FileArray, string>();
  collect(value, "value", tensors, 1);
  const { placed, storages } = storagesOf(tensors);
  const pickle = new Pickler(placed).pickle(value);
  return writeZip([
    { name: "archive/data.pkl", bytes: pickle },
    ...storages.map((bytes, key) => ({ name: `archive/data/${key}`, bytes })),
    { name: "archive/version", bytes: new TextEncoder().encode("3\n") },
  ]);
}

// ---- checking ----

/** Checks all values and finds the tensors, with where they are. */
function collect(value: TorchValue | undefined, path: string, tensors: Map<FileArray, string>, level: number): void {
  if (value === null || typeof value === "boolean" || typeof value === "number") return;
  if (typeof value === "string" || typeof value === "bigint") {
    checkKey(value, path);
    return;
  }
  if (isTorchTensor(value)) {
    if (!tensors.has(value)) tensors.set(value, path);
    return;
  }
  if (level > MAX_DEPTH) {
    throw new ValueError(
      `writeTorch: values must be nested at most ${MAX_DEPTH} deep, got more, or one that contains itself, at ${path.slice(0, 100)}. Write a flatter object.`,
    );
  }
  for (const [key, item] of itemsOf(value, path)) {
    checkKey(key, path);
    collect(item, `${path}.${String(key)}`, tensors, level + 1);
  }
}

/** Items of a container by key; places in an array are keys too. */
function itemsOf(value: TorchValue | undefined, path: string): Iterable<readonly [TorchKey, TorchValue]> {
  if (Array.isArray(value)) return (value as readonly TorchValue[]).entries();
  if (value instanceof Map) return value as ReadonlyMap<TorchKey, TorchValue>;
  const prototype: unknown = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (typeof value === "object" && (prototype === Object.prototype || prototype === null))
    return Object.entries(value!);
  throw new DTypeError(
    `writeTorch: a checkpoint holds { shape, dtype, data }, numbers, strings, booleans, null, arrays, objects and Maps, got ${describe(value)} at ${path}. ` +
      (isPromise(value)
        ? "Write await in front of it."
        : "Bring tensors to the host with readState, leave out the rest."),
  );
}

function checkKey(key: TorchKey, path: string): void {
  if (typeof key === "string") checkText(key, path);
  if (typeof key === "bigint") checkInteger(key, path);
}

function checkText(text: string, path: string): void {
  if (!/\p{Surrogate}/u.test(text)) return;
  throw new ValueError(
    `writeTorch: strings must be valid Unicode, got ${JSON.stringify(text)} at ${path}. Convert it first.`,
  );
}

/** Longest integer that a byte tells the length of. */
function checkInteger(value: bigint, path: string): void {
  if (BigInt.asIntN(8 * 255, value) === value) return;
  throw new ValueError(`writeTorch: integers must fit 255 bytes, got a longer one at ${path}. Write it as a string.`);
}

// ---- storages ----

/** A tensor's bytes in memory. */
interface Span {
  readonly array: FileArray;
  readonly dtype: string;
  readonly memory: ArrayBufferLike;
  readonly begin: number;
  readonly end: number;
}

/** Puts tensors into storages: those of one dtype whose bytes overlap into one, which is what PyTorch does with views. */
function storagesOf(tensors: ReadonlyMap<FileArray, string>): {
  placed: Map<FileArray, Placed>;
  storages: Uint8Array[];
} {
  const placed = new Map<FileArray, Placed>();
  const storages: Uint8Array[] = [];
  for (const spans of overlapping(spansOf(tensors))) {
    const { memory, begin, dtype } = spans[0]!;
    const end = spans.reduce((last, span) => Math.max(last, span.end), begin);
    const elementBytes = elementByteLength(dtype as FileArray["dtype"]);
    for (const span of spans) {
      placed.set(span.array, {
        storage: storages.length,
        storageCount: (end - begin) / elementBytes,
        offset: (span.begin - begin) / elementBytes,
      });
    }
    storages.push(new Uint8Array(memory, begin, end - begin));
  }
  return { placed, storages };
}

/** Spans of each storage, in the order in which the tensors were met. */
function overlapping(spans: readonly Span[]): Span[][] {
  const groups: Span[][] = [];
  const groupOf = new Map<Span, Span[]>();
  for (const alike of groupedBy(spans).values()) {
    let end = -1;
    for (const span of alike.sort((a, b) => a.begin - b.begin || b.end - a.end)) {
      if (span.begin >= end) groups.push([]);
      end = Math.max(end, span.end);
      groups.at(-1)!.push(span);
      groupOf.set(span, groups.at(-1)!);
    }
  }
  return [...new Set(spans.map((span) => groupOf.get(span)!))];
}

/** Spans by memory and dtype. */
function groupedBy(spans: readonly Span[]): Map<unknown, Span[]> {
  const keys = new Map<ArrayBufferLike, Map<string, object>>();
  const groups = new Map<unknown, Span[]>();
  for (const span of spans) {
    const byDtype = keys.get(span.memory) ?? new Map<string, object>();
    const key = byDtype.get(span.dtype) ?? {};
    keys.set(span.memory, byDtype.set(span.dtype, key));
    groups.set(key, [...(groups.get(key) ?? []), span]);
  }
  return groups;
}

function spansOf(tensors: ReadonlyMap<FileArray, string>): Span[] {
  const bytesOf = new Map<FileData, Uint8Array>(); // f16 given as values become bits, once
  return [...tensors].map(([array, path]) => {
    const { dtype, data } = array;
    const bytes = bytesOf.get(data) ?? toBytes(`writeTorch: the tensor at ${path}`, array);
    bytesOf.set(data, bytes);
    if (![...STORAGES.values()].includes(dtype)) {
      throw new DTypeError(
        `writeTorch: tensors must be of a dtype that PyTorch 1.13 has, got ${dtype} at ${path}. Convert it to i64 or f32.`,
      );
    }
    return { array, dtype, memory: bytes.buffer, begin: bytes.byteOffset, end: bytes.byteOffset + bytes.length };
  });
}
