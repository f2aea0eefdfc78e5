import type { Calls } from "../call";

export const calls: Calls = {
  norm: ["p", "dim"],
};
