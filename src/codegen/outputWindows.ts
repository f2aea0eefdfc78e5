/**
 * How a result is written: whole, or where its memory is too large for one binding window by window, by a launch for each.
 * The launches share their shader: they differ in the element that they start with, a parameter, and in what they bind. What is
 * read at the very element that is stored follows the output: one window of it is bound at a time.
 */

import type { Node } from "../graph/node";
import { byteLengthOf } from "../graph/dtype";
import { sizeOf } from "../graph/shape";
import type { Pass } from "../kernels/kernel";
import { readsOf } from "./inPlace";
import type { Bound, ComposedLaunch } from "./launch";
import type { Field } from "./specialize";
import { type BindingLimit, paddedByteLength, type Window, windowElements, windowsOf } from "./windows";

/** The element that a launch starts with. */
const FIRST: Field = { name: "first", type: "u32" };

export class OutputWindows {
  private readonly windows: readonly Window[];
  /** Memory that follows the output. */
  private readonly followers: ReadonlySet<unknown>;

  /** @param isLoaded where the expression ends that computes `root` */
  constructor(
    private readonly root: Node,
    limits: BindingLimit,
    isLoaded: (node: Node) => boolean,
  ) {
    this.windows = windowsOf(paddedByteLength(root), limits);
    this.followers = this.isCut ? followersOf(root, isLoaded) : new Set();
  }

  /** For what is never cut: results of kernels. */
  static none(root: Node): OutputWindows {
    return new OutputWindows(root, { maxStorageBufferBindingSize: Infinity }, () => true);
  }

  get isCut(): boolean {
    return this.windows.length > 1;
  }

  /** Whether a value that is read is bound window by window, with the output. */
  isFollowedBy(node: Node): boolean {
    return this.followers.has(memoryKey(node));
  }

  /** Fields of Params that the hooks need. */
  get params(): Field[] {
    return this.isCut ? [FIRST] : [];
  }

  /** Expression of the element that the bindings of the output and its followers start with; null for the first of all. */
  get origin(): string | null {
    return this.isCut ? `params.${FIRST.name}` : null;
  }

  /** An element counted from the launch's first, as one of the whole result. */
  counted(element: string): string {
    return this.isCut ? `params.${FIRST.name} + ${element}` : element;
  }

  /** What a hook calls an argument that counts from the launch's first element. */
  argument(name: string): string {
    return this.isCut ? `${name}_here` : name;
  }

  /** The line that a hook starts with so that `name` counts from the first element of all. */
  head(name: string): string {
    return this.isCut ? `  let ${name} = ${this.counted(this.argument(name))};\n` : "";
  }

  /**
   * The launches.
   * @param passFor the pass that makes so many elements
   * @param compose a pass as a launch
   */
  launches(passFor: (elements: number) => Pass, compose: (pass: Pass) => ComposedLaunch): ComposedLaunch[] {
    const count = sizeOf(this.root.shape);
    if (!this.isCut) return [compose(passFor(count))];
    const size = windowElements(this.windows, this.root.dtype);
    const passAt = (first: number): Pass => {
      const pass = passFor(Math.min(size, count - first));
      return { ...pass, params: { ...pass.params, [FIRST.name]: first } };
    };
    const launch = compose(passAt(0));
    return this.windows.map((window, index) => this.movedTo(window, passAt(index * size), launch));
  }

  /** A launch with the grid and the parameters of another pass of its shader, for a window of the output. */
  private movedTo(window: Window, { grid, params, flops, bytes }: Pass, launch: ComposedLaunch): ComposedLaunch {
    const moves = (bound: Bound): boolean => bound === "output" || ("node" in bound && this.isFollowedBy(bound.node));
    return {
      ...launch,
      grid,
      flops,
      bytes,
      bindings: launch.bindings.map((each) => (moves(each.bound) ? { ...each, window } : each)),
      params: launch.params.map(({ field, value }) => ({
        field,
        value: params[field.name] === undefined ? value : { value: params[field.name]! },
      })),
    };
  }
}

/** What is the same for nodes that lie in the same memory: versions of a variable have several. */
const memoryKey = (node: Node): unknown => (node.variable ? `${node.variable.id} ${node.version}` : node);

/** Memory whose elements are read where the same element of `root` is computed, and nowhere else. */
function followersOf(root: Node, isLoaded: (node: Node) => boolean): Set<unknown> {
  const { inPlace, elsewhere } = readsOf(root, isLoaded);
  const others = new Set([...elsewhere].map(memoryKey));
  const isAlike = ({ shape, dtype }: Node): boolean =>
    sizeOf(shape) === sizeOf(root.shape) && byteLengthOf(dtype, 1) === byteLengthOf(root.dtype, 1);
  return new Set(
    [...inPlace]
      .filter((node) => isAlike(node))
      .map(memoryKey)
      .filter((key) => !others.has(key)),
  );
}
