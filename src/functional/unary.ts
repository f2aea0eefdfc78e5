/** How functions of one tensor are made of node builders. */

import type { Node } from "../graph/node";
import { build, checkTensors, type Tensor } from "../tensor";

/** Applies a node builder to a tensor. */
export function unary(op: string, x: Tensor, make: (node: Node) => Node): Tensor {
  checkTensors(op, x);
  return build(op, [x], make);
}
