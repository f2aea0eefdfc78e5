/** How functions of one tensor are made of node builders. */

import type { Node } from "../graph/node";
import { build, type Tensor } from "../tensor";

/** Applies a node builder to a tensor. */
export const unary = (x: Tensor, make: (node: Node) => Node): Tensor => build("F", [x], make);
