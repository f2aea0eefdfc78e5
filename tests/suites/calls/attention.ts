import { F } from "../../../src";
import type { Calls } from "../call";

export const calls: Calls = {
  scaledDotProductAttention: ([q, k, v, attnMask = null], options) =>
    F.scaledDotProductAttention(q!, k!, v!, { ...options, attnMask }),
};
