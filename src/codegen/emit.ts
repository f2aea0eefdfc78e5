/**
 * Turns a fused expression into the body of a hook: pointwise ops become arithmetic, views become index arithmetic,
 * everything that lies in memory becomes a load. One emitter writes one function; the emitters of a kernel share its inputs.
 */

import { InternalError } from "../errors";
import { type DType, inRegister } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sizeOf } from "../graph/shape";
import { type IndexedContext, type Lanes, opOf, type PointwiseContext } from "../ops/op";
import { ComputedIndex, type Index, type LoopVariable, RootIndex, type Width } from "./indexing";
import type { KernelInputs } from "./inputs";

/** WGSL type of a value of `dtype`. */
export function wgslType(dtype: DType, lanes: Lanes): string {
  const scalar = inRegister(dtype);
  return lanes === 1 ? scalar : `vec4<${scalar}>`;
}

/** Expression of the u32 bits that are stored for a value. */
export function storedBits(value: string, dtype: DType, lanes: Lanes): string {
  const type = lanes === 1 ? "u32" : "vec4<u32>";
  if (dtype === "bool") return `select(${type}(0u), ${type}(1u), ${value})`;
  return dtype === "u32" || dtype === "u8" ? value : `bitcast<${type}>(${value})`;
}

/** Expression of a value as f16 holds it, itself an f32. */
const roundedHalf = (value: string, lanes: Lanes): string => `round_half${lanes === 4 ? "4" : ""}(${value})`;

/** What the emitter must know of the fusion: where expressions end. */
export interface Cuts {
  /** Whether a node's value lies in memory, so that it is loaded and not computed. */
  isLoaded(node: Node): boolean;
}

export class Emitter {
  private readonly lines: string[] = [];
  private readonly values = new Map<Node, Map<Index, string>>();
  private readonly given = new Map<Node, string>();
  private names = 0;
  /** Set where the flat index need not be a multiple of four. */
  unaligned = false;
  /** Position of the element that the function computes. */
  readonly root: RootIndex;

  constructor(
    private readonly inputs: KernelInputs,
    private readonly cuts: Cuts,
    readonly lanes: Lanes,
    variables: readonly LoopVariable[],
  ) {
    this.root = new RootIndex(variables, (expression, width) =>
      this.bind(expression, width === "base" ? "u32" : "vec4<u32>", "at"),
    );
  }

  /** Says how to get a node's value: by the name of an accumulator that an epilogue gets, or by another expression. */
  give(node: Node, expression: string): void {
    this.given.set(node, expression);
  }

  /** Lines of the function so far. */
  get body(): string {
    return this.lines.map((line) => `  ${line}\n`).join("");
  }

  /** The value of `node` at `index`, as an expression. */
  value(node: Node, index: Index): string {
    const given = this.given.get(node);
    if (given !== undefined) {
      const name = this.bind(given, wgslType(node.dtype, this.lanes), "t");
      this.given.set(node, name);
      return name;
    }
    let known = this.values.get(node);
    if (!known) this.values.set(node, (known = new Map<Index, string>()));
    let text = known.get(index);
    if (text === undefined)
      known.set(index, (text = this.bind(this.compute(node, index), wgslType(node.dtype, this.lanes), "t")));
    return text;
  }

  /** The value of a node of f16 as it is stored, at `index`. */
  half(node: Node, index: Index): string {
    const value = this.value(node, index);
    return this.isHalf(node) ? value : roundedHalf(value, this.lanes);
  }

  /** Whether f16 holds a node's value: not that of a number, which counts as f32 among halves, nor what only moves it. */
  private isHalf(node: Node): boolean {
    if (this.inputs.isScalar(node)) return false;
    if (this.cuts.isLoaded(node)) return true;
    const { kind } = opOf(node).lowering;
    return kind === "alias" || kind === "reshape" || kind === "view" ? this.isHalf(node.inputs[0]!) : true;
  }

  private bind(expression: string, type: string, prefix: string): string {
    if (/^\w+$/.test(expression)) return expression;
    const name = `${prefix}${this.names++}`;
    this.lines.push(`let ${name}: ${type} = ${expression};`);
    return name;
  }

