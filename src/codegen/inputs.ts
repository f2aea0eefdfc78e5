/**
 * What a fused kernel reads from outside: buffers, which become bindings, and scalars, which become fields of Params.
 * Collects the ways each buffer is read, then declares it as vec4s where all of them allow it. What is too large for one
 * binding gets several.
 */

import type { Node } from "../graph/node";
import type { KernelLimits } from "../kernels/kernel";
import { type Access, accessors, memoryType, movedBy, paramType, type Reader, reader } from "./accessors";
import type { OutputWindows } from "./outputWindows";
import type { ExtraBinding, Field } from "./specialize";
import { paddedByteLength, type Window, windowElements, windowsOf } from "./windows";

interface Input {
  readonly name: string;
  readonly node: Node;
  readonly accesses: Set<Access>;
}

/** How a node's buffer is bound, as the scheduler knows it. */
export interface Placement {
  /** Whether it is the memory that the kernel writes: then it is read through the output's binding. */
  isOutput(node: Node): boolean;
  /** Whether it shares a buffer with memory that the kernel writes. */
  sharesOutputBuffer(node: Node): boolean;
}

/** A buffer that a kernel reads, or a window of it; null for the one that the launch is about. */
export interface BoundInput {
  readonly name: string;
  readonly node: Node;
  readonly window: Window | null;
}

export class KernelInputs {
  private readonly inputs = new Map<Node, Input>();
  private readonly scalars = new Map<Node, string>();

  constructor(
    private readonly placement: Placement,
    private readonly limits: KernelLimits,
    private readonly isUniform: (node: Node) => boolean,
    private readonly output: OutputWindows,
  ) {}

  isScalar(node: Node): boolean {
    return this.isUniform(node);
  }

  /** Expression of a scalar that lies in Params. */
  scalar(node: Node): string {
    let name = this.scalars.get(node);
    if (name === undefined) this.scalars.set(node, (name = `s${this.scalars.size}`));
    const text = `params.${name}`;
    return node.dtype === "bool" ? `(${text} != 0u)` : text;
  }

  /** Expression that loads from a node's buffer. */
  load(leaf: Node, access: Access, index: string): string {
    const node = this.sameMemory(leaf);
    let input = this.inputs.get(node);
    if (!input) this.inputs.set(node, (input = { name: `x${this.inputs.size}`, node, accesses: new Set() }));
    input.accesses.add(access);
    return `${input.name}_${access}(${index})`;
  }

  /** Leaves of one version of a variable are one buffer, which a kernel that writes beside it must not bind twice. */
  private sameMemory(node: Node): Node {
    if (node.variable === null) return node;
    for (const known of this.inputs.keys())
      if (known.variable === node.variable && known.version === node.version) return known;
    return node;
  }

  /** Buffers in the order in which they are bound, without the output itself. */
  get bound(): BoundInput[] {
    return [...this.inputs.values()].flatMap((input): BoundInput[] => {
      const { node } = input;
      if (this.placement.isOutput(node)) return [];
      if (this.output.isFollowedBy(node)) return [{ name: input.name, node, window: null }];
      return this.windowsOf(node).map((window, index) => ({ name: windowName(input, index), node, window }));
    });
  }

  private windowsOf(node: Node): Window[] {
    return windowsOf(paddedByteLength(node), this.limits);
  }

  /** Scalars in the order of their fields. */
  get uniform(): { name: string; node: Node }[] {
    return [...this.scalars].map(([node, name]) => ({ name, node }));
  }

  get extraParams(): Field[] {
    return this.uniform.map(({ name, node }) => ({ name, type: paramType(node.dtype) }));
  }

  get extraBindings(): ExtraBinding[] {
    return this.bound.map(({ name, node }) => {
      const element = memoryType(node.dtype);
      const type = this.isVector(this.inputs.get(node)!) ? `array<vec4<${element}>>` : `array<${element}>`;
      return { name, type, access: this.placement.sharesOutputBuffer(node) ? "read_write" : "read" };
    });
  }

  /**
   * The functions that loads call.
   * @param outputType the element type of the output's binding
   * @param outputName the binding through which what a kernel overwrites is read
   */
  helpers(outputType: string, outputName: (node: Node) => string = () => "output"): string[] {
    const { origin } = this.output;
    return [...this.inputs.values()].flatMap((input) => {
      const { node, name, accesses } = input;
      const source = { name, dtype: node.dtype, accesses };
      const isOutput = this.placement.isOutput(node);
      if (isOutput || this.output.isFollowedBy(node)) {
        const read = isOutput ? reader(outputName(node), outputType, node.dtype) : this.readerOf(input, 0);
        return accessors({ ...source, reads: [origin === null ? read : movedBy(origin, read)], size: Infinity });
      }
      const windows = this.windowsOf(node);
      const reads = windows.map((_, index) => this.readerOf(input, index));
      return accessors({ ...source, reads, size: windowElements(windows, node.dtype) });
    });
  }

  private readerOf(input: Input, window: number): Reader {
    const { dtype } = input.node;
    const element = memoryType(dtype);
    return reader(windowName(input, window), this.isVector(input) ? `vec4<${element}>` : element, dtype);
  }

  private isVector({ node, accesses }: Input): boolean {
    return node.dtype !== "u8" && [...accesses].every((access) => access === "vec" || access === "quad");
  }
}

const windowName = ({ name }: Input, index: number): string => (index === 0 ? name : `${name}_${index}`);
