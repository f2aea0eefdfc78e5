/** Views of images, as `data` makes them: the op, for tensors. */

import * as ops from "../ops";
import { build, checkTensors, type Tensor } from "../tensor";

export { AUGMENTATION_COLUMNS, type AugmentAttrs } from "../ops";

/**
 * @shape images u8 `[m, c, h, w]`, index i32 `[n]`, parameters f32 `[n, 14]` -> f32 `[n, c, ...attrs.size]`
 * @see shaders/augment.wgsl
 */
export function augment(images: Tensor, index: Tensor, parameters: Tensor, attrs: ops.AugmentAttrs): Tensor {
  checkTensors("augment", images, index, parameters);
  return build("augment", [images, index, parameters], (...nodes) => ops.augment(...nodes, attrs));
}
