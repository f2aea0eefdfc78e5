/** The dtype of every pointwise function's result, and of some reductions', against PyTorch; and that the page of the docs says the same. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as flywheel from "../../src";
import { ones, type Tensor, type TensorLike, where } from "../../src";
import { DTypeError, ValueError } from "../../src/errors";
import { type DType, PROMOTION } from "../../src/graph/dtype";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

type Result = DType | null;

/** What `tests/goldens/generators/dtypes.py` writes: null where PyTorch refuses. */
interface Goldens {
  readonly dtypes: readonly DType[];
  readonly tensors: readonly Result[][];
  readonly withScalar: readonly Result[][];
  readonly withNumber: readonly Result[][];
  readonly scalarWithNumber: readonly Result[][];
  readonly where: readonly Result[][];
  readonly unary: Readonly<Record<string, Result[]>>;
  readonly binary: Readonly<Record<string, Result[]>>;
  readonly byNumber: Readonly<Record<string, Result[][]>>;
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const golden = JSON.parse(read("../goldens/dtypes.json")) as Goldens;

const NUMBERS = [1, 1.5, true] as const;
const ALONG_0 = ["clamp", "cumsum", "cumprod", "logsumexp", "softmax", "logSoftmax"];

const argsOf = (op: string): number[] => (op === "threshold" ? [0, 1] : ALONG_0.includes(op) ? [0] : []);

const vector = (dtype: DType): Tensor => ones([1], { dtype });
const scalar = (dtype: DType): Tensor => ones([], { dtype });

type Loose = (...args: unknown[]) => Tensor;

/** A free function, one of F, or a method. */
function functionOf(name: string): Loose {
  const found =
    (flywheel as unknown as Record<string, Loose>)[name] ?? (flywheel.F as unknown as Record<string, Loose>)[name];
  if (found) return found;
  const method = (flywheel.Tensor.prototype as unknown as Record<string, Loose | undefined>)[name];
  if (!method) throw new Error(`there is no function ${name}`);
  return (x, ...args) => method.apply(x, args);
}

/** The dtype of a result; null where the dtype is refused, or a default does not fit it. */
function dtypeOf(make: () => Tensor): Result {
  try {
    return make().dtype;
  } catch (error) {
    if (error instanceof DTypeError || error instanceof ValueError) return null;
    throw error;
  }
}

/** A row per dtype, a column per operand. */
const rows = <T>(columns: readonly T[], make: (dtype: DType, column: T) => Tensor): Result[][] =>
  golden.dtypes.map((dtype) => columns.map((column) => dtypeOf(() => make(dtype, column))));

describe("operands meet as in PyTorch", () => {
  test("tensors", () => {
    expect(rows(golden.dtypes, (a, b) => vector(a).add(vector(b)))).toEqual(golden.tensors);
    expect(golden.dtypes.map((a) => golden.dtypes.map((b) => PROMOTION[a][b]))).toEqual(golden.tensors);
  });
  test("a tensor and a scalar", () => {
    expect(rows(golden.dtypes, (a, b) => vector(a).add(scalar(b)))).toEqual(golden.withScalar);
    expect(rows(golden.dtypes, (a, b) => flywheel.add(scalar(b), vector(a)))).toEqual(golden.withScalar);
  });
  test("a tensor and a number", () => {
    expect(rows(NUMBERS, (a, number) => vector(a).add(number))).toEqual(golden.withNumber);
    expect(rows(NUMBERS, (a, number) => flywheel.add(number, vector(a)))).toEqual(golden.withNumber);
  });
  test("a scalar and a number", () => {
    expect(rows(NUMBERS, (a, number) => scalar(a).add(number))).toEqual(golden.scalarWithNumber);
  });
  test("the sides of a choice", () => {
    expect(rows(golden.dtypes, (a, b) => where(vector("bool"), vector(a), vector(b)))).toEqual(golden.where);
  });
  test("u32, which PyTorch has not, is between u8 and i32", () => {
    expect(PROMOTION.u32).toEqual({
      ...{ bool: "u32", u8: "u32", u32: "u32", i32: "i32" },
      ...{ f16: "f16", f32: "f32", f64: "f64" },
    });
    for (const dtype of golden.dtypes) expect(PROMOTION[dtype].u32).toBe(PROMOTION.u32[dtype]);
  });
});

describe("results of one operand", () => {
  test.each(Object.entries(golden.unary))("%s", (op, expected) => {
    const found = golden.dtypes.map((dtype) => dtypeOf(() => functionOf(op)(vector(dtype), ...argsOf(op))));
    expect(found).toEqual(expected);
  });
});

const others = (op: string, x: Tensor): TensorLike[] =>
  op.startsWith("addc") ? [x, x] : op === "lerp" ? [x, 0.5] : [x];

describe("results of two operands", () => {
  test.each(Object.entries(golden.binary))("%s", (op, expected) => {
    const found = golden.dtypes.map((dtype) =>
      dtypeOf(() => functionOf(op)(vector(dtype), ...others(op, vector(dtype)))),
    );
    expect(found).toEqual(expected);
  });
  test.each(Object.entries(golden.byNumber))("%s by a number", (op, expected) => {
    expect(rows(NUMBERS, (dtype, number) => functionOf(op)(vector(dtype), number))).toEqual(expected);
  });
});

test("docs/DTYPES.md has the same table", () => {
  const table = read("../../docs/DTYPES.md")
    .split("\n")
    .filter((line) => line.startsWith("| **"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.replaceAll(/[*`]/g, "").trim()),
    );
  const dtypes = table.map(([name]) => name as DType);
  expect([...dtypes].sort()).toEqual(Object.keys(PROMOTION).sort());
  expect(table.map(([, ...cells]) => cells)).toEqual(dtypes.map((a) => dtypes.map((b) => PROMOTION[a][b])));
});
