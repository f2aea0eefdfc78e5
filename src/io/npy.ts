/**
 * NumPy's .npy files: one array a file. Writes version 1.0; reads 1.0 to 3.0, either byte order, either memory order.
 *
 * A file is the magic `\x93NUMPY`, two bytes of version, the length of the header, the header (a Python dict literal,
 * read by a grammar for just that dict, never evaluated), and the values.
 */

import { DTypeError, FormatError, ValueError } from "../errors";
import { bytesOf, countOf, describe, elementByteLength, fromBytes, toBytes } from "./fileArray";
import type { FileArray, FileData, FileDType } from "./fileArray";

/** NumPy's type codes; bf16 has none. */
const CODES: Readonly<Record<string, FileDType>> = {
  b1: "bool",
  u1: "u8",
  i1: "i8",
  u2: "u16",
  i2: "i16",
  f2: "f16",
  u4: "u32",
  i4: "i32",
  f4: "f32",
  u8: "u64",
  i8: "i64",
  f8: "f64",
};

const MAGIC = Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"));

/** NumPy reads no longer headers unless told to trust the file. */
const MAX_HEADER_BYTE_LENGTH = 10_000;

/**
 * Writes one array as a .npy file of version 1.0.
 *
 * @param array row-major values; `f16` as raw bits, or as a tensor's values
 * @returns the file
 * @throws DTypeError if the dtype is bf16, which NumPy lacks, or `data` is not the typed array of the dtype
 * @throws ShapeError if `data` has another length than the shape
 * @throws ValueError if a `bool` is neither 0 nor 1, or there are too many dimensions for NumPy to read back
 * @see numpy.save
 *
 * @example
 * writeNpy({ shape: [2], dtype: "f32", data: Float32Array.of(1, 2) }); // numpy.load reads array([1., 2.], dtype=float32)
 */
export function writeNpy(array: FileArray): Uint8Array {
  const values = toBytes("writeNpy: the array", array);
  const code = Object.keys(CODES).find((key) => CODES[key] === array.dtype);
  if (!code) throw new DTypeError(`writeNpy: the dtype must be one of NumPy's, got ${array.dtype}. Convert it to f32.`);

  const order = elementByteLength(array.dtype) === 1 ? "|" : "<";
  const sizes = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(", ");
  const dict = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const valuesAt = 64 * Math.ceil((10 + dict.length + 1) / 64); // values start aligned to 64 bytes
  if (valuesAt - 10 > MAX_HEADER_BYTE_LENGTH) {
    throw new ValueError(
      `writeNpy: the header must fit in ${MAX_HEADER_BYTE_LENGTH} bytes, got ${array.shape.length} dimensions. Reshape to fewer.`,
    );
  }
  const file = new Uint8Array(valuesAt + values.length);
  file.set(MAGIC);
  file[6] = 1;
  new DataView(file.buffer).setUint16(8, valuesAt - 10, true);
  file.set(new TextEncoder().encode(dict.padEnd(valuesAt - 11) + "\n"), 10);
  file.set(values, valuesAt);
  return file;
}

/**
 * Reads a .npy file.
 *
 * @param file all of its bytes
 * @returns the array, row-major and in the byte order of the machine; `data` is a copy
 * @throws FormatError if the file is malformed, or holds strings, objects, records, dates or complex numbers
 * @see numpy.load
 *
 * @example
 * const { shape, dtype, data } = readNpy(await file.arrayBuffer());
 */
export function readNpy(file: Uint8Array | ArrayBuffer): FileArray {
  const bytes = bytesOf("readNpy", file);
  const { text, valuesAt } = readHeader(bytes);
  const { descr, fortranOrder, shape } = parseHeader(text);
  const { dtype, bigEndian } = parseDescr(descr);

  const elementBytes = elementByteLength(dtype);
  const count = countOf(shape);
  const found = bytes.length - valuesAt;
  if (count === undefined || count * elementBytes !== found) {
    throw new FormatError(
      `readNpy: ${describe(dtype, shape)} must have ${count === undefined ? "fewer" : count * elementBytes} bytes of values, ` +
        `got ${found}. The file is truncated or damaged: write it again.`,
    );
  }
  const values = bytes.subarray(valuesAt);
  const data = fromBytes("readNpy: the array", dtype, bigEndian ? swapped(values, elementBytes) : values);
  return { shape, dtype, data: fortranOrder ? rowMajor(data, shape) : data };
}

