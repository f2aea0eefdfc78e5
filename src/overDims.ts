/**
 * PyTorch's functions of `torch` that work over dimensions, as functions: sums, extremes, scans, order. Each is the method of
 * `Tensor` of the same name, which says what it does.
 */

import type { Unique, UniqueOptions } from "./methods/order";
import { checkTensors, type Tensor } from "./tensor";

/** A method as a function whose first argument is the tensor; up to three overloads. */
type Free<Method> = Method extends {
  (...args: infer A): infer X;
  (...args: infer B): infer Y;
  (...args: infer C): infer Z;
}
  ? { (input: Tensor, ...args: A): X; (input: Tensor, ...args: B): Y; (input: Tensor, ...args: C): Z }
  : never;

type MethodName = Extract<keyof Tensor, string>;

function free<Name extends MethodName>(name: Name): Free<Tensor[Name]> {
  const call = (input: Tensor, ...args: readonly unknown[]): unknown => {
    checkTensors(name, input);
    return (input[name] as (this: Tensor, ...args: readonly unknown[]) => unknown).apply(input, [...args]);
  };
  return call as Free<Tensor[Name]>;
}

// --- reductions ------------------------------------------------------------------------------------------------------

/** See `Tensor.sum`. @see torch.sum */
export const sum = free("sum");
/** See `Tensor.mean`. @see torch.mean */
export const mean = free("mean");
/** See `Tensor.prod`. @see torch.prod */
export const prod = free("prod");
/** See `Tensor.nansum`. @see torch.nansum */
export const nansum = free("nansum");
/** See `Tensor.nanmean`. @see torch.nanmean */
export const nanmean = free("nanmean");
/** See `Tensor.countNonzero`. @see torch.count_nonzero */
export const countNonzero = free("countNonzero");
/** See `Tensor.var`. @see torch.var */
const variance = free("var");
export { variance as var };
/** See `Tensor.std`. @see torch.std */
export const std = free("std");
/** See `Tensor.varMean`. @see torch.var_mean */
export const varMean = free("varMean");
/** See `Tensor.stdMean`. @see torch.std_mean */
export const stdMean = free("stdMean");
/** See `Tensor.norm`. @see torch.norm */
export const norm = free("norm");
/** See `Tensor.logsumexp`. @see torch.logsumexp */
export const logsumexp = free("logsumexp");
/** See `Tensor.amax`. @see torch.amax */
export const amax = free("amax");
/** See `Tensor.amin`. @see torch.amin */
export const amin = free("amin");
/** See `Tensor.aminmax`. @see torch.aminmax */
export const aminmax = free("aminmax");
/** See `Tensor.max`. @see torch.max */
export const max = free("max");
/** See `Tensor.min`. @see torch.min */
export const min = free("min");
/** See `Tensor.argmax`. @see torch.argmax */
export const argmax = free("argmax");
/** See `Tensor.argmin`. @see torch.argmin */
export const argmin = free("argmin");
/** See `Tensor.any`. @see torch.any */
export const any = free("any");
/** See `Tensor.all`. @see torch.all */
export const all = free("all");

// --- scans ---------------------------------------------------------------------------------------------------------

/** See `Tensor.cumsum`. @see torch.cumsum */
export const cumsum = free("cumsum");
/** See `Tensor.cumprod`. @see torch.cumprod */
export const cumprod = free("cumprod");
/** See `Tensor.logcumsumexp`. @see torch.logcumsumexp */
export const logcumsumexp = free("logcumsumexp");
/** See `Tensor.cummax`. @see torch.cummax */
export const cummax = free("cummax");
/** See `Tensor.cummin`. @see torch.cummin */
export const cummin = free("cummin");
/** See `Tensor.diff`. @see torch.diff */
export const diff = free("diff");

// --- order ---------------------------------------------------------------------------------------------------------

/** See `Tensor.topk`. @see torch.topk */
export const topk = free("topk");
/** See `Tensor.sort`. @see torch.sort */
export const sort = free("sort");
/** See `Tensor.argsort`. @see torch.argsort */
export const argsort = free("argsort");
/** See `Tensor.msort`. @see torch.msort */
export const msort = free("msort");
/** See `Tensor.kthvalue`. @see torch.kthvalue */
export const kthvalue = free("kthvalue");
/** See `Tensor.median`. @see torch.median */
export const median = free("median");
/** See `Tensor.nanmedian`. @see torch.nanmedian */
export const nanmedian = free("nanmedian");
/** See `Tensor.mode`. @see torch.mode */
export const mode = free("mode");
/** See `Tensor.quantile`. @see torch.quantile */
export const quantile = free("quantile");
/** See `Tensor.nanquantile`. @see torch.nanquantile */
export const nanquantile = free("nanquantile");
/** See `Tensor.histc`. @see torch.histc */
export const histc = free("histc");
/** See `Tensor.bincount`. @see torch.bincount */
export const bincount = free("bincount");

/** See `Tensor.unique`. @see torch.unique */
export async function unique<const O extends UniqueOptions = object>(input: Tensor, options?: O): Promise<Unique<O>> {
  checkTensors("unique", input);
  return input.unique(options);
}

/** See `Tensor.uniqueConsecutive`. @see torch.unique_consecutive */
export async function uniqueConsecutive<const O extends Omit<UniqueOptions, "sorted"> = object>(
  input: Tensor,
  options?: O,
): Promise<Unique<O>> {
  checkTensors("uniqueConsecutive", input);
  return input.uniqueConsecutive(options);
}
