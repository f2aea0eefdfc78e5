/** Images that are read when they are needed: sources, files, and batches that are read ahead. */

import { describe, expect, test, vi } from "vitest";
import {
  EpochSampler,
  ImageLoader,
  type ImageLoaderOptions,
  channelStatistics,
  type ImageSource,
  imageSource,
  type LabeledImages,
  openImages,
  readImages,
  selectImages,
  sourceStatistics,
  splitData,
  splitRows,
  writeImages,
} from "../../src/data";
import { DTypeError, FormatError, IndexError, ShapeError, ValueError } from "../../src/errors";
import { writeSafetensors } from "../../src/io";

/** `count` images of 2 by 3 in colour, each of its own bytes. */
const imagesOf = (count: number): LabeledImages => ({
  images: Uint8Array.from({ length: count * 18 }, (_, i) => (i * 7 + Math.floor(i / 18)) % 256),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 3),
  ...{ count, channels: 3, height: 2, width: 3 },
});

const blobOf = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);

const bytesOf = ({ images }: LabeledImages, rows: Iterable<number>): number[] =>
  Array.from(rows).flatMap((row) => [...images.subarray(row * 18, (row + 1) * 18)]);

describe("image sources", () => {
  test("are written as they say", () => {
    const data = imagesOf(9);
    expect(() => writeImages({ ...data, labels: data.labels.slice(1) })).toThrow(ShapeError);
    expect(() => writeImages({ ...data, images: data.images.slice(1) })).toThrow(ShapeError);
  });

  test("give the images that are asked for, from memory and from a file", async () => {
    const data = imagesOf(9);
    const opened = await openImages(blobOf(writeImages(data, ["a", "b", "c"])));
    expect(opened).toMatchObject({ count: 9, channels: 3, height: 2, width: 3, classNames: ["a", "b", "c"] });
    expect(opened.labels).toEqual(data.labels);
    const rows = Int32Array.of(8, 0, 0, 4);
    for (const source of [opened, imageSource(data)]) {
      expect([...(await source.read(rows))]).toEqual(bytesOf(data, rows));
      const some = selectImages(source, [5, 2, 8]);
      expect(some).toMatchObject({ count: 3, channels: 3, height: 2, width: 3 });
      expect([...(await some.read(Int32Array.of(2, 0)))]).toEqual(bytesOf(data, [8, 5]));
      await expect(some.read(Int32Array.of(3))).rejects.toThrow(IndexError);
      await expect(source.read(Int32Array.of(0, 9))).rejects.toThrow(IndexError);
    }
  });

  test("have labels of more than 256 classes", async () => {
    const wide = { ...imagesOf(3), labels: Int32Array.of(0, 999, 256) };
    for (const classNames of [undefined, Array.from({ length: 1000 }, (_, label) => `class ${label}`)]) {
      const bytes = writeImages(wide, classNames);
      expect(readImages(bytes)).toEqual({ ...wide, classNames: classNames ?? [] });
      const opened = await openImages(blobOf(bytes));
      expect(opened.labels).toEqual(wide.labels);
      expect([...(await opened.read(Int32Array.of(1)))]).toEqual(bytesOf(wide, [1]));
    }
    const images = { shape: [3, 3, 2, 3], dtype: "u8", data: wide.images } as const;
    const labels = { shape: [3], dtype: "i32", data: Int32Array.of(2, 0, 1) } as const;
    expect(readImages(writeSafetensors({ images, labels })).labels).toEqual(Uint8Array.of(2, 0, 1));
    expect(() => readImages(writeImages(wide, ["a", "b"]))).toThrow("must hold labels from 0 to 1, got 999.");
  });

  test("are refused as readImages refuses them", async () => {
    const { images, labels } = imagesOf(2);
    const shape = [2, 3, 2, 3];
    const broken = [
      writeSafetensors({ images: { shape, dtype: "u8", data: images } }),
      writeSafetensors({
        images: { shape: [36], dtype: "u8", data: images },
        labels: { shape: [2], dtype: "u8", data: labels },
      }),
      writeSafetensors({
        images: { shape, dtype: "i8", data: new Int8Array(images.buffer) },
        labels: { shape: [2], dtype: "u8", data: labels },
      }),
      writeSafetensors({
        images: { shape, dtype: "u8", data: images },
        labels: { shape: [2], dtype: "i32", data: Int32Array.of(0, -1) },
      }),
      writeImages(imagesOf(2), ["only one"]),
      writeImages(imagesOf(2)).slice(0, -1),
    ];
    for (const bytes of broken) {
      expect(() => readImages(bytes)).toThrow(FormatError);
      await expect(openImages(blobOf(bytes))).rejects.toThrow(FormatError);
    }
    expect(() => imageSource({ ...imagesOf(2), count: 3 })).toThrow(ShapeError);
    expect(() => selectImages(openImages(blobOf(writeImages(imagesOf(2)))) as never, [0])).toThrow(/got a Promise/);
    expect(() => selectImages(imageSource(imagesOf(2)), [0, 2])).toThrow(IndexError);
  });
});

