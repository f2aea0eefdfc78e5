/** Views of images with MoCo's whole chain: torchvision's on the same parameters, and parameters from known words. */

import { describe, expect, test } from "vitest";
import { tensor } from "../../src/creation";
import {
  applyAugmentation,
  augment,
  AUGMENTATION_COLUMNS,
  type AugmentOptions,
  augmentViews,
  cifarAugment,
  cropTable,
  drawAugmentation,
  FASHION_MNIST_STATISTICS,
  IMAGENET_STATISTICS,
  MOCO_CIFAR,
  MOCO_FASHION_MNIST,
  mocoAugment,
  MOCO_V1,
  MOCO_V2,
  mocoV1Augment,
  mocoV2Augment,
} from "../../src/data";
import { subpixelCropTable } from "../../src/data/cropTable";
import { defaultDevice } from "../../src/device";
import { DTypeError, IndexError, ShapeError, ValueError } from "../../src/errors";
import { mulHighU32 } from "../../src/ops/logic";
import { Generator } from "../../src/random";
import { read, type Tensor } from "../../src/tensor";
import goldens from "../goldens/augmentation.json";
import { expectGoldens, goldenTensor } from "./golden";

const SHAPE = [7, 3, 20, 24] as const;

const bytes = (shape: readonly number[] = SHAPE): Tensor => {
  const length = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Uint8Array.from({ length }, (_, i) => (i * 37 + (i >> 4) * 29) % 256),
    { shape },
  );
};

type Column = (typeof AUGMENTATION_COLUMNS)[number];

