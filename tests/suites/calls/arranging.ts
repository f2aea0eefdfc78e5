import {
  atleast1d,
  atleast2d,
  atleast3d,
  broadcastTensors,
  cartesianProd,
  columnStack,
  combinations,
  dstack,
  hstack,
  meshgrid,
  triuIndices,
  trilIndices,
  vstack,
} from "../../../src";
import type { Calls } from "../call";

interface Repeats {
  readonly repeats?: number;
  readonly dim?: number;
}

interface Triangle {
  readonly sizes: readonly [number, number, number?];
}

interface Combinations {
  readonly r?: number;
  readonly withReplacement?: boolean;
}

export const calls: Calls = {
  movedim: ["source", "destination"],
  moveaxis: ["source", "destination"],
  unflatten: ["dim", "sizes"],
  T: ([x]) => x!.T,
  mT: ([x]) => x!.mT,
  broadcastTensors: (inputs) => broadcastTensors(...inputs),
  roll: ["shifts", "dims"],
  rot90: ["k", "dims"],
  repeat: ["sizes"],
  repeatInterleave: ([x, counts], { repeats, dim }: Repeats) =>
    repeats === undefined ? x!.repeatInterleave(counts!, dim) : x!.repeatInterleave(repeats, dim),
  hstack: (inputs) => hstack(inputs),
  vstack: (inputs) => vstack(inputs),
  dstack: (inputs) => dstack(inputs),
  columnStack: (inputs) => columnStack(inputs),
  atleast1d: (inputs) => atleast1d(inputs),
  atleast2d: ([x]) => atleast2d(x!),
  atleast3d: ([x]) => atleast3d(x!),
  meshgrid: (inputs, options: { readonly indexing?: "ij" | "xy" }) => meshgrid(inputs, options),
  cartesianProd: (inputs) => cartesianProd(...inputs),
  combinations: ([x], { r, ...options }: Combinations) => combinations(x!, r, options),
  trilIndices: (_inputs, { sizes }: Triangle) => trilIndices(...sizes),
  triuIndices: (_inputs, { sizes }: Triangle) => triuIndices(...sizes),
};
