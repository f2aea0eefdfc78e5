/**
 * What runs on the host in a training step: counts, rates, draws. `nn`, `optim` and others say here what of it changes from
 * call to call, so that a compiled function (see `compile`) repeats it. Without one, all of this just runs.
 */

import type { Device } from "./device";
import type { DType, TypedArray } from "./graph/dtype";
import type { Shape } from "./graph/shape";
import * as recorder from "./runtime/recorder";
import { Tensor } from "./tensor";

export { noteChange } from "./graph/configuration";
export { cannotReplay, hostAction, hostCheck, hostConstant, hostGuard } from "./runtime/recorder";
export { fieldsOf, watch } from "./runtime/watched";

/** A number that is another one at every call, as a tensor `[]`. */
export const hostScalar = (read: () => number, dtype: DType, device: Device): Tensor =>
  new Tensor(recorder.hostScalar(read, dtype), device);

/** An array that is another one at every call, as a tensor. */
export const hostArray = (read: () => TypedArray, shape: Shape, dtype: DType, device: Device): Tensor =>
  new Tensor(recorder.hostArray(read, shape, dtype), device);
