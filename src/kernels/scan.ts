/** Wrapper of shaders/scan.wgsl and its first passes: what is folded, and into how many chunks a line is cut. */
import type { ScanInfo } from "../ops/kernelInfo";
import carriesSource from "../../shaders/scanCarries.wgsl?raw";
import scanSource from "../../shaders/scan.wgsl?raw";
import totalsSource from "../../shaders/scanTotals.wgsl?raw";
import { foldGrid } from "./grid";
import { ceilDiv, type Kernel, type KernelLimits, type Pass, type Shader } from "./kernel";

const scanShader: Shader = { name: "scan", source: scanSource };
const totalsShader: Shader = { name: "scanTotals", source: totalsSource };
const carriesShader: Shader = { name: "scanCarries", source: carriesSource };

const WORKGROUP = 64;
/** Elements of a line that one invocation walks. Of longer lines it walks about their square root: chunk and carries add up the rounding. */
const SHORT = 128;

/** How a fold is written: the type it works on, and the expressions of its hooks. */
interface Fold {
  readonly value: string;
  readonly output: string;
  readonly byteLength: number;
  readonly identity: string;
  readonly combine: string;
  readonly load: string;
  readonly store: string;
}

/** A place in the input; one past all of them where there is none yet. `wins`: whether b takes the place of a. */
const places = (wins: string): Fold => ({
  value: "u32",
  output: "i32",
  byteLength: 4,
  identity: "0xffffffffu",
  combine: `select(select(select(a, b, ${wins}), a, b == identity()), b, a == identity())`,
  load: "place",
  store: "i32(value / params.inner % params.n)",
});

const numbers = (type: string, identity: string, combine: string): Fold => ({
  value: type,
  output: type,
  byteLength: 4,
  identity,
  combine,
  load: "input[place]",
  store: "value",
});

const LINEAR: Fold = {
  value: "vec2<f32>",
  output: "f32",
  byteLength: 8,
  identity: "vec2<f32>(1.0, 0.0)",
  combine: "step_after(a, b)",
  load: "vec2<f32>(factor[place], input[place])",
  store: "value.y",
};

function foldOf({ fold, dtype }: ScanInfo): Fold {
  const isFloat = dtype === "f32";
  switch (fold) {
    case "sum":
      return numbers(dtype, `${dtype}(0)`, "a + b");
    case "prod":
      return numbers(dtype, `${dtype}(1)`, "a * b");
    case "logSumExp":
      return numbers("f32", "inf_of(-1.0)", "log_add_exp(a, b)");
    case "linear":
      return LINEAR;
    case "maxIndex":
      return places(isFloat ? "is_later_max(input[a], input[b])" : "input[b] >= input[a]");
    case "minIndex":
      return places(isFloat ? "is_later_min(input[a], input[b])" : "input[b] <= input[a]");
  }
}

/** A pass with the fold written into it; what its shader does not declare is left out. */
function withFold(info: ScanInfo, pass: Pass): Pass {
  const { value, output, identity, combine, load, store } = foldOf(info);
  const hooks: Record<string, string> = {
    identity: `fn identity() -> Value { return ${identity}; }`,
    combine: `fn combine(a: Value, b: Value) -> Value { return ${combine}; }`,
    load: `fn load(place: u32) -> Value { return ${load}; }`,
    store: `fn store(value: Value) -> Output { return ${store}; }`,
    ...pass.hooks,
  };
  const aliases = { Input: info.dtype, Value: value, Output: output };
  const declared = (name: string): boolean => new RegExp(`^(alias|fn) ${name}\\b`, "m").test(pass.shader.source);
  const present = (holes: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(holes).filter(([name]) => declared(name)));
  return { ...pass, aliases: present(aliases), hooks: present(hooks) };
}

/** Walks whole lines, or chunks from their carries on. */
function scanPass(info: ScanInfo, chunk: number, chunks: number, limits: KernelLimits): Pass {
  const { outer, n, inner, reversed, fold } = info;
  const inputs: Pass["bindings"] = fold === "linear" ? { factor: "input0", input: "input1" } : { input: "input0" };
  const isChunked = chunks > 1;
  return withFold(info, {
    shader: scanShader,
    grid: foldGrid(ceilDiv(outer * chunks * inner, WORKGROUP), limits),
    consts: { WORKGROUP },
    hooks: isChunked ? {} : { carry: "fn carry(job: u32) -> Value { return identity(); }" },
    unbound: [...(fold === "linear" ? [] : ["factor"]), ...(isChunked ? [] : ["carries"])],
    params: { outer, n, inner, chunk, chunks, reversed: Number(reversed) },
    bindings: { ...inputs, ...(isChunked && { carries: "scratch1" }), output: "output" },
    flops: outer * n * inner,
    bytes: 8 * outer * n * inner,
  });
}

/** What each chunk folds to. */
function totalsPass(scan: Pass, info: ScanInfo): Pass {
  const { carries: _, output: __, ...inputs } = scan.bindings;
  return withFold(info, {
    ...scan,
    shader: totalsShader,
    hooks: {},
    unbound: info.fold === "linear" ? [] : ["factor"],
    bindings: { ...inputs, totals: "scratch0" },
    bytes: 4 * info.outer * info.n * info.inner,
  });
}

/** What comes before each chunk. */
function carriesPass(info: ScanInfo, chunks: number, limits: KernelLimits): Pass {
  const { outer, inner, fold } = info;
  const comparesPlaces = fold === "maxIndex" || fold === "minIndex";
  const count = outer * chunks * inner;
  return withFold(info, {
    shader: carriesShader,
    grid: foldGrid(ceilDiv(outer * inner, WORKGROUP), limits),
    consts: { WORKGROUP },
    unbound: comparesPlaces ? [] : ["input"],
    params: { outer, inner, chunks },
    bindings: { ...(comparesPlaces && { input: "input0" }), totals: "scratch0", carries: "scratch1" },
    flops: count,
    bytes: 8 * count,
  });
}

export const scan: Kernel<ScanInfo> = {
  name: "scan",
  shaders: [scanShader, totalsShader, carriesShader],
  plan(info, limits) {
    const { outer, n, inner } = info;
    const chunk = n <= SHORT ? n : 2 ** Math.ceil(Math.log2(n) / 2);
    const chunks = Math.max(1, ceilDiv(n, chunk));
    const last = scanPass(info, chunk, chunks, limits);
    if (chunks === 1) return { passes: [last] };
    const byteLength = foldOf(info).byteLength * outer * chunks * inner;
    return {
      passes: [totalsPass(last, info), carriesPass(info, chunks, limits), last],
      scratch: [byteLength, byteLength],
    };
  },
};
