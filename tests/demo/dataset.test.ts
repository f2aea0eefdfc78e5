/** From files to what a run trains on, and what a checkpoint says of it. */

import { describe, expect, test, vi } from "vitest";
import { FASHION_MNIST_FILES, imageSource, type Labels, MOCO_CIFAR, writeImages } from "../../src/data";
import { FormatError, ValueError } from "../../src/errors";
import {
  cifar10Images,
  fingerprintOf,
  loadImages,
  ownImages,
  packed,
  type TrainingData,
  type TrainingPart,
} from "../../demo/dataset";
import { imagesProblem, readSavedImages, savedImages } from "../../demo/savedImages";
import { cifarFile } from "./tinyData";

/** A file of images of 1x1, each of the colour of its class. */
function folder(counts: Readonly<Record<string, number>>): Blob {
  const classNames = Object.keys(counts);
  const labels = Uint8Array.from(Object.values(counts).flatMap((count, label) => Array<number>(count).fill(label)));
  const images = Uint8Array.from([...labels].flatMap((label) => [10 * label, 20 * label, 7]));
  const size = { count: labels.length, channels: 3, height: 1, width: 1 };
  return new Blob([writeImages({ images, labels, ...size }, classNames) as Uint8Array<ArrayBuffer>]);
}

/** One's own images, as a run gets them. */
const own = async (file: Blob): Promise<TrainingData> => loadImages(await ownImages(file));

const bytesOf = (part: TrainingPart): Promise<Uint8Array> =>
  part.read(Int32Array.from({ length: part.count }, (_, row) => row));

const files = {
  "data_batch_1.bin": cifarFile([3, 9, 1]),
  "test_batch.bin": cifarFile([7]),
  "batches.meta.txt": new TextEncoder().encode("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"),
};
const read = async (name: string): Promise<Uint8Array> => files[name as keyof typeof files];
const PARTS = { train: ["data_batch_1.bin"], test: ["test_batch.bin"], names: null };

describe("images to train on", () => {
  test("of CIFAR-10 are those of the files that there are", async () => {
    const { train, test: held, summary } = await cifar10Images(read, PARTS);
    expect([[...train.labels], [...held.labels]]).toEqual([[3, 9, 1], [7]]);
    expect(summary).toMatchObject({ kind: "cifar10", trainCount: 3, testCount: 1, channels: 3, height: 32, width: 32 });
    expect(summary.classNames[9]).toBe("truck");
    expect(summary.statistics, "as the authors have them").toEqual(MOCO_CIFAR.statistics);
    const named = await cifar10Images(read, { ...PARTS, names: "batches.meta.txt" });
    expect(named.summary.classNames).toEqual("a b c d e f g h i j".split(" "));
    files["batches.meta.txt"] = new TextEncoder().encode("a\nb");
    await expect(cifar10Images(read, { ...PARTS, names: "batches.meta.txt" })).rejects.toThrow(
      /^batches\.meta\.txt must hold the names of 10 classes, one a line, got 2\./,
    );
  });

  test("of a folder with classes are split class by class, always alike", async () => {
    const { train, test: held, summary } = await own(folder({ cat: 12, dog: 24, "": 6 }));
    const count = (labels: Labels): number[] => [0, 1, 2].map((label) => [...labels].filter((l) => l === label).length);
    expect([count(train.labels), count(held.labels)]).toEqual([
      [10, 20, 5],
      [2, 4, 1],
    ]);
    expect(summary.classNames).toEqual(["cat", "dog", "in no folder"]);
    const { mean, std } = summary.statistics as { mean: number[]; std: number[] };
    expect(mean[1]! / mean[0]!).toBeCloseTo(2);
    expect(mean[2]).toBeCloseTo(7 / 255);
    expect(std[2], "a channel without spread is not divided by 0").toBe(1);
    const again = await own(folder({ cat: 12, dog: 24, "": 6 }));
    for (const [part, same] of [
      [train, again.train],
      [held, again.test],
    ] as const) {
      const bytes = await bytesOf(part);
      expect(bytes).toEqual(await bytesOf(same));
      expect([...bytes].filter((_, i) => i % 3 === 0).map((red) => red / 10)).toEqual([...part.labels]); // each has its own
    }
  });

  test("of a folder come in a random order: neighbours are asked of the first", async () => {
    const { train } = await own(folder({ a: 1000, b: 1000, c: 1000 }));
    const first = train.labels.subarray(0, 600);
    // of 600 draws 200 are of a class, give or take three times 11.5
    for (const label of [0, 1, 2]) expect(Math.abs(first.filter((l) => l === label).length - 200)).toBeLessThan(35);
  });

  test("of one folder, or of none, have no classes", async () => {
    for (const name of ["cats", ""]) {
      const { train, test: held, summary } = await own(folder({ [name]: 18 }));
      expect([train.count, held.count]).toEqual([15, 3]);
      expect(summary.classNames).toEqual([]);
    }
  });

  test("must be enough to train on", async () => {
    await expect(ownImages(folder({ a: 8, b: 7 }))).rejects.toThrow(/^A training needs at least 16 images, got 15/);
    const single = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`class ${i}`, 1]));
    await expect(ownImages(folder(single))).rejects.toThrow(ValueError);
    await expect(ownImages(folder(single))).rejects.toThrow(/two images or more/);
  });

  test("come out of their package as they went in", async () => {
    const data = await cifar10Images(read, PARTS);
    const again = await loadImages(packed(data));
    expect(again.summary).toEqual(data.summary);
    for (const name of ["train", "test"] as const) {
      const { images, labels, count } = data[name];
      expect(again[name]).toMatchObject({ count, channels: 3, height: 32, width: 32, labels });
      expect(await bytesOf(again[name])).toEqual(images);
    }
  });
});

