import type { Calls } from "../call";
import type { Exempt } from "../coverage";

interface Aminmax {
  readonly dim?: number;
  readonly keepDim?: boolean;
}

export const calls: Calls = {
  var: ["dim"],
  std: ["dim"],
  norm: ["p", "dim"],
  dist: ["p"],
  cdist: ["p"],
  aminmax([x], options: Aminmax) {
    const { min, max } = x!.aminmax(options);
    return { output: min, max };
  },
};

export const exempt: Exempt = {
  aminmax: { "a gradient": "PyTorch 1.13 has none; amax and amin have" },
};
