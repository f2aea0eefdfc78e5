/** Checks that many ops share: dtypes and shapes of inputs, with messages that say what to do. */

import { DTypeError, ShapeError } from "../errors";
import { type DType, DTYPES } from "../graph/dtype";
import type { Node } from "../graph/node";
import { sameShape, showShape } from "../graph/shape";
import { checkNoDeviceName } from "../options";

/** Every input must have one of `allowed`. */
export function checkDType(op: string, inputs: readonly Node[], allowed: readonly DType[]): void {
  const wrong = inputs.find((input) => !allowed.includes(input.dtype));
  if (!wrong) return;
  const named = allowed.filter((dtype) => dtype !== "f64" && dtype !== "f16"); // go wherever f32 goes, but few have a use for them
  throw new DTypeError(
    `${op}: dtype must be ${named.join(" or ")}, got ${wrong.dtype}. ${wayOut(wrong.dtype, allowed)}`,
  );
}

function wayOut(dtype: DType, allowed: readonly DType[]): string {
  if (dtype === "bool")
    return `Cast it with .to("${allowed.includes("i32") ? "i32" : allowed[0]}"), or use the logical ops.`;
  return `Cast it with .to("${allowed[0]}").`;
}

/** What other libraries call the dtypes, and what is nearest where there is none. */
const OTHER_NAMES: Readonly<Record<string, DType>> = {
  double: "f64",
  float: "f32",
  float16: "f16",
  float32: "f32",
  float64: "f64",
  half: "f16",
  bfloat16: "f32",
  int: "i32",
  int8: "i32",
  int16: "i32",
  int32: "i32",
  int64: "i32",
  long: "i32",
  uint32: "u32",
  uint8: "u8",
  boolean: "bool",
};

/**
 * A dtype that a caller names must be one. TypeScript says so to those who use it.
 *
 * @throws DTypeError that says what it is called here
 */
export function checkDTypeName(op: string, dtype: unknown): void {
  if (DTYPES.includes(dtype as DType)) return;
  checkNoDeviceName(op, dtype);
  const name = String(dtype).replace("torch.", "");
  throw new DTypeError(
    `${op}: dtype must be one of ${DTYPES.join(", ")}, got ${String(dtype)}. Write "${OTHER_NAMES[name] ?? "f32"}".`,
  );
}

/** All inputs must have the dtype of the first. */
export function checkSameDType(op: string, inputs: readonly Node[]): void {
  const [first, ...others] = inputs;
  const wrong = others.find((input) => input.dtype !== first!.dtype);
  if (!wrong) return;
  throw new DTypeError(
    `${op}: dtypes must be equal, got ${first!.dtype} and ${wrong.dtype}. Cast one with .to("${first!.dtype}").`,
  );
}

/** All inputs must have the shape of the first. */
export function checkSameShape(op: string, inputs: readonly Node[]): void {
  const [first, ...others] = inputs;
  const wrong = others.find((input) => !sameShape(input.shape, first!.shape));
  if (!wrong) return;
  throw new ShapeError(
    `${op}: shapes must be equal, got ${showShape(first!.shape)} and ${showShape(wrong.shape)}. Expand one of them.`,
  );
}

/** An input must have `rank` dimensions. */
export function checkRank(op: string, what: string, node: Node, rank: number, layout: string): void {
  if (node.shape.length === rank) return;
  throw new ShapeError(
    `${op}: ${what} must have ${rank} dimensions ${layout}, got ${showShape(node.shape)}. Reshape or unsqueeze it.`,
  );
}
