import { cat, stack } from "../../../src";
import type { Calls } from "../call";

interface Args {
  readonly dim?: number;
}

export const calls: Calls = {
  flatten: ["startDim", "endDim"],
  slice: ["starts", "ends", "steps"],
  pad: ["padding"],
  tril: ["diagonal"],
  triu: ["diagonal"],
  cat: (inputs, { dim }: Args) => cat(inputs, dim),
  stack: (inputs, { dim }: Args) => stack(inputs, dim),
};
