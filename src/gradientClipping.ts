/**
 * Clipping of gradients in place, arena by arena: the norm over all of them is folded in parts, then one factor scales them
 * all. Nothing waits for a norm on the host: it is a tensor like any other.
 */

import { DeviceError, DTypeError, ValueError } from "./errors";
import { type DType, promote } from "./graph/dtype";
import * as ops from "./ops";
import { describe } from "./options";
import { apply } from "./ops/op";
import { hostAction, hostConstant } from "./runtime/recorder";
import { floatTable, updateEffect } from "./runtime/update";
import { Variable } from "./runtime/variable";
import { zeros } from "./creation";
import { noteGradients, Parameter } from "./parameter";
import { arenasOf, type ParameterArena } from "./parameterArena";
import { type Tensor, wrap } from "./tensor";

/** An arena with parameters to clip, and its entry for each: 1, or 0 for those to leave alone. */
interface Clipped {
  readonly arena: ParameterArena;
  readonly entries: readonly number[];
}

/** What clipping by norm computes on the way, kept for the next time. */
interface NormState {
  readonly partials: Variable;
  readonly total: Variable;
  readonly factor: Variable;
}

/** By the first arena; others come with their partial norms. */
const normStates = new WeakMap<ParameterArena, NormState>();

/**
 * Scales all gradients so that their norm, as of one vector, is at most `maxNorm`.
 *
 * @returns the norm before, `[]`
 */
export function clipByNorm(parameters: readonly Parameter[], maxNorm: number, p: number): Tensor {
  const device = parameters[0]?.device;
  hostConstant("clipGradNorm_: maxNorm", maxNorm);
  hostConstant("clipGradNorm_: normType", p);
  noteParameters("clipGradNorm_", parameters);
  let state: NormState | null = null;
  hostAction(() => {
    state = pushNormClipping(clippedArenas(parameters), maxNorm, p);
  });
  const { total } = (state as NormState | null) ?? {};
  if (!device || !total) return zeros([], device && { device });
  return wrap(apply(ops.reshapeOp, [total.node], { shape: [] }), device);
}

/** Which gradients there are is asked at every call; which parameters are looked at must not change. */
function noteParameters(op: string, parameters: readonly Parameter[]): void {
  checkParameters(op, parameters);
  noteGradients(parameters);
  hostConstant(`${op}: parameters`, parameters.map(({ variable }) => variable.id).join());
}

function pushNormClipping(clipped: readonly Clipped[], maxNorm: number, p: number): NormState | null {
  const [first] = clipped;
  if (!first) return null;
  const { engine } = first.arena;
  const kind = ops.normKind(p);
  const dtype = clipped.map(({ arena }) => arena.dtype).reduce(promote);
  const settings = floatTable([p, 1 / p, maxNorm, 0], dtype);
  const state = normStateOf(clipped, dtype);
  const { partials, total, factor } = state;
  let offset = 0;
  for (const { arena, entries } of clipped) {
    const operands = [
      arena.gradients(),
      arena.layout.blocks,
      arena.segmentTable(entries),
      arena.layout.ranges,
      settings,
    ];
    engine.update(updateEffect(ops.gradNormOp, [...operands, partials], { kind, offset }, [partials]));
    offset += partialCount(arena);
  }
  engine.update(updateEffect(ops.clipFactorOp, [partials, settings, total, factor], { kind }, [total, factor]));
  for (const { arena, entries } of clipped) {
    const operands = [arena.gradients(), arena.layout.blocks, arena.segmentTable(entries), factor];
    engine.update(updateEffect(ops.clipGradNormOp, operands, {}, [arena.gradients()]));
  }
  return state;
}

/** Cuts all gradients off beyond +-limit. */
export function clipByValue(parameters: readonly Parameter[], limit: number): void {
  hostConstant("clipGradValue_: clipValue", limit);
  noteParameters("clipGradValue_", parameters);
  hostAction(() => {
    for (const { arena, entries } of clippedArenas(parameters)) {
      const limits = floatTable([limit, 0, 0, 0], arena.dtype);
      const operands = [arena.gradients(), arena.layout.blocks, arena.segmentTable(entries), limits];
      arena.engine.update(updateEffect(ops.clipGradValueOp, operands, {}, [arena.gradients()]));
    }
  });
}

const partialCount = ({ layout }: ParameterArena): number => Math.ceil(layout.count / ops.NORM_CHUNK);

function normStateOf(clipped: readonly Clipped[], dtype: DType): NormState {
  const { arena } = clipped[0]!;
  const count = clipped.reduce((total, each) => total + partialCount(each.arena), 0);
  let state = normStates.get(arena);
  if (state?.partials.size !== count || state.partials.dtype !== dtype) {
    state = {
      partials: new Variable("partial norms", [count], dtype),
      total: new Variable("gradient norm", [], dtype),
      factor: new Variable("clipping factor", [], dtype),
    };
    normStates.set(arena, state);
  }
  return state;
}

/** The arenas of those parameters that have gradients. */
function clippedArenas(parameters: readonly Parameter[]): Clipped[] {
  const withGradient = new Set(parameters.filter(({ hasGradient }) => hasGradient));
  if (withGradient.size === 0) return [];
  return arenasOf([...withGradient]).map((arena) => ({
    arena,
    entries: arena.parameters.map((parameter) => Number(withGradient.has(parameter))),
  }));
}

function checkParameters(op: string, parameters: readonly Parameter[]): void {
  const known = new Set<Parameter>();
  for (const parameter of parameters) {
    if (!((parameter as unknown) instanceof Parameter))
      throw new DTypeError(
        `${op}: only gradients of parameters can be clipped, got ${describe(parameter)}. Pass model.parameters().`,
      );
    if (known.has(parameter))
      throw new ValueError(
        `${op}: each parameter must be given once, got ${parameter.variable.name || parameter.toString()} twice. Remove one.`,
      );
    known.add(parameter);
  }
  const devices = new Set(parameters.map(({ device }) => device));
  if (devices.size > 1) {
    throw new DeviceError(
      `${op}: all parameters must be on one device, got ${[...devices].map(({ name }) => name).join(" and ")}. Clip them apart.`,
    );
  }
}
