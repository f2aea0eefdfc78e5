import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  channelStatistics,
  type LabeledImages,
  loadImageFolder,
  readImages,
  splitData,
  takeImages,
  writeImages,
} from "../../src/data";
import { FormatError, ShapeError, ValueError } from "../../src/errors";
import { writeSafetensors } from "../../src/io";

/** Image `i` is all `i`s; labels as given. */
function data(labels: readonly number[]): LabeledImages {
  const images = Uint8Array.from(labels.flatMap((_, row) => new Array<number>(2).fill(row)));
  return { images, labels: Uint8Array.from(labels), count: labels.length, channels: 1, height: 1, width: 2 };
}

const LABELS = Array.from({ length: 50 }, (_, row) => (row % 5 === 0 ? 1 : 0)); // 40 and 10

describe("takeImages", () => {
  test("takes rows in their order", () => {
    expect(takeImages(data([7, 8, 9]), [2, 0])).toEqual({
      ...data([9, 7]),
      images: Uint8Array.of(2, 2, 0, 0),
    });
    const paths = ["a/7.png", "a/8.png", "b/9.png"];
    const part = takeImages({ ...data([7, 8, 9]), paths, unread: [{ path: "a/x", reason: "no image" }] }, [2, 0]);
    expect(part).toEqual({ ...data([9, 7]), images: Uint8Array.of(2, 2, 0, 0), paths: ["b/9.png", "a/7.png"] });
    const wide = { ...data([0, 1]), labels: Int32Array.of(256, 999) };
    expect(takeImages(wide, [1, 0, 1]).labels).toEqual(Int32Array.of(999, 256, 999));
    expect(() => takeImages(data([7]), [1])).toThrow("rows must be in 0..0, got 1.");
  });
});

describe("splitData", () => {
  test("keeps the share of each class, and loses no image", () => {
    const { train, test: heldOut } = splitData({ ...data(LABELS), classNames: ["a", "b"] }, { test: 0.3, seed: 4 });
    const count = ({ labels }: LabeledImages, label: number): number => labels.filter((each) => each === label).length;
    expect([count(train, 0), count(train, 1), count(heldOut, 0), count(heldOut, 1)]).toEqual([28, 7, 12, 3]);
    expect(train.classNames).toEqual(["a", "b"]);
    const rows = [train, heldOut].map(({ images }) => [...images].filter((_, place) => place % 2 === 0));
    expect([...rows[0]!, ...rows[1]!].toSorted((a, b) => a - b)).toEqual(LABELS.map((_, row) => row));
    for (const part of rows) expect(part).toEqual(part.toSorted((a, b) => a - b));
    expect([...heldOut.labels]).toEqual(rows[1]!.map((row) => LABELS[row]));
  });

  test("parts of a folder have the paths of their own images, and speak of no other files", () => {
    const paths = LABELS.map((label, row) => `${label}/${row}.png`);
    const folder = { ...data(LABELS), classNames: ["0", "1"], paths, unread: [{ path: "1/x", reason: "no image" }] };
    for (const part of Object.values(splitData(folder, { seed: 2 }))) {
      expect(part.paths).toEqual(Array.from(part.labels, (label, at) => `${label}/${part.images[2 * at]}.png`));
      expect(part).not.toHaveProperty("unread");
    }
    expect(folder.unread).toHaveLength(1);
  });

  test("is the same for a seed, and another for another", () => {
    const images = (seed: number): Uint8Array => splitData(data(LABELS), { seed }).test.images;
    expect(images(1)).toEqual(images(1));
    expect(images(1)).not.toEqual(images(2));
    expect(images(1)).toHaveLength(2 * 10);
  });

  test("a class of two is in both parts, one of one only trains", () => {
    const { train, test: heldOut } = splitData(data([3, 3, 4]), { test: 0.01 });
    expect([...train.labels].toSorted()).toEqual([3, 4]);
    expect([...heldOut.labels]).toEqual([3]);
    expect([...splitData(data([3, 3, 4]), { test: 0.99 }).test.labels]).toEqual([3]);
  });

  test("says what cannot be", () => {
    for (const part of [0, 1, NaN]) expect(() => splitData(data([1]), { test: part })).toThrow(ValueError);
  });
});

test("statistics are those of each channel", () => {
  const images = Uint8Array.of(0, 255, 51, 51, 255, 255, 51, 153); // [2, 2, 1, 2]
  const { mean, std } = channelStatistics({
    images,
    labels: Uint8Array.of(0, 0),
    count: 2,
    channels: 2,
    height: 1,
    width: 2,
  });
  expect(mean).toEqual([expect.closeTo(0.75, 12), expect.closeTo(0.3, 12)]);
  expect(std).toEqual([expect.closeTo(Math.sqrt(3) / 4, 12), expect.closeTo(0.1 * Math.sqrt(3), 12)]);
  expect(() => channelStatistics(data([]))).toThrow(ShapeError);
  // what is divided by is never 0, in a large image either
  const flat = { ...data([0]), height: 300, width: 333, images: new Uint8Array(300 * 333).fill(77) };
  expect(channelStatistics(flat)).toEqual({ mean: [expect.closeTo(77 / 255, 12)], std: [1] });
});

