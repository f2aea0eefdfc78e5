/**
 * What a fused kernel reads from outside: buffers, which become bindings, and scalars, which become fields of Params.
 * Collects the ways each buffer is read, then declares it as vec4s where all of them allow it.
 */

import type { DType } from "../graph/dtype";
import type { Node } from "../graph/node";
import type { ExtraBinding, Field, ScalarType } from "./specialize";

/** One element; four from an index that 4 divides; four from any index; four at four indices. */
export type Access = "one" | "vec" | "run" | "each";

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

export class KernelInputs {
  private readonly inputs = new Map<Node, Input>();
  private readonly scalars = new Map<Node, string>();

  constructor(
    private readonly placement: Placement,
    private readonly isUniform: (node: Node) => boolean,
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
  get bound(): { name: string; node: Node }[] {
    return [...this.inputs.values()].filter(({ node }) => !this.placement.isOutput(node));
  }

  /** Scalars in the order of their fields. */
  get uniform(): { name: string; node: Node }[] {
    return [...this.scalars].map(([node, name]) => ({ name, node }));
  }

  get extraParams(): Field[] {
    return this.uniform.map(({ name, node }) => ({ name, type: scalarType(node.dtype) }));
  }

  get extraBindings(): ExtraBinding[] {
    return this.bound.map(({ name, node }) => {
      const element = memoryType(node.dtype);
      const type = this.isVector(this.inputs.get(node)!) ? `array<vec4<${element}>>` : `array<${element}>`;
      return { name, type, access: this.placement.sharesOutputBuffer(node) ? "read_write" : "read" };
    });
  }

  /** The functions that loads call. `outputType` is the element type of the output's binding. */
  helpers(outputType: string): string[] {
    return [...this.inputs.values()].flatMap((input) => {
      const isOutput = this.placement.isOutput(input.node);
      const memory = isOutput
        ? outputType
        : this.isVector(input)
          ? `vec4<${memoryType(input.node.dtype)}>`
          : memoryType(input.node.dtype);
      const read = reader(isOutput ? "output" : input.name, memory, input.node.dtype);
      return [...input.accesses].map((access) => accessor(input, access, read));
    });
  }

  private isVector({ node, accesses }: Input): boolean {
    return node.dtype !== "u8" && [...accesses].every((access) => access === "vec");
  }
}

const scalarType = (dtype: DType): ScalarType => (dtype === "f32" || dtype === "i32" ? dtype : "u32");
const memoryType = (dtype: DType): ScalarType => scalarType(dtype);
const valueType = (dtype: DType): string => (dtype === "u8" ? "u32" : dtype);

interface Reader {
  /** One element at an index expression. */
  one(index: string): string;
  /** Four elements from an index that 4 divides. */
  vec(index: string): string;
}

/** How elements of `dtype` are read from a binding of `memory` elements. */
function reader(name: string, memory: string, dtype: DType): Reader {
  const isVector = memory.startsWith("vec4");
  const stored = isVector ? memory.slice(5, -1) : memory;
  if (dtype === "u8") {
    const word = (index: string): string => `${name}[${index} / 4u]`;
    const byte = (index: string): string => `(${word(index)} >> (8u * (${index} % 4u))) & 255u`;
    return {
      one: byte,
      vec: (index) => `(vec4<u32>(${word(index)}) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u)`,
    };
  }
  const scalar = (index: string): string => (isVector ? `${name}[${index} / 4u][${index} % 4u]` : `${name}[${index}]`);
  const vector = (index: string): string =>
    isVector
      ? `${name}[${index} / 4u]`
      : `vec4<${stored}>(${[0, 1, 2, 3].map((l) => `${name}[${index} + ${l}u]`).join(", ")})`;
  return {
    one: (index) => converted(scalar(index), stored, dtype, 1),
    vec: (index) => converted(vector(index), stored, dtype, 4),
  };
}

function converted(value: string, stored: string, dtype: DType, lanes: 1 | 4): string {
  const zero = lanes === 1 ? "0u" : "vec4<u32>(0u)";
  const wide = (type: string): string => (lanes === 1 ? type : `vec4<${type}>`);
  if (dtype === "bool")
    return stored === "u32" ? `${value} != ${zero}` : `bitcast<${wide("u32")}>(${value}) != ${zero}`;
  return stored === dtype ? value : `bitcast<${wide(dtype)}>(${value})`;
}

function accessor({ name, node }: Input, access: Access, read: Reader): string {
  const type = valueType(node.dtype);
  const four = (index: (lane: number) => string): string =>
    `vec4<${type}>(${[0, 1, 2, 3].map((l) => read.one(index(l))).join(", ")})`;
  switch (access) {
    case "one":
      return `fn ${name}_one(i: u32) -> ${type} { return ${read.one("i")}; }`;
    case "vec":
      return `fn ${name}_vec(i: u32) -> vec4<${type}> { return ${read.vec("i")}; }`;
    case "run":
      return `fn ${name}_run(i: u32) -> vec4<${type}> { return ${four((l) => `(i + ${l}u)`)}; }`;
    case "each":
      return `fn ${name}_each(i: vec4<u32>) -> vec4<${type}> { return ${four((l) => `i[${l}]`)}; }`;
  }
}
