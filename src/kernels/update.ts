/** Wrappers of the shaders that update whole arenas in place: one dispatch for all parameters. */
import type { AdamInfo, RmsPropInfo, SgdInfo, UpdateInfo } from "../ops/kernelInfo";
import adamSource from "../../shaders/adam.wgsl?raw";
import emaSource from "../../shaders/ema.wgsl?raw";
import momentumSgdSource from "../../shaders/momentumSgd.wgsl?raw";
import momentumSgdUniformSource from "../../shaders/momentumSgdUniform.wgsl?raw";
import momentumSgdEmaSource from "../../shaders/momentumSgdEma.wgsl?raw";
import rmsPropSource from "../../shaders/rmsProp.wgsl?raw";
import updateSource from "../../shaders/lib/update.wgsl?raw";
import { heuristicsOf } from "./heuristics";
import { ceilDiv, type Kernel, type KernelLimits, type Operand, type Pass, type Shader } from "./kernel";

export const updateLibs: readonly Shader[] = [{ name: "lib/update", source: updateSource }];

const libs = updateLibs;

/** Bindings by name: the inputs in order. */
export const inOrder = (inputs: readonly string[]): Record<string, Operand> =>
  Object.fromEntries(inputs.map((input, i) => [input, `input${i}` as const]));

interface ArenaPass extends Pick<Pass, "flops" | "bytes" | "consts" | "bindings" | "hooks" | "unbound"> {
  readonly isFlat?: boolean;
}

/** One dispatch over an arena of `count` elements; `flops` and `bytes` per element. `isFlat`: neighbours take neighbouring vec4s everywhere. */
export function arenaPass(
  shader: Shader,
  count: number,
  limits: KernelLimits,
  { flops, bytes, consts = {}, isFlat = false, ...holes }: ArenaPass,
): Pass {
  const { workgroup, run: inRow, invocations } = heuristicsOf(limits).update;
  const run = isFlat ? 1 : inRow;
  return {
    ...holes,
    shader,
    grid: [ceilDiv(Math.min(invocations, count / 4 / run), workgroup), 1, 1],
    consts: { WORKGROUP: workgroup, ...(!isFlat && { RUN: run }), ...consts },
    params: { count: count / 4 },
    flops: flops * count,
    bytes: bytes * count,
  };
}

/** A kernel whose bindings are its inputs in order; `flops` and `bytes` per element. */
export function updateKernel(
  name: string,
  source: string,
  inputs: readonly string[],
  cost: { flops: number; bytes: number },
): Kernel<UpdateInfo> {
  const shader: Shader = { name, source, libs };
  const bindings = inOrder(inputs);
  return {
    name,
    shaders: [shader],
    plan: ({ count }, limits) => ({ passes: [arenaPass(shader, count, limits, { ...cost, bindings })] }),
  };
}

const uniform: Shader = { name: "momentumSgdUniform", source: momentumSgdUniformSource, libs };

/** What follows a step in the same pass. */
const FOLLOW = "fn follow(i: u32, moved: vec4<f32>) { key[i] = ema(key[i], moved, coefficients.x, coefficients.y); }";

/** Momentum SGD, with or without what follows: by one shader where all parameters are alike, else by one that looks each up. */
function sgdKernel(
  name: string,
  source: string,
  inputs: readonly string[],
  cost: { flops: number; bytes: number },
): Kernel<SgdInfo> {
  const shader: Shader = { name, source, libs };
  const bindings = inOrder(inputs);
  const { blocks: _, segments: __, ...alike } = bindings;
  const follows = inputs.includes("key");
  const holes = follows ? { hooks: { follow: FOLLOW } } : { unbound: ["key", "coefficients"] };
  return {
    name,
    shaders: [shader, uniform],
    plan({ count, isAlike }, limits) {
      const pass = isAlike
        ? arenaPass(uniform, count, limits, { ...cost, ...holes, bindings: alike, isFlat: true })
        : arenaPass(shader, count, limits, { ...cost, bindings });
      return { passes: [pass] };
    },
  };
}

export const momentumSgd = sgdKernel(
  "momentumSgd",
  momentumSgdSource,
  ["param", "grad", "momentum", "blocks", "segments", "groups"],
  { flops: 7, bytes: 20 },
);

export const ema = updateKernel("ema", emaSource, ["param", "key", "coefficients"], { flops: 3, bytes: 12 });

export const momentumSgdEma = sgdKernel(
  "momentumSgdEma",
  momentumSgdEmaSource,
  ["param", "grad", "momentum", "key", "blocks", "segments", "groups", "coefficients"],
  { flops: 10, bytes: 28 },
);

/** Bindings of arenas that a use does not have: the shader must have something there, which it leaves alone. */
const NOTHING = 16;

const adamShader: Shader = { name: "adam", source: adamSource, libs };

export const adam: Kernel<AdamInfo> = {
  name: "adam",
  shaders: [adamShader],
  plan({ count, amsgrad }, limits) {
    const inputs = inOrder(["param", "grad", "exp_avg", "exp_avg_sq", "blocks", "segments", "rates", "groups"]);
    const pass = arenaPass(adamShader, count, limits, {
      flops: amsgrad ? 16 : 15,
      bytes: amsgrad ? 36 : 28,
      consts: { AMSGRAD: Number(amsgrad) },
      bindings: { ...inputs, max_exp_avg_sq: amsgrad ? "input8" : "scratch0" },
    });
    return { passes: [pass], scratch: amsgrad ? [] : [NOTHING] };
  },
};

const rmsPropShader: Shader = { name: "rmsProp", source: rmsPropSource, libs };

export const rmsProp: Kernel<RmsPropInfo> = {
  name: "rmsProp",
  shaders: [rmsPropShader],
  plan({ count, momentum, centered }, limits) {
    const inputs = inOrder(["param", "grad", "square_avg", "blocks", "segments", "groups"]);
    const optional = [momentum, centered].filter(Boolean).length;
    const pass = arenaPass(rmsPropShader, count, limits, {
      flops: 9 + (momentum ? 2 : 0) + (centered ? 5 : 0),
      bytes: 20 + 8 * optional,
      consts: { MOMENTUM: Number(momentum), CENTERED: Number(centered) },
      bindings: {
        ...inputs,
        momentum_buffer: momentum ? "input6" : "scratch0",
        grad_avg: centered ? `input${momentum ? 7 : 6}` : momentum ? "scratch0" : "scratch1",
      },
    });
    return { passes: [pass], scratch: new Array<number>(2 - optional).fill(NOTHING) };
  },
};
