/** Cases of augment: each transform alone, chains in all orders, and sizes of all kinds. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { type Draw, given, type Input, permuted, type Row, row, table, through } from "./case";

type Values = Partial<Record<(typeof ops.AUGMENTATION_COLUMNS)[number], number>>;

/** Images are 20 x 24 where nothing else is said. */
const HEIGHT = 20;
const WIDTH = 24;

const NONE = {
  ...{ top: 0, left: 0, height: HEIGHT, width: WIDTH, flip: 0 },
  ...{ jitter: 0, order: 0, brightness: 1, contrast: 1, saturation: 1, hue: 0 },
  ...{ gray: 0, blur: 0, sigma: 1 },
};

/** Rows of parameters: what is not named changes nothing. */
const drawn = (samples: readonly Values[]): Input =>
  given(
    samples.flatMap((sample) => ops.AUGMENTATION_COLUMNS.map((name) => ({ ...NONE, ...sample })[name])),
    [samples.length, ops.AUGMENTATION_COLUMNS.length],
  );

const STATISTICS = {
  1: { mean: [0.286], std: [0.353] },
  3: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
} as const;

interface Options extends Partial<Omit<ops.AugmentAttrs, "mean" | "std">> {
  readonly channels?: 1 | 3;
  readonly images?: (draw: Draw, shape: readonly number[]) => Input;
  readonly sides?: readonly [number, number];
}

function views(name: string, samples: readonly Values[], options: Options = {}): Row {
  const { channels = 3, sides = [HEIGHT, WIDTH], images, size = [16, 16] } = options;
  const { isGrayFirst = false, isSubpixel = false, taps = 1 } = options;
  const shape = [4, channels, ...sides];
  const attrs = { size, isGrayFirst, isSubpixel, taps, ...STATISTICS[channels] };
  return row(
    name,
    (draw) => [
      images?.(draw, shape) ?? draw.ints(shape, 0, 256, "u8"),
      draw.ints([samples.length], 0, 4),
      drawn(samples),
    ],
    (bytes, index, parameters) => ops.augment(bytes, index, parameters, attrs),
    { grad: false },
  );
}

const BOXES: readonly Values[] = [
  { top: 3, left: 5, height: 11, width: 9 },
  { top: 3, left: 5, height: 11, width: 9, flip: 1 },
  { top: 19, left: 23, height: 1, width: 1 },
  { top: 0, left: 23, height: 20, width: 1 },
];

const BETWEEN: readonly Values[] = [
  { top: 3.25, left: 5.0625, height: 11.40625, width: 9.59375 },
  { top: 3.25, left: 5.0625, height: 11.40625, width: 9.59375, flip: 1 },
  { top: 19.5, left: 23.75, height: 0.5, width: 0.25 },
  { top: 0, left: 0.5, height: 20, width: 22.75 },
];

const JITTER = { jitter: 1, brightness: 1.3, contrast: 0.7, saturation: 1.35, hue: 0.08 };

const ALL: readonly Values[] = [
  { ...BOXES[0], ...JITTER, order: 5, gray: 0, blur: 1, sigma: 1.7 },
  { ...BOXES[1], ...JITTER, order: 17, gray: 1, blur: 1, sigma: 0.1 },
  { ...BOXES[0], ...JITTER, jitter: 0, blur: 1, sigma: 2 },
  { ...BOXES[1], ...JITTER, order: 11, brightness: 0.6 },
];

/** The same value in all channels: such a pixel has no hue. */
const grayImages = (draw: Draw, [count, channels, ...sides]: readonly number[]): Input =>
  through(draw.ints([count!, 1, ...sides], 0, 256, "u8"), (leaf) => ops.expand(leaf, [count!, channels!, ...sides]));

/** Few values, so that channels tie, and black, white and pure colours are among the pixels. */
const pureImages = (draw: Draw, shape: readonly number[]): Input => {
  const { host } = draw.ints(shape, 0, 3, "u8");
  return given(
    Array.from(host.data, (value) => [0, 128, 255][value]!),
    shape,
    "u8",
  );
};

