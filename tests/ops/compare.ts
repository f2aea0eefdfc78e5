/** Nodes on a GPU against the reference: where they differ first. */

import type { Node } from "../../src/graph/node";
import { sizeOf } from "../../src/graph/shape";
import { interpret } from "../../src/reference/interpret";
import type { Engine } from "../../src/runtime/engine";
import type { Tolerance } from "./case";

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
