/** Channels moved into space and back, and among each other: views. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { showShape } from "../graph/shape";
import { permute, reshape } from "./views";

function checkFactor(op: string, name: string, x: Node, factor: number): void {
  if (!(Number.isInteger(factor) && factor > 0)) {
    throw new ValueError(`${op}: ${name} must be a positive integer, got ${factor}. Use 1 to change nothing.`);
  }
  if (x.shape.length >= 3) return;
  throw new ShapeError(`${op}: the input must be [..., c, h, w], got ${showShape(x.shape)}. Unsqueeze or reshape it.`);
}

/** Sizes before the last three dimensions joined, and these. */
function planesOf(x: Node): { lead: readonly number[]; planes: readonly [number, number, number] } {
  return { lead: x.shape.slice(0, -3), planes: x.shape.slice(-3) as [number, number, number] };
}

/** Dimensions of `inner` after those of `lead`, which stay. */
const permuteInner = (x: Node, lead: readonly number[], inner: readonly number[]): Node =>
  permute(x, [...lead.keys(), ...inner.map((dim) => lead.length + dim)]);

/** `[..., c * r * r, h, w]` to `[..., c, h * r, w * r]`. */
export function pixelShuffle(x: Node, upscaleFactor: number): Node {
  checkFactor("pixelShuffle", "upscaleFactor", x, upscaleFactor);
  const { lead, planes: [channels, height, width] } = planesOf(x); // prettier-ignore
  const r = upscaleFactor;
  if (channels % (r * r) !== 0) {
    throw new ShapeError(
      `pixelShuffle: the channels must be a multiple of upscaleFactor squared, got ${channels} channels in ${showShape(x.shape)} for ${r} * ${r}. ` +
        `Change the convolution before it.`,
    );
  }
  const split = reshape(x, [...lead, channels / (r * r), r, r, height, width]);
  return reshape(permuteInner(split, lead, [0, 3, 1, 4, 2]), [...lead, channels / (r * r), height * r, width * r]);
}

/** `[..., c, h * r, w * r]` to `[..., c * r * r, h, w]`: undoes `pixelShuffle`. */
export function pixelUnshuffle(x: Node, downscaleFactor: number): Node {
  checkFactor("pixelUnshuffle", "downscaleFactor", x, downscaleFactor);
  const { lead, planes: [channels, height, width] } = planesOf(x); // prettier-ignore
  const r = downscaleFactor;
  if (height % r !== 0 || width % r !== 0) {
    throw new ShapeError(
      `pixelUnshuffle: height and width must be multiples of downscaleFactor, got ${showShape(x.shape)} for ${r}. Crop or pad the image.`,
    );
  }
  const split = reshape(x, [...lead, channels, height / r, r, width / r, r]);
  return reshape(permuteInner(split, lead, [0, 2, 4, 1, 3]), [...lead, channels * r * r, height / r, width / r]);
}

/** `[n, c, ...]` with channel `i` of each group next to channel `i` of the others: `[g, c / g]` transposed. */
export function channelShuffle(x: Node, groups: number): Node {
  const [batch, channels, ...inner] = x.shape as [number, number, ...number[]];
  if (x.shape.length < 3) {
    throw new ShapeError(`channelShuffle: the input must be [n, c, ...], got ${showShape(x.shape)}. Unsqueeze it.`);
  }
  if (!(Number.isInteger(groups) && groups > 0 && channels % groups === 0)) {
    throw new ValueError(
      `channelShuffle: groups must divide the channels, got ${groups} for ${channels} channels in ${showShape(x.shape)}. Change one of them.`,
    );
  }
  const split = reshape(x, [batch, groups, channels / groups, ...inner]);
  return reshape(permute(split, [0, 2, 1, ...inner.map((_, d) => d + 3)]), x.shape);
}