  private get width(): Width {
    return this.lanes === 1 ? "base" : "lanes";
  }

  private compute(node: Node, index: Index): string {
    const value = this.exact(node, index);
    return node.dtype === "f16" && this.mustRound(node) ? roundedHalf(value, this.lanes) : value;
  }

  /** Every op of f16 rounds, as PyTorch's do and the CPU device's, unless it only moves halves. */
  private mustRound(node: Node): boolean {
    if (this.inputs.isScalar(node) || this.cuts.isLoaded(node)) return false;
    const { kind } = opOf(node).lowering;
    if (kind === "indexed") return node.inputs.some((input) => input.dtype === "f16" && !this.isHalf(input));
    return kind === "pointwise" || kind === "generator";
  }

  /** The value before it is rounded. */
  private exact(node: Node, index: Index): string {
    if (this.inputs.isScalar(node)) return this.splat(this.inputs.scalar(node), node.dtype);
    if (this.cuts.isLoaded(node)) return this.load(node, index);
    const { lowering } = opOf(node);
    const context = this.context(node);
    switch (lowering.kind) {
      case "alias":
        return this.value(node.inputs[0]!, index);
      case "pointwise":
        return lowering.wgsl(
          node.inputs.map((input) => this.value(input, index)),
          context,
        );
      case "reshape":
        return this.value(node.inputs[0]!, index.reshaped(node.inputs[0]!.shape));
      case "view": {
        const input = node.inputs[0]!;
        return this.value(input, index.through(lowering.axes(node.attrs, input.shape, node.shape), input.shape));
      }
      case "generator":
        return lowering.wgsl(
          index.flat(this.width),
          node.inputs.map((input) => this.value(input, index)),
          context,
        );
      case "indexed":
        return lowering.wgsl(node, this.indexedContext(node, index));
      default:
        throw new InternalError(`emit: ${node.op.name} (${lowering.kind}) must lie in memory before it is used here.`);
    }
  }

  private context(node: Node): PointwiseContext {
    return { lanes: this.lanes, inputs: node.inputs.map((input) => input.dtype), output: node.dtype };
  }

  private indexedContext(node: Node, index: Index): IndexedContext {
    const { lanes, width } = this;
    return {
      lanes,
      coords: node.shape.map((_, dim) => index.coord(dim, width)),
      constant: (value) => (lanes === 1 ? `${value}u` : `vec4<u32>(${value}u)`),
      read: (input, coords) => {
        const source = node.inputs[input]!;
        const isSame =
          coords.every((coord, dim) => coord === index.coord(dim, width)) && coords.length === node.shape.length;
        if (isSame && source.shape.join() === node.shape.join()) return this.value(source, index);
        const bindIndex = (text: string, w: Width): string => this.bind(text, w === "base" ? "u32" : "vec4<u32>", "at");
        return this.value(source, new ComputedIndex(source.shape, coords, width, this.root, bindIndex));
      },
      bind: (expression, type) => this.bind(expression, wgslType(type, lanes), "t"),
    };
  }

  private splat(text: string, dtype: DType): string {
    return this.lanes === 1 ? text : `${wgslType(dtype, 4)}(${text})`;
  }

  private load(node: Node, index: Index): string {
    if (sizeOf(node.shape) === 1) return this.splat(this.inputs.load(node, "one", "0u"), node.dtype);
    if (this.lanes === 1) return this.inputs.load(node, "one", index.flat("base"));
    switch (index.pattern) {
      case "same":
        return this.splat(this.inputs.load(node, "one", index.flat("base")), node.dtype);
      case "aligned": {
        if (this.unaligned) return this.inputs.load(node, "run", index.flat("base"));
        const quarter = index.quarter();
        return quarter === null
          ? this.inputs.load(node, "vec", index.flat("base"))
          : this.inputs.load(node, "quad", quarter);
      }
      case "consecutive":
        return this.inputs.load(node, "run", index.flat("base"));
      case "scattered":
        return this.inputs.load(node, "each", index.flat("lanes"));
    }
  }
}
