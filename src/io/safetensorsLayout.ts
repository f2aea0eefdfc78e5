/**
 * Where the arrays of a safetensors file lie. Takes the bytes of its header and the length of the file, and refuses every malformed
 * one: no value is read before.
 */

import { FormatError } from "../errors";
import { countOf, describe, elementByteLength, type FileDType } from "./fileArray";
import { HeaderReader, type TensorInfo } from "./safetensorsHeader";

/** The format's names, in its order of alignment: the writer puts the last ones first. */
export const DTYPES: Readonly<Record<string, FileDType>> = {
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

/** The limit of the reference implementation, so that nobody's file is refused elsewhere. */
export const MAX_HEADER_BYTE_LENGTH = 100_000_000;

/** Bytes in front of the header, which say how long it is. */
export const LENGTH_BYTES = 8;

/** An array of a file. */
export interface TensorPlace {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

/** What a header says. */
export interface Layout {
  /** In the order of their bytes. */
  readonly places: ReadonlyMap<string, TensorPlace>;
  readonly metadata: Record<string, string>;
}

/**
 * Where the values start.
 *
 * @param op who asks, as errors begin
 * @param first the file's first LENGTH_BYTES, or all of it if it is shorter
 * @param byteLength of the file
 * @throws FormatError if the file is shorter than its header
 */
export function valuesStart(op: string, first: Uint8Array, byteLength: number): number {
  if (first.length < LENGTH_BYTES) {
    throw new FormatError(
      `${op}: a file must start with ${LENGTH_BYTES} bytes of header length, got ${first.length} bytes. Pass a whole safetensors file.`,
    );
  }
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTE_LENGTH || length > byteLength - LENGTH_BYTES) {
    throw new FormatError(
      `${op}: the header must lie in the file and be at most ${MAX_HEADER_BYTE_LENGTH} bytes long, got ${length} ` +
        `bytes in a file of ${byteLength}. The file is truncated or no safetensors file.`,
    );
  }
  return LENGTH_BYTES + Number(length);
}

/**
 * Reads a header.
 *
 * @param op who asks, as errors begin
 * @param header its bytes, without those that say how long it is
 * @param byteLength of the file
 * @throws FormatError if it contradicts itself, or the file's length
 */
export function layoutOf(op: string, header: Uint8Array, byteLength: number): Layout {
  const { tensors, metadata } = new HeaderReader(op, textOf(op, header)).read();
  const valuesAt = LENGTH_BYTES + header.length;
  const infos = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  const places = new Map<string, TensorPlace>();
  let tiled = 0;
  for (const [name, info] of infos) {
    const dtype = checkedDType(`${op}: tensor ${JSON.stringify(name)}`, info, tiled);
    places.set(name, { dtype, shape: info.shape, begin: valuesAt + info.begin, end: valuesAt + info.end });
    tiled = info.end;
  }
  const found = byteLength - valuesAt;
  if (tiled !== found) {
    throw new FormatError(
      `${op}: the tensors must take all bytes after the header, got ${tiled} of ${found}. ` +
        "The file is truncated or damaged: write it again.",
    );
  }
  return { places, metadata: Object.fromEntries(metadata) };
}

function textOf(op: string, header: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    throw new FormatError(
      `${op}: the header must be UTF-8, got other bytes (${String(cause)}). The file is damaged: write it again.`,
      { cause },
    );
  }
}

/** A tensor's bytes must start where the last one's ended, and be as many as its dtype and shape say. */
function checkedDType(label: string, { dtype, shape, begin, end }: TensorInfo, tiled: number): FileDType {
  const host = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined;
  if (!host) {
    throw new FormatError(
      `${label} must be of dtype ${Object.keys(DTYPES).join(", ")}, got ${JSON.stringify(dtype)}. Convert it before saving.`,
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
  return host;
}
