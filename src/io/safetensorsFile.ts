/**
 * A safetensors file that is read piece by piece: an array, or some rows of one, when they are asked for. Takes a Blob, which is what
 * an input element and the browser's own file system give, or anything that reads bytes from a place to another.
 */

import { DTypeError, IndexError, ShapeError, ValueError } from "../errors";
import { describe as shown, isPromise } from "../options";
import { describe, type FileArray, type FileDType, fromBytes } from "./fileArray";
import { type Layout, layoutOf, LENGTH_BYTES, type TensorPlace, valuesStart } from "./safetensorsLayout";

/** A file that is no Blob: one that Node has opened, or that the browser's own file system has opened for a worker. */
export interface ReadableBytes {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `begin` up to `end`, in an array of their own. It may be called again before it has answered. */
  read(begin: number, end: number): Promise<Uint8Array>;
}

/** What is known of an array without reading it. */
export interface TensorEntry {
  readonly shape: readonly number[];
  readonly dtype: FileDType;
}

/** An open file. Nothing of it is held but its header, and nothing has to be closed. Made by `openSafetensors`. */
export class SafetensorsFile {
  /** Arrays by name, in the order of their bytes. */
  readonly tensors: Readonly<Record<string, TensorEntry>>;
  /** Free text by key; empty if the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
  private readonly places: ReadonlyMap<string, TensorPlace>;

  /** @internal */
  constructor(
    private readonly file: Blob | ReadableBytes,
    { places, metadata }: Layout,
  ) {
    this.places = places;
    this.metadata = metadata;
    this.tensors = Object.fromEntries([...places].map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  }

  /**
   * An array.
   *
   * @throws ValueError if the file has none of that name or can no longer be read; FormatError if a `bool` is neither 0 nor 1
   * @see safetensors.safe_open: get_tensor
   *
   * @example
   * const { data } = await file.read("labels");
   */
  async read(name: string): Promise<FileArray> {
    const place = this.placeOf("read", name);
    const bytes = await bytesBetween("read", this.file, place.begin, place.end);
    return arrayOf(labelOf("read", name), place, { shape: place.shape, bytes });
  }

  /**
   * Some rows of an array along its first dimension, in the order of the row numbers. One may come twice. Rows that lie side by side
   * are read in one go.
   *
   * @shape `[m, ...]` -> `[rows.length, ...]`
   * @throws as `read`; ShapeError for a scalar, IndexError for a row that is not there
   * @see safetensors.safe_open: get_slice
   *
   * @example
   * const { data } = await file.readRows("images", [12, 7, 7]);
   */
  async readRows(name: string, rows: ArrayLike<number>): Promise<FileArray> {
    const place = this.placeOf("readRows", name);
    const { begin, end, shape, dtype } = place;
    const label = labelOf("readRows", name);
    const [count] = shape;
    if (count === undefined) throw new ShapeError(`${label} must have rows, got ${describe(dtype, shape)}. Use read.`);
    const wanted = Array.from(rows);
    const wrong = wanted.find((row) => !(Number.isInteger(row) && row >= 0 && row < count));
    if (wrong !== undefined)
      throw new IndexError(
        `${label} must be asked for rows in 0..${count - 1}, got ${shown(wrong)}. Check the row numbers.`,
      );
    const rowLength = count === 0 ? 0 : (end - begin) / count;
    const bytes = room("readRows", wanted.length * rowLength);
    const runs = runsOf(wanted, rowLength);
    const work = async (): Promise<void> => {
      for (let run = runs.shift(); run; run = runs.shift()) {
        const start = begin + run.first * rowLength;
        const found = await bytesBetween("readRows", this.file, start, begin + (run.last + 1) * rowLength);
        for (const { row, place } of run.places) {
          const at = (row - run.first) * rowLength;
          bytes.set(found.subarray(at, at + rowLength), place * rowLength);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return arrayOf(label, place, { shape: [wanted.length, ...shape.slice(1)], bytes });
  }

  private placeOf(op: string, name: string): TensorPlace {
    const place = this.places.get(name);
    if (place) return place;
    const names = [...this.places.keys()].join(", ") || "none";
    throw new ValueError(`${labelOf(op, name)} must be one of the file's, got one that is not. It has ${names}.`);
  }
}

/** Reads under way: each takes a file descriptor or a pipe of the system. */
const AT_ONCE = 16;

/** Holes that are read along, and the most that is read in one go, in bytes. */
const HOLE_BYTE_LENGTH = 2 ** 15;
const RUN_BYTE_LENGTH = 2 ** 23;

/**
 * Opens a safetensors file, to read it piece by piece.
 *
 * @param file from an input element, or `await handle.getFile()` of the browser's own file system; in Node `await openAsBlob(path)`, of less
 *   than 2 GiB, as Node counts a Blob's bytes in 32 bits, or anything that reads: see the example
 * @throws FormatError if the file is malformed, as `readSafetensors`; DTypeError if it is no file; ValueError if it cannot be read
 * @see safetensors.safe_open
 *
 * @example
 * const file = await openSafetensors(input.files[0]);
 * file.tensors["images"]?.shape; // [1281167, 3, 64, 64]
 * const { data } = await file.readRows("images", [12, 7]);
 *
 * @example
 * const handle = await open("images.safetensors"); // node:fs/promises
 * const { size } = await handle.stat();
 * const read = async (begin: number, end: number) =>
 *   (await handle.read({ buffer: new Uint8Array(end - begin), position: begin })).buffer;
 * const large = await openSafetensors({ size, read });
 */
export async function openSafetensors(file: Blob | ReadableBytes): Promise<SafetensorsFile> {
  return new SafetensorsFile(file, await layoutIn("openSafetensors", file));
}

/** The header of a file, read. */
async function layoutIn(op: string, file: Blob | ReadableBytes): Promise<Layout> {
  const given = Object(file) as Partial<ReadableBytes>; // callers without types may pass anything
  if (!(file instanceof Blob) && !(typeof given.read === "function" && Number.isSafeInteger(given.size))) {
    throw new DTypeError(
      `${op}: a file must be a Blob or have size and read(begin, end), got ${shown(file)}. ` +
        (isPromise(file) ? "Write await in front of it." : "Take handle.getFile(), or new Blob([bytes])."),
    );
  }
  const valuesAt = valuesStart(op, await bytesBetween(op, file, 0, Math.min(LENGTH_BYTES, file.size)), file.size);
  return layoutOf(op, await bytesBetween(op, file, LENGTH_BYTES, valuesAt), file.size);
}

/** Some bytes of a file. */
async function bytesBetween(op: string, file: Blob | ReadableBytes, begin: number, end: number): Promise<Uint8Array> {
  const unreadable = (got: string, cause?: unknown): ValueError =>
    new ValueError(
      `${op}: bytes ${begin} to ${end} of the file must be readable, got ${got}. Open the file again, or read fewer at once: readRows.`,
      { cause },
    );
  try {
    const found = await (file instanceof Blob ? file.slice(begin, end).arrayBuffer() : file.read(begin, end));
    const bytes = found instanceof ArrayBuffer ? new Uint8Array(found) : found;
    const isWhole: boolean = bytes instanceof Uint8Array && bytes.length === end - begin; // whatever a reader gives
    if (!isWhole) throw unreadable(bytes instanceof Uint8Array ? `${bytes.length} of them` : shown(bytes));
    return bytes;
  } catch (cause) {
    throw cause instanceof ValueError ? cause : unreadable(String(cause), cause); // it was changed, or is gone
  }
}

/** Memory for what is read. */
function room(op: string, byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch (cause) {
    throw new ValueError(`${op}: what is read must fit in memory, got ${byteLength} bytes. Read fewer rows at once.`, {
      cause,
    });
  }
}

/** @param bytes of the values, which nobody else has */
function arrayOf(
  label: string,
  { dtype }: TensorPlace,
  { shape, bytes }: { shape: readonly number[]; bytes: Uint8Array },
): FileArray {
  return { shape, dtype, data: dtype === "u8" ? bytes : fromBytes(label, dtype, bytes) };
}

/** Rows from `first` to `last`, and where those of them that are wanted go. */
interface Run {
  readonly first: number;
  last: number;
  readonly places: { readonly row: number; readonly place: number }[];
}

/** Rows that are the same, or lie near each other, together. */
function runsOf(rows: readonly number[], rowLength: number): Run[] {
  const runs: Run[] = [];
  const ordered = rows.map((row, place) => ({ row, place })).sort((a, b) => a.row - b.row);
  for (const each of ordered) {
    const run = runs.at(-1);
    const hole = run ? (each.row - run.last - 1) * rowLength : 0; // below 0 for a row that comes again
    if (run && hole <= HOLE_BYTE_LENGTH && (each.row + 1 - run.first) * rowLength <= RUN_BYTE_LENGTH) {
      run.last = each.row;
      run.places.push(each);
    } else runs.push({ first: each.row, last: each.row, places: [each] });
  }
  return runs;
}

const labelOf = (op: string, name: string): string => `${op}: tensor ${JSON.stringify(name)}`;