describe("images in safetensors", () => {
  const classNames = ["a", "b"];

  test("come back", () => {
    const images = { ...data(LABELS), classNames };
    expect(readImages(writeImages(images, classNames))).toEqual(images);
    expect(readImages(writeImages(data([200])))).toEqual({ ...data([200]), classNames: [] });
  });

  test("labels may be any integers of a byte", () => {
    const images = { shape: [2, 1, 1, 1], dtype: "u8", data: Uint8Array.of(5, 6) } as const;
    const bytes = writeSafetensors({ images, labels: { shape: [2], dtype: "i64", data: BigInt64Array.of(3n, 255n) } });
    expect([...readImages(bytes).labels]).toEqual([3, 255]);
  });

  test("other files are errors", () => {
    const images = { shape: [2, 1, 1, 1], dtype: "u8", data: Uint8Array.of(5, 6) } as const;
    const labels = { shape: [2], dtype: "u8", data: Uint8Array.of(0, 2) } as const;
    const names = (text: string): Record<string, string> => ({ class_names: text });
    const wrong: [Parameters<typeof writeSafetensors>, string][] = [
      [[{ labels }], "must hold images u8 [count, channels, height, width], got none."],
      [[{ images: { ...images, shape: [2] }, labels }], "got u8 [2]."],
      [[{ images: { ...images, dtype: "bool", data: Uint8Array.of(0, 1) }, labels }], "got bool [2, 1, 1, 1]."],
      [[{ images }], "must hold integer labels [2], one an image, got none."],
      [[{ images, labels: { ...labels, shape: [1], data: Uint8Array.of(0) } }], "got u8 [1]."],
      [[{ images, labels: { shape: [2], dtype: "f32", data: Float32Array.of(0, 1) } }], "got f32 [2]."],
      [
        [{ images, labels: { shape: [2], dtype: "i32", data: Int32Array.of(0, -1) } }],
        "labels from 0 to 2147483647, got -1.",
      ],
      [[{ images, labels }, names('["a","b"]')], "labels from 0 to 1, got 2."],
      [[{ images, labels }, names('["a",1]')], "a JSON list of strings as class_names"],
      [[{ images, labels }, names("a, b")], "a JSON list of strings as class_names"],
    ];
    for (const [file, message] of wrong) {
      expect(() => readImages(writeSafetensors(...file))).toThrow(FormatError);
      expect(() => readImages(writeSafetensors(...file))).toThrow(message);
    }
  });
});

test("folders of images need a browser", async () => {
  await expect(loadImageFolder([], { size: 8 })).rejects.toThrow("images must be decoded by a browser, got none here.");
});

describe("loadImageFolder in a browser of this test's own", () => {
  /** Draws nothing; every pixel is white. */
  class Canvas {
    constructor(readonly width: number) {}

    getContext(): object | null {
      const getImageData = (_x: number, _y: number, width: number, height: number): { data: Uint8ClampedArray } => {
        if (this.width > 1000) throw new RangeError("out of memory");
        return { data: new Uint8ClampedArray(4 * width * height).fill(255) };
      };
      return this.width > 2000 ? null : { fillRect: () => {}, drawImage: () => {}, getImageData };
    }
  }
  let decodedFiles = 0;
  const files = Array.from({ length: 9 }, (_, file) => ({ path: `${file}.png`, file: new Blob() }));

  beforeEach(() => {
    decodedFiles = 0;
    vi.stubGlobal("OffscreenCanvas", Canvas);
    vi.stubGlobal("createImageBitmap", async () => {
      decodedFiles++;
      return { width: 4, height: 4, close: () => {} };
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("a size that cannot be drawn is an error before anything is decoded", async () => {
    expect((await loadImageFolder(files, { size: 8 })).count).toBe(9);
    decodedFiles = 0;
    await expect(loadImageFolder(files, { size: 1001 })).rejects.toThrow(
      "size must be one that the browser draws, got 1001: RangeError: out of memory. Take a smaller one, 224 say.",
    );
    await expect(loadImageFolder(files, { size: 2001 })).rejects.toThrow("got 2001: one without a canvas.");
    expect(decodedFiles).toBe(0);
  });

  test("no more files are decoded once somebody throws", async () => {
    const onProgress = (): void => {
      throw new Error("enough");
    };
    await expect(loadImageFolder(files, { size: 8, parallel: 2, onProgress })).rejects.toThrow("enough");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(decodedFiles).toBe(2);
  });
});
