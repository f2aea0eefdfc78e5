/** Nodes on a GPU against the reference: where they differ first. */

import { backward } from "../../src/autograd/backward";
import type { Node } from "../../src/graph/node";
import { fromHost } from "../../src/ops";
import type { Engine } from "../../src/runtime/engine";
import { boundsOf, firstOff } from "../helpers/tolerance";
import { noteWide } from "../helpers/wide";
import { build, Draw, type OpCase } from "./case";

/** Compares nodes on the engine's device with the reference; says where they differ. */
export async function mismatch(engine: Engine, nodes: readonly Node[], name: string): Promise<string | null> {
  const bounded = boundsOf(nodes, { device: "webgpu", to: "reference" });
  const got = await engine.read(nodes);
  for (const [n, node] of nodes.entries()) {
    const { values, bounds } = bounded[n]!;
    noteWide(`${name}, value ${n}`, bounded[n]!);
    const off = firstOff(got[n]!, values, bounds);
    if (off) return `value ${n} [${node.shape.join()}] ${off}`;
  }
  return null;
}

/** Where the outputs of an op's cases differ, a line each. */
export async function wrongOutputs(engine: Engine, name: string, cases: readonly OpCase[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const opCase of cases) {
    const difference = await mismatch(engine, [build(opCase).output], `${name}, ${opCase.name}`);
    if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
  }
  return wrong;
}

/** Cases whose inputs get gradients that mean something. */
export const differentiable = (cases: readonly OpCase[]): OpCase[] =>
  cases.filter((opCase) => opCase.grad && build(opCase, { requiresGrad: true }).output.requiresGrad);

/** Where the gradients of an op's cases differ, a line each. */
export async function wrongGradients(engine: Engine, name: string, cases: readonly OpCase[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const opCase of cases) {
    const { leaves, output } = build(opCase, { requiresGrad: true });
    const { host } = new Draw(`${name}/${opCase.name}`).uniform(output.shape, 0.5, 1.5);
    const targets = leaves.filter((leaf) => leaf.requiresGrad);
    const grads = backward([output], [fromHost(host.data, output.shape)], targets).filter((grad) => grad !== null);
    const difference = await mismatch(engine, grads, `gradient of ${name}, ${opCase.name}`);
    if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
  }
  return wrong;
}
