/** Sizes that files of images say they have, by the formats' own layouts. What encoders write is in imageFolder. */

import { describe, expect, test } from "vitest";
import { extentOf } from "../../src/data/imageHeader";

const text = (letters: string): number[] => Array.from(letters, (letter) => letter.charCodeAt(0));
const big16 = (value: number): number[] => [value >> 8, value & 255];
const little16 = (value: number): number[] => big16(value).toReversed();
const big32 = (value: number): number[] => [...big16(value >>> 16), ...big16(value & 0xffff)];
const little32 = (value: number): number[] => big32(value).toReversed();
const little24 = (value: number): number[] => little32(value).slice(0, 3);
const zeros = (count: number): number[] => Array<number>(count).fill(0);

const riff = (...chunk: number[]): number[] => [...text("RIFF"), ...zeros(4), ...text("WEBP"), ...chunk];
const segment = (marker: number, ...content: number[]): number[] => [
  ...[0xff, marker],
  ...big16(2 + content.length),
  ...content,
];
const frame = (marker: number): number[] => segment(marker, 8, ...big16(300), ...big16(70), 1, 1, 0x11, 0);
const jpeg = (...segments: number[][]): number[] => [0xff, 0xd8, ...segments.flat()];
const bmp = (...header: number[]): number[] => [...text("BM"), ...zeros(12), ...header];

/** Each is 70 wide and 300 high. */
const FILES: readonly (readonly [string, number[]])[] = [
  ["a PNG", [0x89, ...text("PNG\r\n\x1a\n"), ...big32(13), ...text("IHDR"), ...big32(70), ...big32(300)]],
  ["a GIF", [...text("GIF89a"), ...little16(70), ...little16(300)]],
  ["an old GIF", [...text("GIF87a"), ...little16(70), ...little16(300)]],
  ["a JPEG", jpeg(segment(0xe0, ...text("JFIF\0"), ...zeros(9)), segment(0xdb, ...zeros(65)), frame(0xc0))],
  ["a progressive JPEG", jpeg(frame(0xc2))],
  ["a JPEG with a table of codes in front", jpeg(segment(0xc4, ...zeros(20)), frame(0xc1))],
  ["a JPEG with a preview", jpeg(segment(0xe1, ...zeros(60_000)), segment(0xe2, ...zeros(65_533)), frame(0xc0))],
  ["a JPEG with filling bytes", jpeg(segment(0xe0, ...zeros(3)), [0xff, 0xff, 0xff], frame(0xc0))],
  [
    "a lossy WebP",
    riff(...text("VP8 "), ...zeros(4), ...zeros(3), 0x9d, 0x01, 0x2a, ...little16(70 + 0x4000), ...little16(300)),
  ],
  ["a lossless WebP", riff(...text("VP8L"), ...zeros(4), 0x2f, ...little32(69 + (299 << 14) + 2 ** 28))],
  ["an extended WebP", riff(...text("VP8X"), ...zeros(4), ...zeros(4), ...little24(69), ...little24(299))],
  ["a BMP", bmp(...little32(40), ...little32(70), ...little32(300))],
  ["a BMP from the top", bmp(...little32(40), ...little32(70), ...little32(-300))],
  ["an old BMP", bmp(...little32(12), ...little16(70), ...little16(300))],
];

describe("the size of", () => {
  test.each(FILES)("%s", (_, bytes) => {
    expect(extentOf(Uint8Array.from(bytes))).toEqual({ width: 70, height: 300 });
    const within = Uint8Array.from([1, 2, 3, ...bytes, 4]).subarray(3); // a part of a larger memory
    expect(extentOf(within)).toEqual({ width: 70, height: 300 });
  });

  test.each(FILES)("%s that ends too early is not known", (_, bytes) => {
    for (let length = 0; length < bytes.length; length += length < 40 ? 1 : 997) {
      const extent = extentOf(Uint8Array.from(bytes.slice(0, length)));
      if (extent) expect(extent).toEqual({ width: 70, height: 300 }); // what follows the size may be missing
    }
    expect(extentOf(Uint8Array.from(bytes.slice(0, 8)))).toBeNull();
  });

  test("other files is not known", () => {
    const others = [
      [],
      text("text of some kind"),
      [0xff, 0xd8, 0xff, ...zeros(40)],
      riff(...text("ALPH"), ...zeros(40)),
    ];
    for (const bytes of others) expect(extentOf(Uint8Array.from(bytes))).toBeNull();
  });

  test("a PNG may be up to 2^31 pixels wide", () => {
    const bytes = [...FILES[0]![1].slice(0, 16), ...big32(0x7fffffff), ...big32(0x7fffffff)];
    expect(extentOf(Uint8Array.from(bytes))).toEqual({ width: 0x7fffffff, height: 0x7fffffff });
  });
});
