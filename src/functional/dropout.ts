/** Dropout. */

import { ValueError } from "../errors";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { rand, type RandomOptions } from "../random";
import { build, type Tensor } from "../tensor";

/**
 * Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`.
 *
 * @param options.p default 0.5
 * @param options.training default true; else `x` itself is returned
 * @throws ValueError if `p` is not in [0, 1]
 * @see torch.nn.functional.dropout
 */
export function dropout(
  x: Tensor,
  options: { p?: number; training?: boolean } & Pick<RandomOptions, "generator"> = {},
): Tensor {
  checkOptionNames("dropout", options, ["p", "training", "generator"]);
  const { p = 0.5, training = true, ...drawing } = options;
  if (!(p >= 0 && p <= 1))
    throw new ValueError(`dropout: p must be in [0, 1], got ${p}. It is the probability of zeroing.`);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const drawn = rand(x.shape, { device: x.device, ...drawing });
  return build("dropout", [x, drawn], (value, random) =>
    ops.mul(value, ops.mul(ops.cast(ops.ge(random, p), value.dtype), 1 / (1 - p))),
  );
}
