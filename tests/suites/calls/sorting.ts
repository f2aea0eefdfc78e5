import type { Calls } from "../call";
import type { Exempt } from "../coverage";
import type { QuantileOptions, Tensor } from "../../../src";

interface Quantile extends QuantileOptions {
  readonly q?: number;
  readonly dim?: number;
}

const quantile =
  (op: "quantile" | "nanquantile") =>
  ([x, several]: readonly Tensor[], { q, dim, ...options }: Quantile): Tensor =>
    x![op](several ?? q!, dim, options);

interface Bincount {
  readonly minlength?: number;
}

export const calls: Calls = {
  topk: ["k"],
  sort: [], // dim is an option
  argsort: ["dim"],
  kthvalue: ["k", "dim"],
  quantile: quantile("quantile"),
  nanquantile: quantile("nanquantile"),
  unique: [],
  histc: ["bins", "min", "max"],
  bincount: ([x, weights], { minlength }: Bincount) => x!.bincount(weights, minlength),
};

const COUNTED = { "a gradient": "PyTorch has none" };

export const exempt: Exempt = {
  unique: COUNTED,
  uniqueConsecutive: COUNTED,
  histc: COUNTED,
  bincount: { ...COUNTED, "a view or broadcasting": "a vector has no views that permute it" },
};
