/**
 * Arena updates as effects: momentum SGD over parameters, EMA of the key encoder, and the two as one.
 */

import { ValueError } from "../errors";
import { fromHost } from "../ops/leaf";
import { apply } from "../ops/op";
import { emaOp, GROUP_SIZE, momentumSgdEmaOp, momentumSgdOp } from "../ops/update";
import type { Node } from "../graph/node";
import type { Arena } from "./arena";
import type { UpdateEffect, Versioned } from "./program";

/** Groups in the uniform of shaders/momentumSgd.wgsl. */
const MAX_GROUPS = 32;

const versionsOf = (arena: Arena): Versioned[] =>
  arena.members.map((variable) => ({ variable, version: variable.version }));

const nextVersionsOf = (arena: Arena): Versioned[] =>
  arena.members.map((variable) => ({ variable, version: variable.nextVersion() }));

/** `param`, `momentum` := one step of momentum SGD. Operands as in `ops/update`. */
export function momentumSgdEffect(
  arenas: { param: Arena; grad: Arena; momentum: Arena },
  tables: { segments: Node; groups: Node },
): UpdateEffect {
  const { param, grad, momentum } = arenas;
  const node = apply(
    momentumSgdOp,
    [param.node, grad.node, momentum.node, param.layout.blocks, tables.segments, paddedGroups(tables.groups)],
    {},
  );
  const reads = [...versionsOf(param), ...versionsOf(grad), ...versionsOf(momentum)];
  return { kind: "update", node, reads, writes: [...nextVersionsOf(param), ...nextVersionsOf(momentum)] };
}

/** The groups' settings with room for as many groups as the shader's uniform holds. */
function paddedGroups(groups: Node): Node {
  const data = new Float32Array(MAX_GROUPS * GROUP_SIZE);
  if (groups.hostData!.length > data.length) {
    throw new ValueError(
      `step: an optimizer must have at most ${MAX_GROUPS} parameter groups, got ${groups.hostData!.length / GROUP_SIZE}. Use two optimizers.`,
    );
  }
  data.set(groups.hostData!);
  return fromHost(data, [data.length]);
}

/** `key := key * m + param * (1 - m)`. `coefficients` is f32 `[m, 1 - m, 0, 0]`. */
export function emaEffect(arenas: { param: Arena; key: Arena }, coefficients: Node): UpdateEffect {
  const { param, key } = arenas;
  const node = apply(emaOp, [param.node, key.node, coefficients], {});
  const reads = [...versionsOf(param), ...versionsOf(key)];
  return { kind: "update", node, reads, writes: nextVersionsOf(key) };
}

/** An SGD step and the EMA that follows it on the same parameters, as one dispatch; null where they are not that. */
export function fuseUpdates(first: UpdateEffect, second: UpdateEffect): UpdateEffect | null {
  if (first.node.op !== momentumSgdOp || second.node.op !== emaOp) return null;
  const [param, grad, momentum, blocks, segments, groups] = first.node.inputs;
  const [emaParam, key, coefficients] = second.node.inputs;
  if (param!.variable !== emaParam!.variable) return null;
  const node = apply(
    momentumSgdEmaOp,
    [param!, grad!, momentum!, key!, blocks!, segments!, groups!, coefficients!],
    {},
  );
  const made = new Set(first.writes.map(({ variable }) => variable));
  const reads = [...first.reads, ...second.reads.filter(({ variable }) => !made.has(variable))];
  return { kind: "update", node, reads, writes: [...first.writes, ...second.writes] };
}
