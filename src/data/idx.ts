/**
 * IDX, the file format of MNIST and Fashion-MNIST: bytes (gzipped or not) in, one shaped typed array out.
 *
 * A file is two zero bytes, a type code, the number of dimensions, each dimension as a big-endian u32, then the
 * values in row-major order, big-endian. The reader is strict: a file that is short, long or of another kind is a
 * FormatError. It knows nothing of tensors.
 */

import { FormatError, ValueError } from "../errors";

export type IdxDType = "u8" | "i8" | "i16" | "i32" | "f32" | "f64";

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** What an IDX file holds: values in row-major order. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly dtype: IdxDType;
  readonly data: IdxData;
}

/** What can be read as an IDX file. */
export type IdxSource = Uint8Array | ArrayBuffer | Response | Blob | ReadableStream<Uint8Array>;

interface IdxType {
  readonly dtype: IdxDType;
  readonly byteLength: number;
  readonly read: (values: DataView, count: number) => IdxData;
}

/** Type code (third byte of the file) -> how its values are read; DataView reads big-endian by default. */
const TYPES: Readonly<Record<number, IdxType>> = {
  0x08: { dtype: "u8", byteLength: 1, read: (v, n) => new Uint8Array(v.buffer, v.byteOffset, n).slice() },
  0x09: { dtype: "i8", byteLength: 1, read: (v, n) => new Int8Array(v.buffer, v.byteOffset, n).slice() },
  0x0b: { dtype: "i16", byteLength: 2, read: (v, n) => new Int16Array(n).map((_, i) => v.getInt16(2 * i)) },
  0x0c: { dtype: "i32", byteLength: 4, read: (v, n) => new Int32Array(n).map((_, i) => v.getInt32(4 * i)) },
  0x0d: { dtype: "f32", byteLength: 4, read: (v, n) => new Float32Array(n).map((_, i) => v.getFloat32(4 * i)) },
  0x0e: { dtype: "f64", byteLength: 8, read: (v, n) => new Float64Array(n).map((_, i) => v.getFloat64(8 * i)) },
};

/**
 * Reads the bytes of an IDX file that is already decompressed.
 *
 * @param bytes the whole file
 * @returns shape, dtype and values; `data` is a copy
 * @throws FormatError if the magic number, the dimensions or the byte length are not those of an IDX file
 * @see readIdx, which also fetches and decompresses
 *
 * @example
 * parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9)); // { shape: [2], dtype: "u8", data: [7, 9] }
 */
export function parseIdx(bytes: Uint8Array): IdxArray {
  const type = readType(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = readShape(view);
  const headerByteLength = 4 + 4 * shape.length;

  // In floating point: a product too large to be exact is too large for the file as well.
  const count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const expected = headerByteLength + count * type.byteLength;
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? "truncated" : "followed by other bytes";
    throw new FormatError(
      `parseIdx: a ${type.dtype} file of shape [${shape.join(", ")}] must have ${expected} bytes, got ${bytes.length}. ` +
        `The file is ${what}: fetch it again.`,
    );
  }
  return {
    shape,
    dtype: type.dtype,
    data: type.read(new DataView(bytes.buffer, bytes.byteOffset + headerByteLength), count),
  };
}

/** Checks the magic number: two zero bytes, then a type code, then a rank of at least 1. */
function readType(bytes: Uint8Array): IdxType {
  const magic = bytes.subarray(0, 4);
  const type = TYPES[magic[2] ?? 0];
  if (magic.length < 4 || magic[0] !== 0 || magic[1] !== 0 || !type) {
    const got = magic.length === 0 ? "an empty file" : `bytes [${magic.join(", ")}]`;
    const hint =
      magic[0] === "<".charCodeAt(0) ? "This looks like an HTML page: check the address." : "Pass an IDX file.";
    throw new FormatError(
      `parseIdx: a file must start with 0, 0, a type code (8, 9, 11 to 14) and a rank, got ${got}. ${hint}`,
    );
  }
  if (magic[3] === 0) {
    throw new FormatError("parseIdx: a file must have at least 1 dimension, got 0. Pass an IDX file.");
  }
  return type;
}

/** The dimensions: as many big-endian u32 as byte 3 says. */
function readShape(view: DataView): number[] {
  const rank = view.getUint8(3);
  if (view.byteLength < 4 + 4 * rank) {
    throw new FormatError(
      `parseIdx: the header of ${rank} dimensions must have ${4 + 4 * rank} bytes, got ${view.byteLength}. ` +
        "The file is truncated: fetch it again.",
    );
  }
  return Array.from({ length: rank }, (_, dim) => view.getUint32(4 + 4 * dim));
}

/**
 * Gunzips bytes that start with the magic number of gzip; returns all others as they are. Uses the platform's
 * DecompressionStream.
 *
 * @param bytes one gzip member, or anything else
 * @returns the decompressed bytes, or `bytes` itself
 * @throws FormatError if the gzip data is corrupted, truncated or followed by other bytes
 *
 * @example
 * const bytes = await decompress(new Uint8Array(await file.arrayBuffer()));
 */
export async function decompress(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  let inflated: Uint8Array;
  try {
    // A Blob wants memory that is not shared, hence the copy.
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
    inflated = new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
    throw new FormatError(
      `decompress: gzip data must be intact, got ${bytes.length} bytes that do not inflate (${String(cause)}). Fetch the file again.`,
      { cause },
    );
  }
  // A member ends with its inflated length mod 2^32. Node ignores bytes after the member, browsers reject them.
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
  if (trailer !== inflated.length % 2 ** 32) {
    throw new FormatError(
      `decompress: gzip data must end with its inflated length, got ${trailer} where ${inflated.length} bytes inflated. ` +
        "The file has bytes after its end, or more than one member: fetch it again.",
    );
  }
  return inflated;
}

/**
 * Reads an IDX file from wherever it is, gunzipping it if needed.
 *
 * @param source bytes, a fetched response, a file the user picked, or a stream of bytes
 * @returns shape, dtype and values
 * @throws ValueError if `source` is a response that is not ok
 * @throws FormatError if the bytes are no intact IDX file
 * @see http://yann.lecun.com/exdb/mnist (the format)
 *
 * @example
 * const { shape, data } = await readIdx(await fetch("data/train-images-idx3-ubyte.gz")); // [60000, 28, 28]
 */
export async function readIdx(source: IdxSource): Promise<IdxArray> {
  return parseIdx(await decompress(await bytesOf(source)));
}

async function bytesOf(source: IdxSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Response && !source.ok) {
    throw new ValueError(
      `readIdx: the response must be ok, got ${source.status} ${source.statusText} from ${source.url || "no address"}. Check the address.`,
    );
  }
  const response = source instanceof Response ? source : new Response(source);
  return new Uint8Array(await response.arrayBuffer());
}
