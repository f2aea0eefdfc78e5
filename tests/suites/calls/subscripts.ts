import type { IndexItem, Tensor } from "../../../src";
import type { Calls } from "../call";

interface Args {
  readonly items: readonly (Exclude<IndexItem, Tensor> | `@${number}`)[];
  readonly accumulate?: boolean;
}

/** `@1` is the first of the tensors. */
const itemsOf = (items: Args["items"], tensors: readonly Tensor[]): IndexItem[] =>
  items.map((item) => (typeof item === "string" && item.startsWith("@") ? tensors[Number(item.slice(1)) - 1]! : item)) as IndexItem[]; // prettier-ignore

export const calls: Calls = {
  index: ([x, ...tensors], { items }: Args) => x!.index(...itemsOf(items, tensors)),
  setAt: ([x, value, ...tensors], { items, ...options }: Args) => x!.setAt(itemsOf(items, tensors), value!, options),
  indexPut: ([x, values, ...indices], options: Pick<Args, "accumulate">) => x!.indexPut(indices, values!, options),
};