const hues: readonly Values[] = [0.5, -0.5, 1 / 3, -0.1, 0.25].map((hue) => ({ ...JITTER, jitter: 1, hue, order: 23 }));

const attrsOf = (size: readonly [number, number]): ops.AugmentAttrs => ({
  ...{ size, isGrayFirst: false, isSubpixel: false, taps: 1, ...STATISTICS[3] },
});

/** Parameters that lie among those of other views. */
const ofTwo = (images: Node, index: Node, parameters: Node): Node =>
  ops.augment(images, index, ops.narrow(parameters, 0, 2, 3), attrsOf([5, 7]));

export const cases = table({
  augment: [
    views("boxes", BOXES),
    views("larger than the box", BOXES, { size: [31, 29] }),
    views("odd sizes", BOXES, { size: [7, 5], sides: [23, 27] }),
    views("one pixel", BOXES, { size: [1, 1] }),
    views("images of one pixel", [{ height: 1, width: 1 }], { sides: [1, 1], size: [3, 2] }),
    views("between pixels", BETWEEN, { isSubpixel: true }),
    views("between pixels, larger than the box", BETWEEN, { isSubpixel: true, size: [31, 29], channels: 1 }),
    views("between pixels, in sides of 300", [{ top: 10.3, left: 250.7, height: 280.1, width: 49.2 }], { isSubpixel: true, sides: [300, 301] }), // prettier-ignore
    views("between pixels of one pixel", [{ height: 0.5, width: 1 }], { isSubpixel: true, sides: [1, 1], size: [3, 2] }), // prettier-ignore
    views("between whole pixels", BOXES, { isSubpixel: true, taps: 3 }),
    views("no samples", []),
    views("brightness", [0, 0.5, 1, 1.9].map((brightness) => ({ jitter: 1, brightness }))), // prettier-ignore
    views("contrast", [0, 0.5, 1, 1.9].map((contrast) => ({ jitter: 1, contrast }))), // prettier-ignore
    views("saturation", [0, 0.5, 1, 1.9].map((saturation) => ({ jitter: 1, saturation }))), // prettier-ignore
    views("hue", [-0.5, -0.2, 0.07, 0.5].map((hue) => ({ jitter: 1, hue }))), // prettier-ignore
    views("hue of pure colours", hues, { images: pureImages, size: [20, 24] }),
    views("hue of gray", hues, { images: grayImages }),
    views("all orders", Array.from({ length: 24 }, (_, order) => ({ ...JITTER, order })), { size: [6, 5] }), // prettier-ignore
    views("gray", [{ gray: 1 }, { gray: 0 }]),
    views("gray first", [{ ...JITTER, gray: 1, order: 9 }, { ...JITTER, order: 2 }], { isGrayFirst: true }), // prettier-ignore
    views("blur", [0.1, 0.5, 2, 9].map((sigma) => ({ blur: 1, sigma })), { taps: 3 }), // prettier-ignore
    views("blur as wide as it may be", [{ blur: 1, sigma: 2 }, { sigma: 1 }], { taps: 9, size: [5, 8] }),
    views("all", ALL, { taps: 5 }),
    views("all, a larger view", ALL, { taps: 9, size: [75, 67] }),
    views("one channel", ALL, { taps: 3, channels: 1 }),
    views("one channel, gray first", ALL, { taps: 3, channels: 1, isGrayFirst: true }),
    views("permuted", [{ height: 24, width: 20 }], { images: (draw, [m, c, h, w]) => permuted(draw.ints([w!, h!, c!, m!], 0, 256, "u8")), sides: [24, 20] }), // prettier-ignore
    row(
      "parameters among others",
      (draw) => [draw.ints([4, 3, HEIGHT, WIDTH], 0, 256, "u8"), draw.ints([3], 0, 4), drawn([...BOXES, { ...JITTER }, {}])],
      ofTwo,
      { grad: false },
    ), // prettier-ignore
  ],
});
