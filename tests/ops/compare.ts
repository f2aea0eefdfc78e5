/** Nodes on a GPU against the reference: where they differ first. */

import { backward } from "../../src/autograd/backward";
import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import { fromHost } from "../../src/ops";
import { interpret } from "../../src/reference/interpret";
import type { Engine } from "../../src/runtime/engine";
import { build, Draw, type OpCase, type Tolerance } from "./case";

/** Smallest normal f32: a GPU may flush what is below it. */
const TINY = 2 ** -126;

/** Infinity and NaN are close to nothing but themselves. */
export const isClose = (got: number, want: number, { abs, rel }: Pick<Tolerance, "abs" | "rel">): boolean =>
  Object.is(got, want) ||
  got === want ||
  (Number.isFinite(want) && Math.abs(got - want) <= abs + rel * Math.abs(want) + TINY);

/** Compares nodes on the engine's device with the reference; says where they differ. */
export async function mismatch(engine: Engine, nodes: readonly Node[], tolerance: Tolerance): Promise<string | null> {
  const want = interpret(nodes, { leaf: (node) => node.hostData! });
  const got = await engine.read(nodes);
  for (const [n, node] of nodes.entries()) {
    const values = got[n]!;
    const expected = want.get(node)!;
    if (values.length !== sizeOf(node.shape))
      return `value ${n} has ${values.length} elements, ${sizeOf(node.shape)} expected`;
    const off = [...expected.keys()].filter((i) => !isClose(values[i]!, expected[i]!, tolerance));
    if (off.length > 0) {
      const where = off[0]!;
      return `value ${n} [${node.shape.join()}]: ${off.length} of ${values.length} off, first at [${where}]: got ${values[where]}, reference ${expected[where]} (allowed: ${tolerance.because})`;
    }
  }
  return null;
}

/** Where the outputs of an op's cases differ, a line each. */
export async function wrongOutputs(engine: Engine, name: string, cases: readonly OpCase[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const opCase of cases) {
    const difference = await mismatch(engine, [build(opCase).output], opCase.tolerance);
    if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
  }
  return wrong;
}

/** Cases whose inputs get gradients that mean something. */
export const differentiable = (cases: readonly OpCase[]): OpCase[] =>
  cases.filter((opCase) => opCase.grad && build(opCase, { requiresGrad: true }).output.requiresGrad);

/** Sums of products of f32, in another order than the reference's: a few more roundings than the op alone. */
const LOOSER = 8;

/** Where the gradients of an op's cases differ, a line each. */
export async function wrongGradients(engine: Engine, name: string, cases: readonly OpCase[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const opCase of cases) {
    const { leaves, output } = build(opCase, { requiresGrad: true });
    const { host } = new Draw(`${name}/${opCase.name}`).uniform(output.shape, 0.5, 1.5);
    const targets = leaves.filter((leaf) => leaf.requiresGrad);
    const grads = backward([output], [fromHost(host.data, output.shape)], targets).filter((grad) => grad !== null);
    const { abs, rel, because } = opCase.tolerance;
    const difference = await mismatch(engine, grads, { abs: LOOSER * abs, rel: LOOSER * rel, because });
    if (difference) wrong.push(`${name}, ${opCase.name}: ${difference}`);
  }
  return wrong;
}
