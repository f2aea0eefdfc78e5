/**
 * PyTorch's functions of `torch` that work over dimensions, as functions: sums, extremes, scans, order. Each is the method of
 * `Tensor` of the same name, which says what it does.
 */

import { functionOf } from "./functionOf";
import type { Unique, UniqueOptions } from "./methods/order";
import { checkTensor, type Tensor } from "./tensor";

// --- reductions ------------------------------------------------------------------------------------------------------

/** See `Tensor.sum`. @see torch.sum */
export const sum = functionOf("sum");
/** See `Tensor.mean`. @see torch.mean */
export const mean = functionOf("mean");
/** See `Tensor.prod`. @see torch.prod */
export const prod = functionOf("prod");
/** See `Tensor.nansum`. @see torch.nansum */
export const nansum = functionOf("nansum");
/** See `Tensor.nanmean`. @see torch.nanmean */
export const nanmean = functionOf("nanmean");
/** See `Tensor.countNonzero`. @see torch.count_nonzero */
export const countNonzero = functionOf("countNonzero");
/** See `Tensor.var`. @see torch.var */
const variance = functionOf("var");
export { variance as var };
/** See `Tensor.std`. @see torch.std */
export const std = functionOf("std");
/** See `Tensor.varMean`. @see torch.var_mean */
export const varMean = functionOf("varMean");
/** See `Tensor.stdMean`. @see torch.std_mean */
export const stdMean = functionOf("stdMean");
/** See `Tensor.norm`. @see torch.norm */
export const norm = functionOf("norm");
/** See `Tensor.logsumexp`. @see torch.logsumexp */
export const logsumexp = functionOf("logsumexp");
/** See `Tensor.amax`. @see torch.amax */
export const amax = functionOf("amax");
/** See `Tensor.amin`. @see torch.amin */
export const amin = functionOf("amin");
/** See `Tensor.aminmax`. @see torch.aminmax */
export const aminmax = functionOf("aminmax");
/** See `Tensor.max`. @see torch.max */
export const max = functionOf("max");
/** See `Tensor.min`. @see torch.min */
export const min = functionOf("min");
/** See `Tensor.argmax`. @see torch.argmax */
export const argmax = functionOf("argmax");
/** See `Tensor.argmin`. @see torch.argmin */
export const argmin = functionOf("argmin");
/** See `Tensor.any`. @see torch.any */
export const any = functionOf("any");
/** See `Tensor.all`. @see torch.all */
export const all = functionOf("all");

// --- scans ---------------------------------------------------------------------------------------------------------

/** See `Tensor.cumsum`. @see torch.cumsum */
export const cumsum = functionOf("cumsum");
/** See `Tensor.cumprod`. @see torch.cumprod */
export const cumprod = functionOf("cumprod");
/** See `Tensor.logcumsumexp`. @see torch.logcumsumexp */
export const logcumsumexp = functionOf("logcumsumexp");
/** See `Tensor.cummax`. @see torch.cummax */
export const cummax = functionOf("cummax");
/** See `Tensor.cummin`. @see torch.cummin */
export const cummin = functionOf("cummin");
/** See `Tensor.diff`. @see torch.diff */
export const diff = functionOf("diff");

// --- order ---------------------------------------------------------------------------------------------------------

/** See `Tensor.topk`. @see torch.topk */
export const topk = functionOf("topk");
/** See `Tensor.sort`. @see torch.sort */
export const sort = functionOf("sort");
/** See `Tensor.argsort`. @see torch.argsort */
export const argsort = functionOf("argsort");
/** See `Tensor.msort`. @see torch.msort */
export const msort = functionOf("msort");
/** See `Tensor.kthvalue`. @see torch.kthvalue */
export const kthvalue = functionOf("kthvalue");
/** See `Tensor.median`. @see torch.median */
export const median = functionOf("median");
/** See `Tensor.nanmedian`. @see torch.nanmedian */
export const nanmedian = functionOf("nanmedian");
/** See `Tensor.mode`. @see torch.mode */
export const mode = functionOf("mode");
/** See `Tensor.quantile`. @see torch.quantile */
export const quantile = functionOf("quantile");
/** See `Tensor.nanquantile`. @see torch.nanquantile */
export const nanquantile = functionOf("nanquantile");
/** See `Tensor.histc`. @see torch.histc */
export const histc = functionOf("histc");
/** See `Tensor.bincount`. @see torch.bincount */
export const bincount = functionOf("bincount");

/** See `Tensor.unique`. @see torch.unique */
export async function unique<const O extends UniqueOptions = object>(input: Tensor, options?: O): Promise<Unique<O>> {
  checkTensor("unique", input);
  return input.unique(options);
}

/** See `Tensor.uniqueConsecutive`. @see torch.unique_consecutive */
export async function uniqueConsecutive<const O extends Omit<UniqueOptions, "sorted"> = object>(
  input: Tensor,
  options?: O,
): Promise<Unique<O>> {
  checkTensor("uniqueConsecutive", input);
  return input.uniqueConsecutive(options);
}
