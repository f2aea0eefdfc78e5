/** The partial inverse of max pooling: maxima go back to where they were, all else is 0. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { sameShape, showShape, sizeOf } from "../graph/shape";
import { zeros } from "./broadcast";
import { toIndex } from "./cast";
import { checkDType } from "./check";
import { customVjp, withoutGrad } from "./custom";
import { gather, scatter } from "./indexing";
import { poolAttrs, type PoolOptions } from "./maxPool";
import { backTo, checkPlanes, type Pair, pairOf, planeShape, type Sizes, type Spatial, withoutRow } from "./planes";
import { FLOAT } from "./pointwise";
import { reshape } from "./views";

export interface MaxUnpoolOptions extends Omit<PoolOptions, "ceilMode"> {
  /** Sizes of what was pooled, where several give the same. */
  readonly outputSize?: Sizes | null;
}

/** The sizes that pooling made `size` of: as asked for, which may differ by less than a stride, or the usual ones. */
function unpooledSize(
  op: string,
  spatial: Spatial,
  size: Pair,
  kernelSize: Sizes,
  { outputSize = null, ...options }: MaxUnpoolOptions,
): Pair {
  const { kernelSize: kernel, stride, padding } = poolAttrs(op, spatial, kernelSize, options);
  const along = (d: 0 | 1): number => (size[d] - 1) * stride[d] - 2 * padding[d] + kernel[d];
  const usual: Pair = [along(0), along(1)];
  if (outputSize === null) return usual;
  const sizes = pairOf(op, "outputSize", outputSize, spatial, 1, usual[0]);
  if (sizes.every((count, d) => Math.abs(count - usual[d]!) < stride[d]!)) return sizes;
  throw new ValueError(
    `${op}: outputSize must be within stride of ${showShape(withoutRow(usual, spatial))}, got ${showShape(withoutRow(sizes, spatial))} for stride ` +
      `${showShape(withoutRow(stride, spatial))}. Pass the size of what was pooled.`,
  );
}

function maxUnpool(
  op: string,
  spatial: Spatial,
  x: Node,
  indices: Node,
  kernelSize: Sizes,
  options: MaxUnpoolOptions,
): Node {
  checkDType(op, [x], FLOAT);
  checkPlanes(op, x, spatial);
  if (!sameShape(x.shape, indices.shape)) {
    throw new ShapeError(
      `${op}: indices must have the shape of the input, got ${showShape(indices.shape)} for ${showShape(x.shape)}. Pass those of the pooling.`,
    );
  }
  const [batch, channels, ...size] = planeShape(x.shape, spatial);
  const [height, width] = unpooledSize(op, spatial, size, kernelSize, options);
  const list = [batch, channels, sizeOf(size)];
  const places = reshape(toIndex(op, indices), list);
  const plane = zeros([batch, channels, height * width], x.dtype);
  const values = scatter(plane, 2, places, reshape(withoutGrad(x), list), op);
  // every maximum gets its place's gradient, also those that another has overwritten
  const rule = (gradOut: Node): Node[] => [reshape(gather(gradOut, 2, places, op), x.shape)];
  const result = x.requiresGrad ? customVjp(values, [x], rule) : values;
  return backTo(x, spatial, reshape(result, [batch, channels, height, width]));
}

/** Maxima `[n, c, l]` at their indices in `[n, c, ol]`; 0 elsewhere. */
export const maxUnpool1d = (x: Node, indices: Node, kernelSize: Sizes, options: MaxUnpoolOptions = {}): Node =>
  maxUnpool("maxUnpool1d", 1, x, indices, kernelSize, options);

/** Maxima `[n, c, h, w]` at their indices in planes of `[n, c, oh, ow]`; 0 elsewhere. */
export const maxUnpool2d = (x: Node, indices: Node, kernelSize: Sizes, options: MaxUnpoolOptions = {}): Node =>
  maxUnpool("maxUnpool2d", 2, x, indices, kernelSize, options);
