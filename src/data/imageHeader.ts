/** Width and height of a file that holds an image, from its first bytes: what is to be known before a browser decodes it. */

/** Bytes of a file that are looked at. A JPEG's size comes after its preview and its colour profile. */
export const HEADER_BYTE_LENGTH = 2 ** 18;

/** In pixels. */
export interface ImageExtent {
  readonly width: number;
  readonly height: number;
}

/** How a format begins, and where it says its size; null where it does not say it, or not yet. */
interface Format {
  readonly begins: RegExp;
  readonly extent: (bytes: DataView) => ImageExtent | null;
}

const FORMATS: readonly Format[] = [
  { begins: /^\x89PNG\r\n/, extent: (bytes) => ({ width: bytes.getUint32(16), height: bytes.getUint32(20) }) },
  { begins: /^\xff\xd8\xff/, extent: jpegExtent },
  { begins: /^GIF8[79]a/, extent: (bytes) => ({ width: bytes.getUint16(6, true), height: bytes.getUint16(8, true) }) },
  { begins: /^RIFF....WEBP/s, extent: webpExtent },
  { begins: /^BM/, extent: bmpExtent },
];

/**
 * Size of a PNG, JPEG, GIF, WebP or BMP.
 *
 * @param head the file's first bytes, up to HEADER_BYTE_LENGTH
 * @returns null for other files, and for those that end too early
 */
export function extentOf(head: Uint8Array): ImageExtent | null {
  const start = String.fromCharCode(...head.subarray(0, 16));
  const format = FORMATS.find(({ begins }) => begins.test(start));
  if (!format) return null;
  try {
    return format.extent(new DataView(head.buffer, head.byteOffset, head.byteLength));
  } catch (error) {
    if (error instanceof RangeError) return null; // it ends before its size
    throw error;
  }
}

/** Segments, each with its length, until the one that begins a frame (ITU-T T.81, B.1 and B.2.2). */
function jpegExtent(bytes: DataView): ImageExtent | null {
  for (let at = 2; ; at += 2 + bytes.getUint16(at + 2)) {
    while (bytes.getUint8(at) === 0xff && bytes.getUint8(at + 1) === 0xff) at++; // filling
    if (bytes.getUint8(at) !== 0xff) return null;
    const marker = bytes.getUint8(at + 1);
    const isTable = [0xc4, 0xc8, 0xcc].includes(marker); // of Huffman codes, an extension, arithmetic coding
    if (marker >= 0xc0 && marker <= 0xcf && !isTable)
      return { width: bytes.getUint16(at + 7), height: bytes.getUint16(at + 5) };
  }
}

/** Of a lossy (RFC 6386, 9.1), a lossless (RFC 9649, 3.4) or an extended file (RFC 9649, 2.7). */
function webpExtent(bytes: DataView): ImageExtent | null {
  const kind = String.fromCharCode(...[12, 13, 14, 15].map((at) => bytes.getUint8(at)));
  if (kind === "VP8 ") return { width: bytes.getUint16(26, true) & 0x3fff, height: bytes.getUint16(28, true) & 0x3fff };
  if (kind === "VP8L") {
    const bits = bytes.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  const number = (at: number): number => bytes.getUint16(at, true) + 2 ** 16 * bytes.getUint8(at + 2);
  return kind === "VP8X" ? { width: 1 + number(24), height: 1 + number(27) } : null;
}

/** Heights below 0 say that the first row is on top. The oldest header, of 12 bytes, has 16 bits each. */
function bmpExtent(bytes: DataView): ImageExtent {
  if (bytes.getUint32(14, true) === 12) return { width: bytes.getUint16(18, true), height: bytes.getUint16(20, true) };
  return { width: Math.abs(bytes.getInt32(18, true)), height: Math.abs(bytes.getInt32(22, true)) };
}