test("statistics of a source are those of its images in memory", async () => {
  const data = { ...imagesOf(600), labels: new Uint8Array(600) };
  expect(await sourceStatistics(imageSource(data))).toEqual(channelStatistics(data));
  await expect(sourceStatistics({ ...imageSource(data), count: 0 })).rejects.toThrow(ValueError);
});

test("rows of parts are those that splitData takes", () => {
  const data = imagesOf(40);
  for (const options of [{}, { test: 0.5, seed: 3 }]) {
    const [parts, rows] = [splitData(data, options), splitRows(data.labels, options)];
    for (const name of ["train", "test"] as const) {
      expect([...parts[name].labels]).toEqual(Array.from(rows[name], (row) => data.labels[row]));
      expect([...parts[name].images]).toEqual(bytesOf(data, rows[name]));
    }
  }
  expect(() => splitRows(data.labels, { test: 1 })).toThrow(/^splitRows: test must be above 0/);
});

/** A source whose reads end when the test says so. */
class SlowSource implements ImageSource {
  readonly count = 10;
  readonly channels = 3;
  readonly height = 2;
  readonly width = 3;
  readonly asked: number[][] = [];
  readonly ends: { resolve: () => void; reject: (error: Error) => void }[] = [];

  read(rows: Int32Array): Promise<Uint8Array> {
    this.asked.push([...rows]);
    return new Promise((resolve, reject) => {
      this.ends.push({
        resolve: () => {
          resolve(Uint8Array.from(bytesOf(imagesOf(10), rows)));
        },
        reject,
      });
    });
  }
}

const samplerOf = (seed = 3): EpochSampler => new EpochSampler(10, { batchSize: 4, seed });

const loaderOf = (options: ImageLoaderOptions = {}): ImageLoader =>
  new ImageLoader(imageSource(imagesOf(10)), samplerOf(), options);

/** Batches that a sampler of one's own gives. */
const rowsOf = (count: number): number[][] => {
  const sampler = samplerOf();
  return Array.from({ length: count }, () => [...sampler.next()]);
};

