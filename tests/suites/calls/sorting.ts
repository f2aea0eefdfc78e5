import type { Calls } from "../call";

export const calls: Calls = {
  topk: ["k"],
  sort: [], // dim is an option
};
