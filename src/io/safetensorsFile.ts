/**
 * A safetensors file that is read piece by piece: an array, or some rows of one, when they are asked for. Takes a Blob, which is what
 * an input element gives, a file of the browser's own file system (`await handle.getFile()`) and Node's `openAsBlob(path)`.
 */

import { DTypeError, IndexError, ShapeError, ValueError } from "../errors";
import { describe as shown, isPromise } from "../options";
import { describe, type FileArray, type FileDType, fromBytes } from "./fileArray";
import { type Layout, layoutOf, LENGTH_BYTES, type TensorPlace, valuesStart } from "./safetensorsLayout";

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
    private readonly file: Blob,
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
    const { begin, end, shape, dtype } = this.placeOf(name);
    const bytes = await bytesBetween(this.file, begin, end);
    return { shape, dtype, data: fromBytes(labelOf(name), dtype, bytes) };
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
    const { begin, end, shape, dtype } = this.placeOf(name);
    const [count] = shape;
    if (count === undefined)
      throw new ShapeError(`${labelOf(name)} must have rows, got ${describe(dtype, shape)}. Use read.`);
    const wanted = Array.from(rows);
    const wrong = wanted.find((row) => !(Number.isInteger(row) && row >= 0 && row < count));
    if (wrong !== undefined)
      throw new IndexError(
        `${labelOf(name)} must be asked for rows in 0..${count - 1}, got ${shown(wrong)}. Check the row numbers.`,
      );
    const rowLength = count === 0 ? 0 : (end - begin) / count;
    const bytes = new Uint8Array(wanted.length * rowLength);
    await Promise.all(
      runsOf(wanted).map(async ({ first, last, places }) => {
        const found = await bytesBetween(this.file, begin + first * rowLength, begin + (last + 1) * rowLength);
        for (const { row, place } of places) {
          const at = (row - first) * rowLength;
          bytes.set(found.subarray(at, at + rowLength), place * rowLength);
        }
      }),
    );
    return { shape: [wanted.length, ...shape.slice(1)], dtype, data: fromBytes(labelOf(name), dtype, bytes) };
  }

  private placeOf(name: string): TensorPlace {
    const place = this.places.get(name);
    if (place) return place;
    const names = [...this.places.keys()].join(", ") || "none";
    throw new ValueError(`${labelOf(name)} must be one of the file's, got one that is not. It has ${names}.`);
  }
}

/**
 * Opens a safetensors file of any length, to read it piece by piece.
 *
 * @param file from an input element, `await handle.getFile()` of the browser's own file system, or Node's `await openAsBlob(path)`
 * @throws FormatError if the file is malformed, as `readSafetensors`; DTypeError if it is no Blob; ValueError if it cannot be read
 * @see safetensors.safe_open
 *
 * @example
 * const file = await openSafetensors(input.files[0]);
 * file.tensors["images"]?.shape; // [1281167, 3, 64, 64]
 * const { data } = await file.readRows("images", [12, 7]);
 */
export async function openSafetensors(file: Blob): Promise<SafetensorsFile> {
  return new SafetensorsFile(file, await layoutIn("openSafetensors", file));
}

/** The header of a file, read. */
async function layoutIn(op: string, file: Blob): Promise<Layout> {
  const isBlob: boolean = file instanceof Blob; // callers without types may pass anything
  if (!isBlob) {
    throw new DTypeError(
      `${op}: a file must be a Blob, got ${shown(file)}. ` +
        (isPromise(file)
          ? "Write await in front of it."
          : "Take handle.getFile(), openAsBlob(path), or new Blob([bytes])."),
    );
  }
  const valuesAt = valuesStart(op, await bytesBetween(file, 0, Math.min(LENGTH_BYTES, file.size)), file.size);
  return layoutOf(op, await bytesBetween(file, LENGTH_BYTES, valuesAt), file.size);
}

/** Some bytes of a file. */
async function bytesBetween(file: Blob, begin: number, end: number): Promise<Uint8Array> {
  const got = (what: string, cause?: unknown): ValueError =>
    new ValueError(
      `openSafetensors: bytes ${begin} to ${end} of the file must be readable, got ${what}. Open the file again.`,
      { cause },
    );
  const buffer = await file
    .slice(begin, end)
    .arrayBuffer()
    .catch((cause: unknown) => {
      throw got(String(cause), cause); // it was changed, or is gone
    });
  if (buffer.byteLength !== end - begin) throw got(`${buffer.byteLength} of them`);
  return new Uint8Array(buffer);
}

/** Rows from `first` to `last`, and where each goes. */
interface Run {
  first: number;
  last: number;
  readonly places: { readonly row: number; readonly place: number }[];
}

/** Rows that are the same, or lie side by side, together. */
function runsOf(rows: readonly number[]): Run[] {
  const runs: Run[] = [];
  const ordered = rows.map((row, place) => ({ row, place })).sort((a, b) => a.row - b.row);
  for (const each of ordered) {
    const run = runs.at(-1);
    if (run && each.row <= run.last + 1) {
      run.last = each.row;
      run.places.push(each);
    } else runs.push({ first: each.row, last: each.row, places: [each] });
  }
  return runs;
}

const labelOf = (name: string): string => `SafetensorsFile: tensor ${JSON.stringify(name)}`;
