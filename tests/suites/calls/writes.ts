import type { Calls } from "../call";

interface Scatter {
  readonly dim: number;
  readonly value?: number;
  readonly reduce?: "add" | "multiply";
}

interface ScatterReduce {
  readonly dim: number;
  readonly reduce: "sum" | "prod" | "mean" | "amax" | "amin";
  readonly includeSelf?: boolean;
}

interface Entries {
  readonly dim: number;
}

interface Value {
  readonly dim: number;
  readonly value?: number;
}

interface Along {
  readonly dim?: number;
}

interface Part {
  readonly dim: number;
  readonly start: number | null;
  readonly end: number | null;
  readonly step: number;
}

export const calls: Calls = {
  scatter: ([x, index, src], { dim, value, ...options }: Scatter) => x!.scatter(dim, index!, src ?? value!, options),
  scatterReduce: ([x, index, src], { dim, reduce, ...options }: ScatterReduce) =>
    x!.scatterReduce(dim, index!, src!, reduce, options),
  indexAdd: ([x, index, source], { dim, ...options }: Entries) => x!.indexAdd(dim, index!, source!, options),
  indexCopy: ([x, index, source], { dim }: Entries) => x!.indexCopy(dim, index!, source!),
  indexFill: ([x, index], { dim, value }: Value) => x!.indexFill(dim, index!, value!),
  takeAlongDim: ([x, index], { dim }: Along) => x!.takeAlongDim(index!, dim),
  maskedFill: ([x, mask, tensor], { value }: Value) => x!.maskedFill(mask!, tensor ?? value!),
  diagonalScatter: ["offset", "dim1", "dim2"],
  selectScatter: ["dim", "index"],
  sliceScatter: ([x, src], { dim, start, end, step }: Part) => x!.sliceScatter(src!, dim, start, end, step),
};
