import { F } from "../../../src";
import type { Calls } from "../call";

export const calls: Calls = {
  conv2d: ([x, weight, bias], options) => F.conv2d(x!, weight!, bias, options),
};
