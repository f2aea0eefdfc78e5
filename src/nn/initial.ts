/** How layers with a weight matrix start: uniform in `+-1 / sqrt(fanIn)`, PyTorch's default. */

import type { Shape } from "../graph/shape";
import { Parameter } from "../parameter";
import { uniform } from "../random";

/** A weight (kaimingUniform with a = sqrt(5)) or a bias. */
export function initial(shape: Shape, fanIn: number): Parameter {
  const bound = 1 / Math.sqrt(fanIn);
  return new Parameter(uniform(shape, { low: -bound, high: bound }));
}
