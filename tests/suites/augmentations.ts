/** Random views: boxes with torchvision's distribution, the same on every device; pixels by the formula. */

import { describe, expect, test } from "vitest";
import { tensor } from "../../src/creation";
import {
  brightnessContrast,
  cropTable,
  drawBoxes,
  mocoAugment,
  normalize,
  randomHorizontalFlip,
  randomResizedCrop,
} from "../../src/data";
import { DTypeError, IndexError, ShapeError, ValueError } from "../../src/errors";
import { Generator } from "../../src/random";
import type { Tensor } from "../../src/tensor";

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** torchvision's get_params, with JavaScript's random numbers. */
function torchvisionSize(
  side: number,
  scale: readonly [number, number],
  ratio: readonly [number, number],
): [number, number] {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = side * side * (scale[0] + (scale[1] - scale[0]) * Math.random());
    const aspect = Math.exp(Math.log(ratio[0]) + (Math.log(ratio[1]) - Math.log(ratio[0])) * Math.random());
    const [w, h] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
    if (w > 0 && w <= side && h > 0 && h <= side) return [h, w];
  }
  return [side, side];
}

const bytes = (shape: readonly number[], seed = 1): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Uint8Array.from({ length: count }, (_, i) => (i * 37 + seed * 11) % 256),
    { shape },
  );
};

