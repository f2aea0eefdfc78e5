/**
 * How a result is written: whole, or where its memory is too large for one binding window by window, by a launch for each.
 * The launches share their shader: they differ in the element that they start with, a parameter, and in what they bind.
 */

import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import type { KernelLimits, Pass } from "../kernels/kernel";
import type { ComposedLaunch } from "./launch";
import type { Field } from "./specialize";
import { paddedByteLength, type Window, windowElements, windowsOf } from "./windows";

/** The element that a launch starts with. */
const FIRST: Field = { name: "first", type: "u32" };

export class OutputWindows {
  private readonly windows: readonly Window[];

  constructor(
    private readonly root: Node,
    limits: KernelLimits,
  ) {
    this.windows = windowsOf(paddedByteLength(root), limits);
  }

  /** What `root` is in rows that are written to a place which only the run knows: nothing is cut. */
  static none(root: Node): OutputWindows {
    return new OutputWindows(root, { maxStorageBufferBindingSize: Infinity } as KernelLimits);
  }

  get isCut(): boolean {
    return this.windows.length > 1;
  }

  /** Fields of Params that the hooks need. */
  get params(): Field[] {
    return this.isCut ? [FIRST] : [];
  }

  /** Expression of the element that the output's binding starts with; null for the first of all. */
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
    return this.windows.map((window, index) => movedTo(launch, passAt(index * size), window));
  }
}

/** A launch with the grid and the parameters of another pass of its shader, writing to a window of the output. */
function movedTo(launch: ComposedLaunch, { grid, params, flops, bytes }: Pass, window: Window): ComposedLaunch {
  return {
    ...launch,
    grid,
    flops,
    bytes,
    bindings: launch.bindings.map((each) => (each.bound === "output" ? { ...each, window } : each)),
    params: launch.params.map(({ field, value }) => ({
      field,
      value: params[field.name] === undefined ? value : { value: params[field.name]! },
    })),
  };
}