/** Magic, version and header length; where the values start. */
function readHeader(bytes: Uint8Array): { text: string; valuesAt: number } {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError(
      `readNpy: a file must start with \\x93NUMPY, got ${bytes.length} bytes starting [${bytes.subarray(0, 6).join(", ")}]. ` +
        "Pass a .npy file; a .npz is a zip of them.",
    );
  }
  const version = `${bytes[6]}.${bytes[7]}`;
  if (!["1.0", "2.0", "3.0"].includes(version)) {
    throw new FormatError(
      `readNpy: the version must be 1.0, 2.0 or 3.0, got ${version}. Write the file with numpy.save.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerAt = version === "1.0" ? 10 : 12;
  const byteLength =
    bytes.length < headerAt ? 0 : version === "1.0" ? view.getUint16(8, true) : view.getUint32(8, true);
  const valuesAt = headerAt + byteLength;
  if (byteLength > MAX_HEADER_BYTE_LENGTH || valuesAt > bytes.length) {
    throw new FormatError(
      `readNpy: the header must lie in the file and be at most ${MAX_HEADER_BYTE_LENGTH} bytes long, got ${byteLength} bytes ` +
        `in a file of ${bytes.length}. The file is truncated or damaged: write it again.`,
    );
  }
  // All that is accepted is ASCII, so the encoding (Latin-1, UTF-8 in version 3) does not matter.
  return { text: new TextDecoder("latin1").decode(bytes.subarray(headerAt, valuesAt)), valuesAt };
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** One `'key': value` of the dict: a string, a bool or a tuple of sizes, then a comma or the end. */
const ENTRY =
  /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*('[^'\\]*'|"[^"\\]*"|True|False|\([\d\s,L]*\))\s*(,|(?=\}))/y;

/** Reads the dict literal, for example `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`. */
function parseHeader(text: string): Header {
  const malformed = (): FormatError =>
    new FormatError(
      "readNpy: the header must be a dict of descr (a string), fortran_order and shape, got " +
        `${JSON.stringify(text.slice(0, 120).trimEnd())}. Write an array of plain numbers with numpy.save.`,
    );
  const fields = new Map<string, string>();
  const start = /^\s*\{/.exec(text);
  if (!start) throw malformed();
  let at = start[0].length;
  for (;;) {
    ENTRY.lastIndex = at;
    const entry = ENTRY.exec(text);
    if (!entry) break;
    const [matched, , key, value] = entry as unknown as [string, string, string, string];
    if (fields.has(key)) throw malformed();
    fields.set(key, value);
    at += matched.length;
  }
  const descr = fields.get("descr");
  const fortranOrder = fields.get("fortran_order");
  const shape = parseShape(fields.get("shape"));
  if (
    !/^\s*\}\s*$/.test(text.slice(at)) ||
    !descr ||
    !/^['"]/.test(descr) ||
    !/^[TF]/.test(fortranOrder ?? "") ||
    !shape
  ) {
    throw malformed();
  }
  return { descr: descr.slice(1, -1), fortranOrder: fortranOrder === "True", shape };
}

/** `()`, `(3,)` or `(2, 3)`; Python 2 wrote `(3L,)`. */
function parseShape(tuple: string | undefined): number[] | undefined {
  if (!tuple?.startsWith("(")) return undefined;
  const sizes = tuple.slice(1, -1).trim();
  if (sizes === "") return [];
  const parts = sizes.split(",").map((part) => part.trim());
  if (parts.length === 1) return undefined; // (3) is a number, not a tuple
  if (parts.at(-1) === "") parts.pop();
  return parts.every((part) => /^(0|[1-9]\d*)L?$/.test(part)) ? parts.map((part) => parseInt(part, 10)) : undefined;
}

/** A byte order (`<`, `>`, `|` for single bytes, `=`) and a type code. */
function parseDescr(descr: string): { dtype: FileDType; bigEndian: boolean } {
  const order = descr[0] ?? "";
  const code = descr.slice(1);
  const dtype = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  if (!dtype || !"<>|=".includes(order) || (order === "|" && elementByteLength(dtype) > 1)) {
    throw new FormatError(
      `readNpy: descr must be a byte order and one of ${Object.keys(CODES).join(", ")}, got '${descr}'. ` +
        "Convert the array with astype before saving.",
    );
  }
  return { dtype, bigEndian: order === ">" };
}

function swapped(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let at = 0; at < copy.length; at += elementBytes) copy.subarray(at, at + elementBytes).reverse();
  return copy;
}

/** Column-major values (first dimension fastest) in row-major order. */
function rowMajor(data: FileData, shape: readonly number[]): FileData {
  const strides: number[] = []; // of the column-major source
  let stride = 1;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  const index = shape.map(() => 0);
  const source = data.slice();
  let at = 0;
  for (let i = 0; i < data.length; i++) {
    data[i] = source[at]!;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      index[dim]!++;
      at += strides[dim]!;
      if (index[dim]! < shape[dim]!) break;
      at -= strides[dim]! * shape[dim]!;
      index[dim] = 0;
    }
  }
  return data;
}
