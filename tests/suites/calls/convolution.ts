import { F } from "../../../src";
import type { Calls } from "../call";

export const calls: Calls = {
  conv1d: ([x, weight, bias], options) => F.conv1d(x!, weight!, bias, options),
  conv2d: ([x, weight, bias], options) => F.conv2d(x!, weight!, bias, options),
  convTranspose1d: ([x, weight, bias], options) => F.convTranspose1d(x!, weight!, bias, options),
  convTranspose2d: ([x, weight, bias], options) => F.convTranspose2d(x!, weight!, bias, options),
};