describe("images of a checkpoint", () => {
  test("are told from others, by kind, count and size", async () => {
    const { summary } = await cifar10Images(read, PARTS);
    const saved = readSavedImages(savedImages({ ...summary, fingerprint: 1 }));
    expect(imagesProblem(saved, summary)).toBe(null);
    expect(imagesProblem(null, null)).toBe(null);
    expect(imagesProblem(saved, null)).toBe(
      "This save is of a run on CIFAR-10 (3 to train on and 1 others, 32 by 32, colour), but the page has Fashion-MNIST: choose the same images first.",
    );
    expect(imagesProblem(null, summary)).toMatch(/a run on Fashion-MNIST, but the page has CIFAR-10 \(3 to/);
    for (const change of [{ trainCount: 4 }, { testCount: 2 }, { height: 28 }, { channels: 1 }])
      expect(imagesProblem(saved, { ...summary, ...change })).toMatch(/choose the same files first/);
    expect(imagesProblem(saved, { ...summary, kind: "own" })).toMatch(/choose the same images first/);
  });

  test("of Fashion-MNIST are told from fewer of them, once these are there", async () => {
    const { summary } = await cifar10Images(read, PARTS);
    const fashion = { ...summary, kind: "fashionMnist", channels: 1, height: 28, width: 28 } as const;
    const saved = readSavedImages(savedImages({ ...fashion, trainCount: 60_000, testCount: 10_000, fingerprint: 1 }));
    expect(imagesProblem(saved, null), "nobody knows yet").toBe(null);
    expect(imagesProblem(null, fashion), "of before they were kept").toBe(null);
    expect(imagesProblem(saved, fashion)).toBe(
      "This save is of a run on Fashion-MNIST (60000 to train on and 10000 others, 28 by 28, grey), but the page has Fashion-MNIST (3 to train on and 1 others, 28 by 28, grey): run npm start with the same --data FOLDER, or without where there was none.",
    );
  });

  test("are told from others of their kind, count and size", async () => {
    const [data, other] = [await own(folder({ a: 300, b: 300 })), await own(folder({ a: 300, b: 299, c: 1 }))];
    const fingerprint = await fingerprintOf(data.train);
    expect(await fingerprintOf((await own(folder({ a: 300, b: 300 }))).train)).toBe(fingerprint);
    expect(await fingerprintOf(other.train), "one label").not.toBe(fingerprint);
    const bytes = await bytesOf(data.train);
    const changed = (row: number): TrainingPart => {
      const images = bytes.with(3 * row, bytes[3 * row]! ^ 1);
      return { ...data.train, ...imageSource({ ...data.train, images }) };
    };
    expect(await fingerprintOf(changed(0)), "a bit of an image that is looked at").not.toBe(fingerprint);

    const saved = readSavedImages(savedImages({ ...data.summary, fingerprint }));
    expect(imagesProblem(saved, data.summary), "not known").toBe(null);
    expect(imagesProblem(saved, { ...data.summary, fingerprint })).toBe(null);
    expect(imagesProblem(saved, { ...data.summary, fingerprint: 1 })).toBe(
      "This save is of a run on other images than the page has, though both are your own images (500 to train on and 100 others, 1 by 1, colour): choose the same images first, in the browser of that run, as each draws them in its own way.",
    );
    const { fingerprint: _, ...older } = saved!;
    expect(imagesProblem(older, { ...data.summary, fingerprint: 1 }), "an older checkpoint").toBe(null);
  });

  test("that are none are an error", () => {
    expect(readSavedImages(undefined)).toBe(null);
    const counts = { trainCount: 1, testCount: 1, channels: 1, height: 1, width: 1 };
    const odd = JSON.stringify({ kind: "own", ...counts, fingerprint: "1" });
    for (const text of ["", "[", "null", "1", "{}", '{"kind":"toString"}', '{"kind":"own","trainCount":1}', odd])
      expect(() => readSavedImages(text), text).toThrow(FormatError);
  });
});

describe("images that are fetched", () => {
  /** Three images of each part, as a server has them. */
  const served: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = Object.fromEntries(
    Object.entries(FASHION_MNIST_FILES).map(([key, name]) => {
      const [dims, length] = key.endsWith("Images") ? [[3, 28, 28], 3 * 784] : [[3], 3];
      const header = [0, 0, 8, dims.length, ...dims.flatMap((size) => [0, 0, 0, size])];
      return [name, Uint8Array.from([...header, ...Array.from({ length }, (_, i) => i % 10)])];
    }),
  );
  const fetched = async (headersOf: (length: number) => HeadersInit): Promise<[number, number][]> => {
    const answer = (url: string): Response => {
      const bytes = served[url.slice(url.lastIndexOf("/") + 1)]!;
      return new Response(new Blob([bytes]).stream(), { headers: headersOf(bytes.length) });
    };
    vi.stubGlobal("fetch", (url: string) => Promise.resolve(answer(url)));
    const heard: [number, number][] = [];
    await loadImages({ kind: "fashionMnist", dataUrl: "data" }, (done, count) => heard.push([done, count]));
    vi.unstubAllGlobals();
    return heard;
  };

  test("tell how much of all files is here, to the end", async () => {
    const heard = await fetched((length) => ({ "content-length": String(length) }));
    const total = Object.values(served).reduce((sum, { length }) => sum + length, 0);
    expect(new Set(heard.map(([, count]) => count))).toEqual(new Set([total]));
    const done = heard.map(([bytes]) => bytes);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBe(total);
  });

  test("tell nothing where a server does not say how long a file is", async () => {
    expect(await fetched((length) => new Headers(length < 100 ? [] : [["content-length", String(length)]]))).toEqual(
      [],
    );
  });
});