describe("ImageLoader", () => {
  test.each([0, 1, 2, 5])("gives the sampler's batches, %i read ahead", async (prefetchFactor) => {
    const loader = loaderOf({ prefetchFactor });
    const found: number[][] = [];
    for (let i = 0; i < 7; i++) {
      await loader.ready();
      const { rows, images } = loader.next();
      expect([...images]).toEqual(bytesOf(imagesOf(10), rows));
      found.push([...rows]);
    }
    expect(found).toEqual(rowsOf(7));
    expect(loader.sampler.epoch).toBe(3);
    expect(loader.sampler.position).toBe(4);
  });

  test("a loop gives what is left of an epoch", async () => {
    const loader = loaderOf();
    const epoch = async (): Promise<number[][]> => {
      const found: number[][] = [];
      for await (const { rows } of loader) found.push([...rows]);
      return found;
    };
    await loader.ready();
    const first = [...loader.next().rows];
    expect([first, ...(await epoch()), ...(await epoch())]).toEqual(rowsOf(4));
  });

  test("reads ahead as many batches as it is told, and moves the sampler by those given out alone", async () => {
    const source = new SlowSource();
    const loader = new ImageLoader(source, samplerOf(), { prefetchFactor: 2 });
    const [first, second, third, fourth] = rowsOf(4);
    const ready = loader.ready();
    expect(source.asked).toEqual([first, second, third]);
    expect(loader.isReady).toBe(false);
    expect(() => loader.next()).toThrow(/must be here.*await loader\.ready\(\)/);
    expect(loader.sampler.position).toBe(0);
    source.ends[1]!.resolve(); // the second may come before the first
    source.ends[0]!.resolve();
    await ready;
    expect([...loader.next().rows]).toEqual(first);
    expect(loader.sampler.position).toBe(4);
    expect(source.asked).toHaveLength(3); // nothing is read but by ready
    await loader.ready();
    expect(source.asked.slice(3)).toEqual([fourth]);
    expect([...loader.next().rows]).toEqual(second);
  });

  test("follows a sampler that is set elsewhere, and forgets what was read", async () => {
    const loader = loaderOf();
    await loader.ready();
    const state = loader.sampler.stateDict();
    loader.next();
    await loader.ready();
    loader.sampler.loadStateDict({ ...state, seed: 99 });
    expect(loader.isReady).toBe(false);
    expect(() => loader.next()).toThrow(ValueError);
    await loader.ready();
    expect([...loader.next().rows]).toEqual([...samplerOf(99).next()]);
  });

  test("waits for the batch that is wanted by then, if the sampler is set meanwhile", async () => {
    const source = new SlowSource();
    const loader = new ImageLoader(source, samplerOf(), { prefetchFactor: 0 });
    const ready = loader.ready();
    loader.sampler.loadStateDict({ ...loader.sampler.stateDict(), seed: 99 });
    source.ends[0]!.reject(new Error("of a batch that nobody wants"));
    await new Promise((resolve) => setTimeout(resolve));
    source.ends[1]!.resolve();
    await ready;
    expect([...loader.next().rows]).toEqual([...samplerOf(99).next()]);
  });

  test("draws an order once an epoch, read ahead or not", async () => {
    for (const prefetchFactor of [0, 2]) {
      const loader = loaderOf({ prefetchFactor });
      const drawn = vi.spyOn(EpochSampler.prototype as unknown as { orderOf(epoch: number): Int32Array }, "orderOf");
      for (let i = 0; i < 4; i++) {
        await loader.ready();
        loader.next();
      }
      // two epochs, and once more ahead of the sampler, which is in the third then
      expect(drawn.mock.calls.length, `${prefetchFactor}`).toBeLessThanOrEqual(5);
      drawn.mockRestore();
    }
  });

  test("tells of what cannot be read when its turn comes, loses nothing, and reads it anew", async () => {
    const source = new SlowSource();
    const loader = new ImageLoader(source, samplerOf(), { prefetchFactor: 1 });
    const [first, second] = rowsOf(2);
    let ready = loader.ready();
    source.ends[1]!.reject(new Error("the disk is gone"));
    source.ends[0]!.resolve();
    await ready;
    expect([...loader.next().rows]).toEqual(first);
    await expect(loader.ready()).rejects.toThrow("the disk is gone");
    expect(loader.sampler.position).toBe(4);
    const asked = source.asked.length;
    ready = loader.ready();
    source.ends[asked]!.resolve();
    await ready;
    expect([...loader.next().rows]).toEqual(second);
  });

  test("refuses what does not fit", async () => {
    const source = imageSource(imagesOf(10));
    for (const prefetchFactor of [-1, 1.5, NaN])
      expect(() => loaderOf({ prefetchFactor })).toThrow(/prefetchFactor must be an integer of 0 or more/);
    expect(() => new ImageLoader(source, new EpochSampler(9, { batchSize: 4, seed: 0 }))).toThrow(/got 9 and 10/);
    expect(() => new ImageLoader(imagesOf(10) as never, samplerOf())).toThrow(DTypeError);
    expect(() => new ImageLoader({ ...source, width: 0 }, samplerOf())).toThrow(/width of the images/);
    for (const given of [new Uint8Array(71), undefined, Array.from({ length: 72 })]) {
      const loader = new ImageLoader({ ...source, read: () => Promise.resolve(given as never) }, samplerOf());
      await expect(loader.ready()).rejects.toThrow(/must give 72 bytes for \[4, 3, 2, 3\]/);
    }
  });
});