/** Drawn parameters by name. */
async function drawn(images: Tensor, n: number, options: AugmentOptions, seed = 4): Promise<Record<Column, number[]>> {
  const table = drawAugmentation(images, n, { ...options, generator: new Generator(seed) });
  expect([table.shape, table.dtype, table.requiresGrad]).toEqual([[n, 14], "f32", false]);
  const values = await table.data();
  return Object.fromEntries(
    AUGMENTATION_COLUMNS.map((name, c) => [name, Array.from({ length: n }, (_, i) => values[14 * i + c]!)]),
  ) as Record<Column, number[]>;
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const { fround } = Math;

function againstTorchvision(): void {
  test("has the columns of the goldens", () => {
    expect(AUGMENTATION_COLUMNS).toEqual(goldens.columns);
  });

  test.each(goldens.views.map((view) => [view.name, view] as const))("%s", async (name, view) => {
    const { size, taps, isGrayFirst, isSubpixel, mean, std } = view.attrs;
    const images = goldenTensor(view.channels === 1 ? goldens.images1 : goldens.images3);
    const actual = applyAugmentation(images, goldenTensor(view.index), goldenTensor(view.parameters), {
      size: size as [number, number],
      kernelSize: taps,
      grayFirst: isGrayFirst,
      subpixel: isSubpixel,
      statistics: { mean, std },
    });
    await expectGoldens([{ name, actual, golden: view.output }]);
  });
}

function parameters(): void {
  test("are made of known words", async () => {
    const n = 40;
    const got = await drawn(bytes(), n, MOCO_V2);
    const words = new Generator(4).drawOnHost(13 * n);
    const word = (row: number, i: number): number => words[row * n + i]!;
    const uniform = (row: number, i: number): number => (word(row, i) >>> 8) * 2 ** -24;
    const between = (row: number, i: number, low: number, high: number): number =>
      fround(fround(uniform(row, i) * fround(high - low)) + fround(low));
    const crops = cropTable(20, 24, { scale: MOCO_V2.scale });
    for (let i = 0; i < n; i++) {
      const [height, width] = crops[word(0, i) >>> 16]!;
      expect(AUGMENTATION_COLUMNS.map((name) => got[name][i])).toEqual([
        ...[mulHighU32(word(1, i), 21 - height), mulHighU32(word(2, i), 25 - width), height, width],
        Number(uniform(3, i) < 0.5),
        Number(uniform(4, i) < fround(0.8)),
        mulHighU32(word(5, i), 24),
        ...[6, 7, 8].map((row) => between(row, i, 0.6, 1.4)),
        between(9, i, -0.1, 0.1),
        Number(uniform(10, i) < fround(0.2)),
        Number(uniform(11, i) < 0.5),
        between(12, i, 0.1, 2),
      ]);
    }
  });

  test("between pixels are multiples of 1/65536, of changes in order", async () => {
    const n = 40;
    const got = await drawn(bytes(), n, MOCO_FASHION_MNIST);
    const words = new Generator(4).drawOnHost(13 * n);
    const crops = subpixelCropTable(20, 24, { scale: MOCO_FASHION_MNIST.scale });
    for (let i = 0; i < n; i++) {
      const [height, width] = crops[words[i]! >>> 16]!;
      const corner = (row: number, room: number): number => mulHighU32(words[row * n + i]!, room + 1) / 65536;
      expect([got.top[i], got.left[i], got.height[i], got.width[i]]).toEqual([
        ...[corner(1, 20 * 65536 - height), corner(2, 24 * 65536 - width)],
        ...[height / 65536, width / 65536],
      ]);
    }
    expect(new Set(got.order)).toEqual(new Set([0]));
    expect(got.top.some((side) => !Number.isInteger(side))).toBe(true);
  });

  test("of boxes that never fit are the centre", async () => {
    const got = await drawn(bytes([1, 1, 10, 41]), 5, { scale: [1, 1] });
    expect([got.top, got.left, got.height, got.width]).toEqual(
      [0, 14, 10, 13].map((side) => [0, 1, 2, 3, 4].map(() => side)),
    );
  });

  test("come as often as asked for", async () => {
    const n = 4000;
    const got = await drawn(bytes(), n, MOCO_V2);
    // five standard deviations
    const near = (values: readonly number[], mean: number, deviation: number): void =>
      expect(Math.abs(meanOf(values) - mean)).toBeLessThan((5 * deviation) / Math.sqrt(n));
    near(got.flip, 0.5, 0.5);
    near(got.jitter, 0.8, 0.4);
    near(got.gray, 0.2, 0.4);
    near(got.blur, 0.5, 0.5);
    near(got.brightness, 1, 0.8 / Math.sqrt(12));
    near(got.hue, 0, 0.2 / Math.sqrt(12));
    near(got.sigma, 1.05, 1.9 / Math.sqrt(12));
    for (let order = 0; order < 24; order++) near(got.order.map((each) => Number(each === order)), 1 / 24, 0.2); // prettier-ignore
  });

  test("of what is left out change nothing", async () => {
    const got = await drawn(bytes(), 50, {});
    for (const name of ["flip", "gray", "blur", "hue"] as const) expect(new Set(got[name])).toEqual(new Set([0]));
    for (const name of ["brightness", "contrast", "saturation"] as const)
      expect(new Set(got[name])).toEqual(new Set([1]));
  });

  test("take ranges as torchvision does", async () => {
    const got = await drawn(bytes(), 500, { brightness: 2, contrast: [0.5, 0.6], saturation: 0.25, hue: [-0.5, 0] });
    const ends = (values: readonly number[]): number[] => [Math.min(...values), Math.max(...values)];
    const isWithin = ([least, most]: readonly number[], low: number, high: number): boolean =>
      least! >= low && least! < low + 0.02 * (high - low) && most! <= high && most! > high - 0.02 * (high - low);
    expect(isWithin(ends(got.brightness), 0, 3)).toBe(true);
    expect(isWithin(ends(got.contrast), 0.5, fround(0.6))).toBe(true);
    expect(isWithin(ends(got.saturation), 0.75, 1.25)).toBe(true);
    expect(isWithin(ends(got.hue), -0.5, 0)).toBe(true);
  });
}

function chains(): void {
  const index = (): Tensor => tensor([6, 0, 3, 3, 1], { dtype: "i32" });
  const recipes = [
    ["mocoV1Augment", mocoV1Augment, MOCO_V1],
    ["mocoV2Augment", mocoV2Augment, MOCO_V2],
    ["cifarAugment", cifarAugment, MOCO_CIFAR],
    ["mocoAugment", mocoAugment, { ...MOCO_FASHION_MNIST, statistics: IMAGENET_STATISTICS }],
  ] as const;

  test.each(recipes)("%s is its drawn parameters, applied", async (_name, recipe, options) => {
    const images = bytes();
    const view = recipe(images, index(), { ...options, size: [9, 8], generator: new Generator(3) });
    expect([view.shape, view.dtype, view.requiresGrad]).toEqual([[5, 3, 9, 8], "f32", false]);
    const table = drawAugmentation(images, 5, { ...options, generator: new Generator(3) });
    const [got, again] = await read([view, applyAugmentation(images, index(), table, { ...options, size: [9, 8] })]);
    expect([...got!]).toEqual([...again!]);
  });

  test("augmentViews draws for both views at once", async () => {
    const images = bytes();
    const options = { ...MOCO_V2, size: 8 };
    const views = augmentViews(images, index(), { ...options, generator: new Generator(9) });
    const table = drawAugmentation(images, 10, { ...options, generator: new Generator(9) });
    const twice = [0, 1].map((view) => applyAugmentation(images, index(), table.narrow(0, 5 * view, 5), options));
    const [a, b, c, d] = await read([...views, ...twice]);
    expect([...a!]).toEqual([...c!]);
    expect([...b!]).toEqual([...d!]);
    expect([...a!]).not.toEqual([...b!]);
  });

  test("all images in order without an index, in their own size", async () => {
    const images = bytes();
    const view = augment(images, null, { scale: [1, 1], ratio: [24 / 20, 24 / 20] });
    expect(view.shape).toEqual(SHAPE);
    const [got, want] = await read([view, images.float().div(255)]);
    got!.forEach((value: number, i: number) => expect(value).toBeCloseTo(want![i]!, 6));
  });

  test("of one channel, with one mean", async () => {
    const images = bytes([3, 1, 20, 24]);
    const view = await mocoV2Augment(images, null, { statistics: FASHION_MNIST_STATISTICS }).data();
    expect(view).toHaveLength(3 * 20 * 24);
    expect(view.every((value: number) => value >= -0.286 / 0.353 - 1e-5 && value <= 0.714 / 0.353 + 1e-5)).toBe(true);
    expect(() => mocoV2Augment(images)).toThrow(
      "augment: mean must have one number a channel, got 3 for [3, 1, 20, 24]. Pass 1.",
    );
  });

  test("have a blur of a tenth of their side, and none unless asked for", () => {
    const taps = (options: AugmentOptions): unknown => augment(bytes(), null, options).node.attrs["taps"];
    expect([8, 32, 96, 224].map((size) => taps({ ...MOCO_V2, size }))).toEqual([3, 3, 9, 23]);
    expect(taps(MOCO_V1)).toBe(1);
    expect(taps({ ...MOCO_V2, kernelSize: 7 })).toBe(7);
  });
}

function errors(): void {
  test("images that are not there are an error where the host knows, else NaN", async () => {
    const images = bytes();
    expect(() => augment(images, tensor([0, 7], { dtype: "i32" }))).toThrow(IndexError);
    expect(() => augment(images, tensor(Uint8Array.of(9)))).toThrow("augment: index must be in 0..6, got 9.");
    const computed = tensor([1, 3, -2], { dtype: "i32" }).mul(3);
    const view = augment(images, computed, { ...MOCO_V2, size: 4, pBlur: 1 });
    if (defaultDevice().kind === "cpu") return expect(view.data()).rejects.toThrow(IndexError);
    const values = await view.data();
    const areNaN = [0, 1, 2].map((i) => [...values.subarray(48 * i, 48 * (i + 1))].map(Number.isNaN));
    expect(areNaN.map((sample) => new Set(sample))).toEqual([new Set([false]), new Set([true]), new Set([true])]);
  });

  test("boxes must lie in the images", async () => {
    const images = bytes();
    const table = drawAugmentation(bytes([1, 1, 40, 40]), 7, { scale: [1, 1], ratio: [1, 1] });
    const view = applyAugmentation(images, null, table, { size: 4 });
    if (defaultDevice().kind === "cpu")
      return expect(view.data()).rejects.toThrow(
        "augment: boxes must lie in images of 20 x 24, of whole pixels, got top 0",
      );
    expect((await view.data()).every(Number.isFinite)).toBe(true); // a shader cannot throw: the box is cut to the image
  });

  test("boxes between pixels must be said to be some", async () => {
    const images = bytes();
    const table = drawAugmentation(images, 7, MOCO_FASHION_MNIST);
    const view = applyAugmentation(images, null, table, { size: 4 });
    if (defaultDevice().kind === "cpu")
      return expect(view.data()).rejects.toThrow(
        /images of 20 x 24, of whole pixels, got top .*\d\.\d.* with the same options/,
      );
    expect((await view.data()).every(Number.isFinite)).toBe(true); // a shader takes whole parts
  });

  test("sizes, bytes and ranges are checked", () => {
    const images = bytes();
    const thrown =
      (options: AugmentOptions, of = images): (() => Tensor) =>
      () =>
        augment(of, null, options);
    expect(thrown({}, images.float())).toThrow(DTypeError);
    expect(thrown({}, bytes([3, 4]))).toThrow("augment: images must be [m, c, h, w], got [3, 4].");
    expect(thrown({}, bytes([2, 2, 4, 4]))).toThrow("augment: images must have 1 or 3 channels, got [2, 2, 4, 4].");
    expect(thrown({ size: [3, 0] })).toThrow(ShapeError);
    expect(thrown({ size: 2.5 })).toThrow(ShapeError);
    expect(thrown({ kernelSize: 4 })).toThrow("augment: the blur's kernel must be odd");
    expect(thrown({ kernelSize: 9, size: 4 })).toThrow(ValueError);
    expect(thrown({ pFlip: 1.5 })).toThrow("augment: pFlip must be in [0, 1], got 1.5. It is a probability.");
    expect(thrown({ hue: 0.6 })).toThrow(ValueError);
    expect(thrown({ brightness: [1, 0.5] })).toThrow(ValueError);
    expect(thrown({ sigma: [0, 1] })).toThrow("augment: sigma must be a range of positive numbers, got 0 to 1.");
    expect(thrown({ pGrey: 0.2 } as AugmentOptions)).toThrow(/pGrey/);
    expect(() => applyAugmentation(images, null, tensor([[1, 2]]))).toThrow("parameters must be [1, 14]");
  });
}

export function augmentedViews(): void {
  describe("augmentation is torchvision's:", againstTorchvision);
  describe("drawn parameters", parameters);
  describe("views", chains);
  describe("augment refuses what cannot be:", errors);
}
