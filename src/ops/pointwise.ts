/** How pointwise ops are defined: a JavaScript function, its WGSL, a gradient. The ops themselves are in the files beside. */

import { type DType, inRegister, isFloat, isInteger, type TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { checkDType, checkSameDType, checkSameShape } from "./check";
import { defineOp, type Op, type PointwiseContext, type VjpContext } from "./op";
import { lit } from "./wgsl";

/** No attributes: all that a pointwise op depends on are its inputs. */
export type NoAttrs = Readonly<Record<string, never>>;
export type PointwiseOp = Op<NoAttrs>;

type Vjp = (gradOut: Node, context: VjpContext<NoAttrs>) => readonly (Node | null)[];

/** A function of two integers, signed and not; u8 is u32, cut to a byte. */
export interface IntegerFunctions {
  readonly i32: (a: number, b: number) => number;
  readonly u32: (a: number, b: number) => number;
}

/** Rounds as a store to the output will. */
type Round = (x: number) => number;

interface Spec {
  readonly name: string;
  /** dtypes that the inputs may have. */
  readonly dtypes: readonly DType[];
  /** dtype of the output, where it is not that of the inputs. */
  readonly result?: DType;
  /** Costs so much on a GPU that it is not computed twice. */
  readonly dear?: boolean;
  readonly vjp: Vjp | null;
}

interface UnarySpec extends Spec {
  readonly js: (x: number) => number;
  /** Where integers follow another rule than numbers. */
  readonly jsInteger?: (x: number) => number;
  readonly wgsl: (x: string, context: PointwiseContext) => string;
}

interface BinarySpec extends Spec {
  readonly js: (a: number, b: number, round: Round) => number;
  /** Where integers follow other rules than numbers: products and quotients. */
  readonly jsInteger?: IntegerFunctions;
  readonly wgsl: (a: string, b: string, context: PointwiseContext) => string;
}

export const FLOAT: readonly DType[] = ["f32", "f64", "f16"];
/** What reductions take: u8 would overflow there. */
export const NUMERIC: readonly DType[] = ["f32", "f64", "f16", "i32", "u32"];
export const NUMBER: readonly DType[] = [...NUMERIC, "u8"];
export const INTEGER: readonly DType[] = ["i32", "u32", "u8"];
export const BITS: readonly DType[] = [...INTEGER, "bool"];
export const ANY: readonly DType[] = [...NUMBER, "bool"];

/** Says so where a tensor has no float dtype. */
export function checkFloat(op: string, x: Node): Node {
  checkDType(op, [x], FLOAT);
  return x;
}

function mapUnary(out: TypedArray, x: TypedArray, f: (x: number) => number): void {
  for (let i = 0; i < out.length; i++) out[i] = f(x[i]!);
}

function mapBinary(out: TypedArray, a: TypedArray, b: TypedArray, f: BinarySpec["js"]): void {
  const round: Round = out instanceof Float32Array ? Math.fround : (x) => x;
  for (let i = 0; i < out.length; i++) out[i] = f(a[i]!, b[i]!, round);
}

/** An op's WGSL, where u8 is a u32 below 256 and f16 an f32. */
function onRegisters(wgsl: (context: PointwiseContext) => string, context: PointwiseContext): string {
  const { lanes, inputs, output } = context;
  const value = wgsl({ lanes, inputs: inputs.map(inRegister), output: inRegister(output) });
  return output === "u8" ? `(${value} & ${lit("255u", "u32", lanes)})` : value;
}

/** An op of one input. */
export const unary = ({ name, dtypes, result, dear = false, js, jsInteger, wgsl, vjp }: UnarySpec): PointwiseOp =>
  defineOp<NoAttrs>({
    name,
    infer([x]) {
      checkDType(name, [x!], dtypes);
      return { shape: x!.shape, dtype: result ?? x!.dtype };
    },
    evaluate: ([x], output) => mapUnary(output.data, x!.data, isFloat(x!.dtype) ? js : (jsInteger ?? js)),
    vjp,
    lowering: { kind: "pointwise", dear, wgsl: ([x], context) => onRegisters((c) => wgsl(x!, c), context) },
  });

/** An op of two inputs of one shape and dtype; builders see to that. */
export const binary = ({ name, dtypes, result, dear = false, js, jsInteger, wgsl, vjp }: BinarySpec): PointwiseOp =>
  defineOp<NoAttrs>({
    name,
    infer(inputs) {
      checkDType(name, inputs, dtypes);
      checkSameDType(name, inputs);
      checkSameShape(name, inputs);
      return { shape: inputs[0]!.shape, dtype: result ?? inputs[0]!.dtype };
    },
    evaluate([a, b], output) {
      const { dtype } = a!;
      const integer = jsInteger?.[dtype === "i32" ? "i32" : "u32"];
      mapBinary(output.data, a!.data, b!.data, integer && isInteger(dtype) ? integer : js);
    },
    vjp,
    lowering: { kind: "pointwise", dear, wgsl: ([a, b], context) => onRegisters((c) => wgsl(a!, b!, c), context) },
  });
