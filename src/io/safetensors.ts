/**
 * safetensors files: named arrays and string metadata, no code, no compression.
 *
 * A file is the byte length of the header as a little-endian u64, the header (JSON: name -> dtype, shape and byte
 * range), and the values, which the ranges tile without holes or overlaps. The reader takes nothing else: every
 * malformed file is a FormatError, found before any value is read.
 */

import { DTypeError, FormatError, ValueError } from "../errors";
import { describe as shown, isPromise } from "../options";
import { bytesOf, countOf, describe, elementByteLength, fromBytes, toBytes } from "./fileArray";
import type { FileArray, FileDType } from "./fileArray";
import { HeaderReader } from "./safetensorsHeader";
import type { TensorInfo } from "./safetensorsHeader";

/** What a safetensors file holds. */
export interface Safetensors {
  /** Arrays by name. */
  readonly tensors: Record<string, FileArray>;
  /** Free text by key; empty if the file has none. */
  readonly metadata: Record<string, string>;
}

/** The format's names, in its order of alignment: the writer puts the last ones first. */
const DTYPES: Readonly<Record<string, FileDType>> = {
  BOOL: "bool",
  U8: "u8",
  I8: "i8",
  I16: "i16",
  U16: "u16",
  F16: "f16",
  BF16: "bf16",
  I32: "i32",
  U32: "u32",
  F32: "f32",
  F64: "f64",
  I64: "i64",
  U64: "u64",
};
const DTYPE_NAMES = Object.keys(DTYPES);

/** The limit of the reference implementation, so that nobody's file is refused elsewhere. */
const MAX_HEADER_BYTE_LENGTH = 100_000_000;

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
  const parts = Object.entries(tensors).map(([name, array]) => ({
    name,
    shape: array.shape,
    rank: DTYPE_NAMES.findIndex((key) => DTYPES[key] === array.dtype),
    bytes: toBytes(`writeSafetensors: tensor ${JSON.stringify(name)}`, array),
  }));
  parts.sort((a, b) => b.rank - a.rank || (a.name < b.name ? -1 : 1));

  const lines: string[] = [];
  if (Object.keys(metadata).length > 0) {
    const texts = Object.entries(metadata).map(([key, text]) => `${jsonString(key)}:${jsonString(text)}`);
    lines.push(`"__metadata__":{${texts.join(",")}}`);
  }
  let end = 0;
  for (const { name, shape, rank, bytes } of parts) {
    if (name === "__metadata__") {
      throw new ValueError(
        "writeSafetensors: a tensor must not be named __metadata__, got one. The format keeps it for the metadata: rename the tensor.",
      );
    }
    const info = { dtype: DTYPE_NAMES[rank], shape, data_offsets: [end, end + bytes.length] };
    lines.push(`${jsonString(name)}:${JSON.stringify(info)}`);
    end += bytes.length;
  }
  const json = new TextEncoder().encode(`{${lines.join(",")}}`);
  const headerByteLength = 8 * Math.ceil(json.length / 8);
  if (headerByteLength > MAX_HEADER_BYTE_LENGTH) {
    throw new ValueError(
      `writeSafetensors: names and metadata must take at most ${MAX_HEADER_BYTE_LENGTH} bytes, got ${json.length}. Shorten the metadata.`,
    );
  }
  const file = new Uint8Array(8 + headerByteLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerByteLength), true);
  file.set(json, 8);
  file.fill(" ".charCodeAt(0), 8 + json.length, 8 + headerByteLength); // values start aligned to 8 bytes
  let at = 8 + headerByteLength;
  for (const { bytes } of parts) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
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
  const bytes = bytesOf("readSafetensors", file);
  const { text, valuesAt } = headerText(bytes);
  const { tensors, metadata } = new HeaderReader(text).read();

  const infos = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let tiled = 0;
  for (const [name, info] of infos) {
    checkRange(name, info, tiled);
    tiled = info.end;
  }
  const found = bytes.length - valuesAt;
  if (tiled !== found) {
    throw new FormatError(
      `readSafetensors: the tensors must take all bytes after the header, got ${tiled} of ${found}. ` +
        "The file is truncated or damaged: write it again.",
    );
  }
  const entries = infos.map(([name, { dtype, shape, begin, end }]): [string, FileArray] => {
    const host = DTYPES[dtype]!;
    const values = bytes.subarray(valuesAt + begin, valuesAt + end);
    return [
      name,
      { shape, dtype: host, data: fromBytes(`readSafetensors: tensor ${JSON.stringify(name)}`, host, values) },
    ];
  });
  return { tensors: Object.fromEntries(entries), metadata: Object.fromEntries(metadata) };
}

/** Checks the length in front of the header; gives the header and where the values start. */
function headerText(bytes: Uint8Array): { text: string; valuesAt: number } {
  if (bytes.length < 8) {
    throw new FormatError(
      `readSafetensors: a file must start with 8 bytes of header length, got ${bytes.length} bytes. Pass a whole safetensors file.`,
    );
  }
  const byteLength = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (byteLength > MAX_HEADER_BYTE_LENGTH || byteLength > bytes.length - 8) {
    throw new FormatError(
      `readSafetensors: the header must lie in the file and be at most ${MAX_HEADER_BYTE_LENGTH} bytes long, got ${byteLength} ` +
        `bytes in a file of ${bytes.length}. The file is truncated or no safetensors file.`,
    );
  }
  const valuesAt = 8 + Number(byteLength);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, valuesAt));
    return { text, valuesAt };
  } catch (cause) {
    throw new FormatError(
      `readSafetensors: the header must be UTF-8, got other bytes (${String(cause)}). The file is damaged: write it again.`,
      { cause },
    );
  }
}

/** A tensor's bytes must start where the last one's ended, and be as many as its dtype and shape say. */
function checkRange(name: string, { dtype, shape, begin, end }: TensorInfo, tiled: number): void {
  const label = `readSafetensors: tensor ${JSON.stringify(name)}`;
  const host = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined;
  if (!host) {
    throw new FormatError(
      `${label} must be of dtype ${DTYPE_NAMES.join(", ")}, got ${JSON.stringify(dtype)}. Convert it before saving.`,
    );
  }
  if (begin !== tiled) {
    const what = begin < tiled ? "overlap" : "leave a hole";
    throw new FormatError(
      `${label} must start at byte ${tiled}, where the one before it ends, got data_offsets [${begin}, ${end}]. ` +
        `The byte ranges ${what}: write the file again.`,
    );
  }
  const count = countOf(shape);
  if (count === undefined || count * elementByteLength(host) !== end - begin) {
    const expected = count === undefined ? "fewer" : count * elementByteLength(host);
    throw new FormatError(
      `${label} of ${describe(dtype, shape)} must take ${expected} bytes, got data_offsets [${begin}, ${end}]. ` +
        "The file is damaged: write it again.",
    );
  }
}
