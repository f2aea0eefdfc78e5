/** Whether the indices that a program reads or writes by lie where they must: what a shader cannot throw, the host asks for. */

import type { TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { topologicalOrder } from "../graph/walk";
import { checkRange } from "../ops/indexing";
import { type IndexRange, opOf } from "../ops/op";
import { amax, amin } from "../ops/reduce";
import { type Program, rootsOf } from "./program";

/** The least and the largest index of each op that takes some: a range that holds them holds all. */
export class IndexChecks {
  /** Scalars that the program has to compute as well. */
  readonly nodes: readonly Node[];
  private readonly ranges: readonly IndexRange[];

  constructor({ effects, outputs }: Program) {
    const roots = [...effects.flatMap(rootsOf), ...outputs.map(({ node }) => node)];
    this.ranges = topologicalOrder(roots, (node) => node.hasValue).flatMap((node) => {
      const range = node.hasValue ? undefined : opOf(node).indices?.(node);
      return range && sizeOf(range.index.shape) > 0 ? [range] : [];
    });
    this.nodes = this.ranges.flatMap(({ index }) => [amin(index), amax(index)]);
  }

  /**
   * Looks at the scalars, in the order of the program.
   *
   * @throws IndexError that names the op and the index
   */
  check(values: readonly TypedArray[]): void {
    this.ranges.forEach(({ op, low, size }, i) => {
      checkRange(op, Int32Array.of(values[2 * i]![0]!, values[2 * i + 1]![0]!), size, low);
    });
  }
}
