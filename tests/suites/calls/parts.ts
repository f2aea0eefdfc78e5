import { F } from "../../../src";
import type { Calls } from "../call";

interface Split {
  readonly size: number | readonly number[];
  readonly dim?: number;
}

interface TensorSplit {
  readonly at: number | readonly number[];
  readonly dim?: number;
}

interface Windows {
  readonly kernelSize: number | readonly [number, number];
}

interface Fold extends Windows {
  readonly outputSize: number | readonly [number, number];
}

export const calls: Calls = {
  narrow: ["dim", "start", "length"],
  select: ["dim", "index"],
  split: ([x], { size, dim }: Split) => x!.split(size, dim),
  chunk: ["chunks", "dim"],
  tensorSplit: ([x], { at, dim }: TensorSplit) => x!.tensorSplit(at, dim),
  unfold: ["dimension", "size", "step"],
  unfoldImages: ([x], { kernelSize, ...options }: Windows) => F.unfold(x!, kernelSize, options),
  fold: ([x], { kernelSize, outputSize, ...options }: Fold) => F.fold(x!, outputSize, kernelSize, options),
  diagonal: ["offset", "dim1", "dim2"],
  diagEmbed: ["offset", "dim1", "dim2"],
  diag: ["diagonal"],
};
