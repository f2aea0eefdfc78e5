import type { Calls } from "../call";

interface Args {
  readonly dim: number;
}

export const calls: Calls = {
  gather: ([x, index], { dim }: Args) => x!.gather(dim, index!),
  scatterAdd: ([x, index, src], { dim }: Args) => x!.scatterAdd(dim, index!, src!),
  indexSelect: ([x, index], { dim }: Args) => x!.indexSelect(dim, index!),
  oneHot: ["numClasses"],
};
