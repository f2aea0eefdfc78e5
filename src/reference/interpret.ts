/**
 * The CPU reference: runs a graph with each op's `evaluate`, node by node, in plain loops.
 * Takes nodes and the memory of leaves, gives values. It is the definition that other devices are tested against.
 */

import { naming } from "../errors";
import { allocateHost, type HostArray, type TypedArray } from "../graph/dtype";
import { roundAllToHalf } from "../graph/half";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { topologicalOrder } from "../graph/walk";
import { opOf } from "../ops/op";

export interface InterpretOptions {
  /** Memory of a node that is not computed: data, a variable, or a value from before. Updates write into it. */
  readonly leaf: (node: Node) => TypedArray;
  /** Keeps every f32 in double precision: for gradient checks. */
  readonly keepF64?: boolean;
}

/**
 * Values of `roots`. Roots are computed in the order given, which is the order of updates.
 * Results that are leaves share the leaf's memory; all others are new.
 */
export function interpret(roots: readonly Node[], options: InterpretOptions): Map<Node, TypedArray> {
  const interpretation = new Interpretation(roots, options);
  return new Map(roots.map((root) => [root, interpretation.valueOf(root)]));
}

/** A graph that is being run, root by root: what a root's value is used for may decide what later leaves are. */
export class Interpretation {
  private readonly order: readonly Node[];
  private readonly lastUse: ReadonlyMap<Node, number>;
  private readonly rootSet: ReadonlySet<Node>;
  private readonly values = new Map<Node, TypedArray>();
  private position = 0;

  constructor(
    roots: readonly Node[],
    private readonly options: InterpretOptions,
  ) {
    this.order = topologicalOrder(roots, (node) => node.hasValue);
    this.lastUse = lastUses(this.order);
    this.rootSet = new Set(roots);
  }

  /** The value of a root. Computes the roots before it, if need be, and nothing beyond it. */
  valueOf(root: Node): TypedArray {
    while (!this.values.has(root)) this.advance();
    return this.values.get(root)!;
  }

  private advance(): void {
    const { leaf, keepF64 = false } = this.options;
    const position = this.position++;
    const node = this.order[position]!;
    if (node.hasValue) {
      this.values.set(node, leaf(node));
      return;
    }
    this.values.set(node, compute(node, this.values, keepF64, this.rootSet.has(node)));
    for (const input of node.inputs) {
      if (this.lastUse.get(input) === position && !this.rootSet.has(input)) this.values.delete(input);
    }
  }
}

/** Where in `order` each node is read for the last time. */
function lastUses(order: readonly Node[]): Map<Node, number> {
  const lastUse = new Map<Node, number>();
  order.forEach((node, position) => {
    if (!node.hasValue) for (const input of node.inputs) lastUse.set(input, position);
  });
  return lastUse;
}

function compute(node: Node, values: ReadonlyMap<Node, TypedArray>, keepF64: boolean, isRoot: boolean): TypedArray {
  const op = opOf(node);
  const { kind } = op.lowering;
  // the same elements in the same order: no copy, unless the result outlives the graph
  if (!isRoot && (kind === "alias" || kind === "reshape")) return values.get(node.inputs[0]!)!;
  const inputs = node.inputs.map((input) => hostArray(input, values.get(input)!));
  const data = naming(op.name, () => allocateHost(node.dtype, sizeOf(node.shape), keepF64));
  op.evaluate(inputs, hostArray(node, data), node.attrs);
  if (node.dtype === "f16" && !MOVING.has(kind)) roundAllToHalf(data); // what the array's own store does for the others
  return data;
}

/** Kinds of ops that give values which are there already. */
const MOVING: ReadonlySet<string> = new Set(["alias", "reshape", "view"]);

const hostArray = ({ shape, dtype }: Node, data: TypedArray): HostArray => ({ shape, dtype, data });
