/**
 * safetensors files: named arrays and string metadata, no code, no compression.
 *
 * A file is the byte length of the header as a little-endian u64, the header (JSON: name -> dtype, shape and byte
 * range), and the values, which the ranges tile without holes or overlaps. The reader takes nothing else: every
 * malformed file is a FormatError, found before any value is read.
 */

import { DTypeError, ValueError } from "../errors";
import { describe as shown, isPromise } from "../options";
import { bytesOf, type FileArray, type FileDType, fromBytes, toBytes } from "./fileArray";
import { DTYPES, layoutOf, LENGTH_BYTES, MAX_HEADER_BYTE_LENGTH, valuesStart } from "./safetensorsLayout";

/** What a safetensors file holds. */
export interface Safetensors {
  /** Arrays by name. */
  readonly tensors: Record<string, FileArray>;
  /** Free text by key; empty if the file has none. */
  readonly metadata: Record<string, string>;
}

const DTYPE_NAMES = Object.keys(DTYPES);

/**
 * Writes arrays as a safetensors file: widest dtypes first, then by name, as the reference implementation does.
 *
 * @param tensors row-major arrays by name; `f16` and `bf16` as raw bits, `f16` also as a tensor's values
 * @param metadata free text by key, kept as `__metadata__`
 * @returns the file
 * @throws DTypeError, ShapeError if an array contradicts itself
 * @throws ValueError if a `bool` is neither 0 nor 1, a name is `__metadata__`, a text is no valid Unicode, or the header exceeds 100 MB
 * @see https://huggingface.co/docs/safetensors; in Python `safetensors.torch.load_file` reads it
 *
 * @example
 * writeSafetensors({ "fc.bias": { shape: [2], dtype: "f32", data: Float32Array.of(1, 2) } }, { epoch: "3" });
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, FileArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  for (const given of [tensors, metadata]) checkRecord(given);
  const parts = Object.entries(tensors).map(([name, array]) => {
    const bytes = toBytes(`writeSafetensors: tensor ${JSON.stringify(name)}`, array);
    return { name, shape: array.shape, dtype: array.dtype, bytes, byteLength: bytes.length };
  });
  parts.sort((a, b) => rankOf(b.dtype) - rankOf(a.dtype) || (a.name < b.name ? -1 : 1));
  const head = headOf(parts, metadata);
  const file = new Uint8Array(head.length + parts.reduce((total, { byteLength }) => total + byteLength, 0));
  file.set(head);
  let at = head.length;
  for (const { bytes } of parts) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

const rankOf = (dtype: FileDType): number => DTYPE_NAMES.findIndex((name) => DTYPES[name] === dtype);

/** An array that is to be written. */
export interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: FileDType;
  readonly byteLength: number;
}

/**
 * What a file has in front of the values of some arrays, which follow in the same order.
 *
 * @throws ValueError as `writeSafetensors`
 */
export function headOf(parts: readonly Part[], metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const lines: string[] = [];
  if (Object.keys(metadata).length > 0) {
    const texts = Object.entries(metadata).map(([key, text]) => `${jsonString(key)}:${jsonString(text)}`);
    lines.push(`"__metadata__":{${texts.join(",")}}`);
  }
  let end = 0;
  for (const { name, shape, dtype, byteLength } of parts) {
    if (name === "__metadata__") {
      throw new ValueError(
        "writeSafetensors: a tensor must not be named __metadata__, got one. The format keeps it for the metadata: rename the tensor.",
      );
    }
    const info = { dtype: DTYPE_NAMES[rankOf(dtype)], shape, data_offsets: [end, end + byteLength] };
    lines.push(`${jsonString(name)}:${JSON.stringify(info)}`);
    end += byteLength;
  }
  const json = new TextEncoder().encode(`{${lines.join(",")}}`);
  const headerByteLength = 8 * Math.ceil(json.length / 8); // values start aligned to 8 bytes
  if (headerByteLength > MAX_HEADER_BYTE_LENGTH) {
    throw new ValueError(
      `writeSafetensors: names and metadata must take at most ${MAX_HEADER_BYTE_LENGTH} bytes, got ${json.length}. Shorten the metadata.`,
    );
  }
  const head = new Uint8Array(LENGTH_BYTES + headerByteLength).fill(" ".charCodeAt(0));
  new DataView(head.buffer).setBigUint64(0, BigInt(headerByteLength), true);
  head.set(json, LENGTH_BYTES);
  return head;
}

/** Callers without types may forget an await, and would write a file of nothing. */
function checkRecord(given: unknown): void {
  if (typeof given === "object" && given !== null && !isPromise(given)) return;
  throw new DTypeError(
    `writeSafetensors: it takes arrays by name and texts by key, got ${shown(given)}. ` +
      "Pass what `await readState(...)` or `await packState(...)` gives.",
  );
}

/** A JSON string; text that no UTF-8 file can hold is an error rather than another text. */
function jsonString(text: string): string {
  if (typeof text !== "string" || /\p{Surrogate}/u.test(text)) {
    throw new ValueError(
      `writeSafetensors: names and metadata must be strings of valid Unicode, got ${JSON.stringify(text)}. Convert them first.`,
    );
  }
  return JSON.stringify(text);
}

/**
 * Reads a safetensors file.
 *
 * @param file all of its bytes
 * @returns its arrays (copies) in the order of their bytes, and its metadata
 * @throws FormatError if the file is malformed in any way: header longer than the file or than 100 MB, no JSON object,
 *   duplicate, missing or unknown keys, unknown dtype, sizes that are no integers from 0 up, byte ranges that overlap,
 *   leave holes or do not fit dtype and shape, bytes before or after, metadata that is not all strings
 * @see https://huggingface.co/docs/safetensors (the format)
 *
 * @example
 * const { tensors, metadata } = readSafetensors(await file.arrayBuffer());
 * tensors["fc.bias"]?.shape; // [2]
 */
export function readSafetensors(file: Uint8Array | ArrayBuffer): Safetensors {
  const op = "readSafetensors";
  const bytes = bytesOf(op, file);
  const valuesAt = valuesStart(op, bytes.subarray(0, LENGTH_BYTES), bytes.length);
  const { places, metadata } = layoutOf(op, bytes.subarray(LENGTH_BYTES, valuesAt), bytes.length);
  const entries = [...places].map(([name, { dtype, shape, begin, end }]): [string, FileArray] => {
    const data = fromBytes(`${op}: tensor ${JSON.stringify(name)}`, dtype, bytes.subarray(begin, end));
    return [name, { shape, dtype, data }];
  });
  return { tensors: Object.fromEntries(entries), metadata };
}
