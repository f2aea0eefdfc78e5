/**
 * Tensor: an immutable value on a device, and PyTorch's methods on it. Each method calls a node builder of `ops`:
 * shapes are checked at once, nothing runs before someone reads. State that changes is in `parameter`.
 */

import type { Device } from "./device";
import { naming } from "./errors";
import type { TypedArray } from "./graph/dtype";
import type { Node } from "./graph/node";
import {
  type Argument,
  checkPresent,
  checkTensors,
  deviceOf,
  type NodesOf,
  operandsOf,
  type TensorLike,
} from "./methods/core";
import { Products } from "./methods/products";
import * as ops from "./ops";

export {
  checkOptionalTensors,
  checkPlace,
  checkTensor,
  checkTensorList,
  checkTensors,
  deviceOf as checkOneDevice,
  operandsOf,
  read,
} from "./methods/core";
export type { Dims, KeepDim, NestedArray, TensorLike, ValuesAndIndices } from "./methods/core";
export { gradientSeed, ownGradient } from "./methods/gradients";
export type { BackwardOptions, GradientHook, GradientOwner, HookHandle } from "./methods/gradients";
export type { Bounds } from "./ops";

/**
 * A value on a device. Its methods are PyTorch's, a chain of classes in `methods`. Use `tensor`, `zeros` and the other
 * functions that make tensors.
 */
export class Tensor extends Products {
  protected override create(node: Node, device: Device = this.device): Tensor {
    return new Tensor(node, device);
  }
}

/** The result of a node builder as a tensor. Scalars that must be computed are noted: the end of a step realizes them. */
export function wrap(node: Node, device: Device): Tensor {
  if (node.shape.length === 0 && node.inputs.length > 0) device.engine.noteScalar(node);
  return new Tensor(node, device);
}

/** Applies a node builder to tensors and numbers, at least one of them a tensor. */
export function build<const T extends readonly TensorLike[]>(
  op: string,
  operands: T,
  make: (...nodes: NodesOf<T>) => Node,
): Tensor {
  checkPresent(op, operands);
  return buildWithNone(op, operands, make);
}

/** As `build`, where null is for none. */
export function buildWithNone<const T extends readonly Argument[]>(
  op: string,
  operands: T,
  make: (...nodes: NodesOf<T>) => Node,
): Tensor {
  const device = deviceOf(op, operands);
  const nodes = operandsOf(op, operands);
  return wrap(
    naming(op, () => make(...nodes)),
    device,
  );
}

/**
 * Computes several tensors together and leaves them on their devices: one submit.
 *
 * @throws StaleTensorError as `Tensor.data`
 *
 * @example
 * await realize(q, keys);
 */
export async function realize(...tensors: readonly Tensor[]): Promise<void> {
  checkTensors("realize", ...tensors);
  for (const device of new Set(tensors.map((tensor) => tensor.device))) {
    device
      .check("realize")
      .engine.realize(tensors.filter((tensor) => tensor.device === device).map((tensor) => tensor.node));
  }
}

/**
 * Makes the end of the step, `optimizer.step()`, compute a tensor and hold its value, so that it can be read afterwards.
 * Scalars need no keeping.
 *
 * @returns the tensor
 *
 * @example
 * const features = keep(encoder.forward(images));
 */
export function keep<T extends Tensor>(tensor: T): T {
  checkTensors("keep", tensor);
  tensor.device.check("keep").engine.keep(tensor.node);
  return tensor;
}

/** A tensor's integers where the host knows them without asking a device, so that they can be checked on the user's line. */
export const knownIntegers = (tensor: Tensor): TypedArray | null => ops.hostIntegers(tensor.node);
