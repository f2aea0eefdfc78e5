import type { Calls } from "../call";

export const calls: Calls = {
  leakyRelu: ["negativeSlope"],
  elu: ["alpha"],
  celu: ["alpha"],
  hardtanh: ["minVal", "maxVal"],
  hardshrink: ["lambd"],
  softshrink: ["lambd"],
  rrelu: ["lower", "upper"],
  logit: ["eps"],
  threshold: ["threshold", "value"],
};
