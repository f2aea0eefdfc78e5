/** Wrapper of shaders/sort.wgsl and sortMerge.wgsl: a merge sort of rows that starts with short runs. */
import type { SortInfo, SortKeyType } from "../ops/kernelInfo";
import mergeSource from "../../shaders/sortMerge.wgsl?raw";
import sortKeySource from "../../shaders/lib/sortKey.wgsl?raw";
import sortSource from "../../shaders/sort.wgsl?raw";
import { foldGrid } from "./grid";
import { ceilDiv, type Kernel, type KernelLimits, type Operand, type Pass, type Shader } from "./kernel";

/** Library of shaders that compare by `sort_key`. */
export const sortKeyLibs: readonly Shader[] = [{ name: "lib/sortKey", source: sortKeySource }];
const sortShader: Shader = { name: "sort", source: sortSource, libs: sortKeyLibs };
export const mergeShader: Shader = { name: "sortMerge", source: mergeSource };

const WORKGROUP = 64;
/** Neighbours that one invocation sorts by itself. */
const RUN = 16;
/** Entries of a merged run that one invocation writes. */
const ITEMS = 8;

/** A u32 in the order of a value; `params.flip` turns the order around. */
const KEYS: Readonly<Record<SortKeyType, string>> = {
  f32: "sort_key(x, params.flip)",
  i32: "bitcast<u32>(x) ^ 0x80000000u ^ params.flip",
  u32: "x ^ params.flip",
};

/** What a shader that reads `input` by `key_of` needs to know of a dtype. */
export const keyHoles = (dtype: SortKeyType): Pick<Pass, "aliases" | "hooks"> => ({
  aliases: { Input: dtype },
  hooks: { key_of: `fn key_of(x: Input) -> u32 { return ${KEYS[dtype]}; }` },
});

/** Two buffers in turn: keys and places before and after a merge. */
export interface MergeBuffers {
  readonly keys: readonly [Operand, Operand];
  readonly places: readonly [Operand, Operand];
}

/** Turns that runs of `run` need to become one of `n`. */
const mergesFor = (n: number, run: number): number => Math.max(0, Math.ceil(Math.log2(n / run)));

/** Merges of `[rows, n]`, from sorted runs of `run` in the first buffers to whole rows; the last one writes the output. */
export function mergePasses(
  { rows, n, run }: { rows: number; n: number; run: number },
  { keys, places }: MergeBuffers,
  limits: KernelLimits,
): Pass[] {
  const turns = mergesFor(n, run);
  return Array.from({ length: turns }, (_, turn): Pass => {
    const [from, to] = turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    const length = run * 2 ** turn;
    const items = Math.min(ITEMS, 2 * length);
    return {
      shader: mergeShader,
      grid: foldGrid(ceilDiv(rows * ceilDiv(n, items), WORKGROUP), limits),
      consts: { WORKGROUP },
      params: { rows, n, run: length, items },
      bindings: {
        keys: keys[from],
        places: places[from],
        merged_keys: keys[to],
        output: turn === turns - 1 ? "output" : places[to],
      },
      flops: rows * n,
      bytes: 16 * rows * n,
    };
  });
}

export const sort: Kernel<SortInfo> = {
  name: "sort",
  shaders: [sortShader, mergeShader],
  plan({ rows, n, descending, dtype }, limits) {
    const runs = ceilDiv(n, RUN);
    const buffers: MergeBuffers = { keys: ["scratch0", "scratch1"], places: ["scratch2", "scratch3"] };
    const first: Pass = {
      shader: sortShader,
      grid: foldGrid(ceilDiv(rows * runs, WORKGROUP), limits),
      consts: { WORKGROUP, RUN },
      ...keyHoles(dtype),
      params: { rows, n, runs, flip: descending ? 0 : 0xffffffff },
      bindings: { input: "input0", keys: "scratch0", output: n <= RUN ? "output" : "scratch2" },
      flops: rows * n * Math.log2(RUN),
      bytes: 12 * rows * n,
    };
    const merges = mergePasses({ rows, n, run: RUN }, buffers, limits);
    const byteLength = 4 * rows * n;
    return {
      passes: [first, ...merges],
      scratch: merges.length === 0 ? [byteLength] : [byteLength, byteLength, byteLength, byteLength],
    };
  },
};