export function augmentations(): void {
  describe("cropTable", () => {
    test("has torchvision's distribution", () => {
      const [scale, ratio] = [[0.2, 1], [3 / 4, 4 / 3]] as const; // prettier-ignore
      const table = cropTable(28, 28, { scale, ratio });
      expect(table).toHaveLength(65536);
      expect(table.every(([h, w]) => h >= 1 && w >= 1 && h <= 28 && w <= 28)).toBe(true);
      const drawn = Array.from({ length: 100_000 }, () => torchvisionSize(28, scale, ratio));
      expect(meanOf(table.map(([h]) => h))).toBeCloseTo(meanOf(drawn.map(([h]) => h)), 1);
      expect(meanOf(table.map(([, w]) => w))).toBeCloseTo(meanOf(drawn.map(([, w]) => w)), 1);
      expect(meanOf(table.map(([h, w]) => h * w)) / 784).toBeCloseTo(meanOf(drawn.map(([h, w]) => h * w)) / 784, 2);
      expect(meanOf(table.map(([h, w]) => (h / w) ** 2))).toBeCloseTo(meanOf(drawn.map(([h, w]) => (h / w) ** 2)), 1);
    });

    test("gives up on boxes that never fit, as torchvision does", () => {
      expect(new Set(cropTable(28, 28, { scale: [1, 1], ratio: [2, 2] }).map(String))).toEqual(new Set(["14,28,1"]));
      expect(new Set(cropTable(28, 28, { scale: [1, 1], ratio: [0.5, 0.5] }).map(String))).toEqual(
        new Set(["28,14,1"]),
      );
      expect(new Set(cropTable(28, 28, { scale: [1, 1], ratio: [1, 1] }).map(String))).toEqual(new Set(["28,28,0"]));
    });

    test("refuses ranges that are none", () => {
      expect(() => cropTable(28, 28, { scale: [1, 0.5] })).toThrow(ValueError);
      expect(() => cropTable(28, 28, { ratio: [0, 1] })).toThrow(ValueError);
    });
  });

  test("boxes are integers from known bits", async () => {
    const images = bytes([1, 1, 28, 28]);
    const generator = new Generator(3);
    const words = new Generator(3).drawOnHost(3 * 50);
    const { top, left, height, width } = drawBoxes(images, 50, { scale: [0.2, 1], generator });
    const table = cropTable(28, 28, { scale: [0.2, 1] });
    const [t, l, h, w] = [await top.data(), await left.data(), await height.data(), await width.data()];
    for (let i = 0; i < 50; i++) {
      const size = table[words[i]! >>> 16]!;
      expect([h[i], w[i], 0]).toEqual(size);
      expect(t[i]).toBe(Math.floor((words[50 + i]! / 2 ** 32) * (29 - size[0])));
      expect(l[i]).toBe(Math.floor((words[100 + i]! / 2 ** 32) * (29 - size[1])));
    }
  });

  test("a box that is given up is the centre", async () => {
    const { top, left, height, width } = drawBoxes(bytes([1, 1, 10, 41]), 5, { scale: [1, 1] });
    const boxes = await Promise.all([top, left, height, width].map((side) => side.toArray()));
    expect(boxes).toEqual([0, 14, 10, 13].map((value) => Array.from({ length: 5 }, () => value)));
  });

  describe("randomResizedCrop", () => {
    test("of images that are not there is an error where the host knows, else NaN", async () => {
      const images = bytes([3, 1, 5, 5]);
      expect(() => randomResizedCrop(images, tensor([0, 3], { dtype: "i32" }))).toThrow(IndexError);
      expect(() => randomResizedCrop(images, tensor(Uint8Array.of(7)))).toThrow(/0\.\.2, got 7/);
      const views = await randomResizedCrop(
        images,
        tensor([2, 1], { dtype: "i32" }).add(tensor([0, -1], { dtype: "i32" })),
      ).data();
      expect(views.every(Number.isFinite)).toBe(true);
    });

    test("of the whole image is the image", async () => {
      const images = bytes([3, 2, 5, 4]);
      const same = await randomResizedCrop(images, null, { scale: [1, 1], ratio: [4 / 5, 4 / 5] }).data();
      expect([...same]).toEqual([...(await images.data())]);
    });

    test("interpolates between the pixels of its box", async () => {
      const images = bytes([4, 1, 9, 9]);
      const index = tensor([3, 1, 1], { dtype: "i32" });
      const options = { scale: [0.3, 0.9] as const, size: [6, 7] as const };
      const view = await randomResizedCrop(images, index, { ...options, generator: new Generator(8) }).data();
      const box = drawBoxes(images, 3, { scale: options.scale, generator: new Generator(8) });
      const [t, l, h, w] = [
        await box.top.data(),
        await box.left.data(),
        await box.height.data(),
        await box.width.data(),
      ];
      const pixels = await images.data();
      const place = (i: number, size: number, count: number): { low: number; high: number; part: number } => {
        const at = Math.max(((i + 0.5) * size) / count - 0.5, 0);
        const low = Math.min(Math.floor(at), size - 1);
        return { low, high: Math.min(low + 1, size - 1), part: at - low };
      };
      [3, 1, 1].forEach((image, n) => {
        for (let y = 0; y < 6; y++) {
          for (let x = 0; x < 7; x++) {
            const [row, column] = [place(y, h[n]!, 6), place(x, w[n]!, 7)];
            const pixel = (dy: number, dx: number): number => pixels[image * 81 + (t[n]! + dy) * 9 + l[n]! + dx]!;
            const upper = pixel(row.low, column.low) * (1 - column.part) + pixel(row.low, column.high) * column.part;
            const lower = pixel(row.high, column.low) * (1 - column.part) + pixel(row.high, column.high) * column.part;
            expect(view[n * 42 + y * 7 + x]).toBeCloseTo(upper * (1 - row.part) + lower * row.part, 2);
          }
        }
      });
    });

    test("wants images", () => {
      expect(() => randomResizedCrop(bytes([3, 4]))).toThrow(ShapeError);
    });
  });

  test("randomHorizontalFlip mirrors whole images, half of them", async () => {
    const x = bytes([200, 1, 1, 3]).float();
    const flipped = await randomHorizontalFlip(x, { generator: new Generator(1) }).data();
    const original = await x.data();
    let mirrored = 0;
    for (let n = 0; n < 200; n++) {
      const [a, b] = [[...original.subarray(3 * n, 3 * n + 3)], [...flipped.subarray(3 * n, 3 * n + 3)]];
      const isMirrored = String(b) === String([...a].reverse());
      expect(isMirrored || String(a) === String(b)).toBe(true);
      mirrored += Number(isMirrored);
    }
    expect(mirrored).toBeGreaterThan(70);
    expect(mirrored).toBeLessThan(130);
    expect(() => randomHorizontalFlip(x, { p: 2 })).toThrow(ValueError);
  });

  test("brightnessContrast scales, then stretches about the mean", async () => {
    const x = tensor([0.1, 0.3, 0.2, 0.4], { shape: [1, 1, 2, 2] });
    const fixed = { p: 1, brightness: [2, 2], contrast: [0.5, 0.5] } as const;
    const expected = [0.35, 0.55, 0.45, 0.65];
    (await brightnessContrast(x, fixed).data()).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
    expect(await brightnessContrast(x, { ...fixed, p: 0 }).toArray()).toEqual(await x.toArray());
    const colours = tensor([1, 0, 0], { shape: [1, 3, 1, 1] });
    const grey = await brightnessContrast(colours, { p: 1, brightness: [1, 1], contrast: [0, 0] }).data();
    grey.forEach((value) => expect(value).toBeCloseTo(0.2989, 5));
    expect(() => brightnessContrast(bytes([2, 1, 3, 3]))).toThrow(
      "brightnessContrast: images must be f32, got u8. Scale bytes first: x.float().div(255).",
    );
    expect(() => brightnessContrast(bytes([2, 1, 3, 3]))).toThrow(DTypeError);
  });

  test("normalize by one number, or one a channel", async () => {
    const x = tensor([1, 2, 3, 4], { shape: [1, 2, 1, 2] });
    expect(await normalize(x, 1, 2).toArray()).toEqual([[[[0, 0.5]], [[1, 1.5]]]]);
    expect(await normalize(x, [1, 3], [1, 0.5]).toArray()).toEqual([[[[0, 1]], [[0, 2]]]]);
    expect(await normalize(x, [1], [2]).toArray()).toEqual([[[[0, 0.5]], [[1, 1.5]]]]);
    const grey = x.narrow(1, 0, 1);
    expect(() => normalize(grey, [1, 2, 3], [1, 1, 1])).toThrow(
      "normalize: mean must be one number, or one a channel, got 3 for [1, 1, 1, 2]. Pass 1.",
    );
    expect(() => normalize(x, 0, [1, 1, 1])).toThrow(ShapeError);
    expect(() => normalize(x, [], 1)).toThrow(ShapeError);
    expect(() => normalize(bytes([1, 1, 2, 2]), 0.5, 0.5)).toThrow(DTypeError);
  });

  test("mocoAugment gives normalised views, two different ones of each image", async () => {
    const images = bytes([6, 1, 28, 28]);
    const index = tensor([5, 0, 2, 2], { dtype: "i32" });
    const generator = new Generator(2);
    const [a, b] = [mocoAugment(images, index, { generator }), mocoAugment(images, index, { generator, pFlip: 1 })];
    expect([a.shape, a.dtype, a.requiresGrad]).toEqual([[4, 1, 28, 28], "f32", false]);
    const [first, second] = [await a.data(), await b.data()];
    expect(Math.min(...first)).toBeGreaterThanOrEqual(-0.286 / 0.353 - 1e-5);
    expect(Math.max(...first)).toBeLessThanOrEqual((1 - 0.286) / 0.353 + 1e-5);
    expect([...first]).not.toEqual([...second]);
    expect([...first]).toEqual([...(await mocoAugment(images, index, { generator: new Generator(2) }).data())]);
    expect(() => mocoAugment(images.float())).toThrow(DTypeError);
    expect(() => mocoAugment(images, index, { flip: true } as never)).toThrow(
      "augment: options must have names of size, statistics, grayFirst, subpixel,",
    );
    const view = images.float().div(255);
    expect(() => randomResizedCrop(images, index, { subPixel: true } as never)).toThrow("Write subpixel.");
    expect(() => randomHorizontalFlip(view, { probability: 1 } as never)).toThrow(ValueError);
    expect(() => brightnessContrast(view, { saturation: [1, 1] } as never)).toThrow(ValueError);
  });
}
