/** Cases of pointwise functions that are composed: below an op that they use. */

import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { given, permuted, type Row, row, strided, table } from "./case";
import { contrasts } from "./contrast.cases";
import { apart, away, binary, EDGES, shifted, smooth, type Shaped, type Unary, unary } from "./pointwiseRows";

/** Rows of several functions below one op: their names are before the rows'. */
const named = (functions: Readonly<Record<string, readonly Row[]>>): Row[] =>
  Object.entries(functions).flatMap(([name, rows]) =>
    rows.map((make): Row => (op) => ({ ...make(`${op}/${name}`), name: `${name}, ${make(op).name}` })),
  );

const within =
  (low: number, high: number): Shaped =>
  (draw, shape) =>
    draw.uniform(shape, low, high);

/** Values that no kink of the function is near. */
const shapes = (make: Unary, values: Shaped): Row[] => [
  row("odd", (draw) => [values(draw, [3, 7])], make),
  row("strided", (draw) => [strided(values(draw, [3, 9]))], make),
  row("edges", () => [given(EDGES)], make, { grad: false }),
];

const isCloseTo = (a: Node, b: Node): Node => ops.isclose(a, b, { rtol: 0.1, atol: 0.01, equalNan: true });

export const cases = table({
  customVjp: named({
    "infoNCE of products that are held": contrasts(false),
    logit: unary(ops.logit, within(0.1, 0.9)),
    "logit within eps": shapes((x) => ops.logit(x, 0.05), within(0.1, 0.9)),
    sinc: [...unary(ops.sinc, away), ...named({ "near 0": shapes(ops.sinc, within(-0.19, 0.19)) })],
    xlogy: binary(ops.xlogy, away, within(0.2, 3)),
    logaddexp: binary(ops.logaddexp, smooth, smooth),
    logaddexp2: binary(ops.logaddexp2, smooth, smooth),
    lerp: [
      row("odd", (draw) => [draw.uniform([3, 7]), draw.uniform([7]), draw.uniform([3, 1], 0.1, 0.9)], ops.lerp),
      row(
        "permuted",
        (draw) => [permuted(draw.uniform([7, 3])), draw.uniform([3, 7])],
        (a, b) => ops.lerp(a, b, 0.3),
      ),
    ],
    hardswish: shapes(ops.hardswish, within(-2.9, 2.9)),
  }),
  where: named({
    fmax: binary(ops.fmax, apart, shifted),
    fmin: binary(ops.fmin, apart, shifted),
    nanToNum: shapes((x) => ops.nanToNum(x, 0.5, 7, -8), smooth),
    hardshrink: shapes((x) => ops.hardshrink(x, 0.2), away),
    softshrink: shapes((x) => ops.softshrink(x, 0.2), away),
    threshold: shapes((x) => ops.threshold(x, 0.1, 9), away),
    prelu: [row("channels", (draw) => [draw.awayFrom0([2, 3, 4]), draw.uniform([3])], ops.prelu)],
    softplus: shapes((x) => ops.softplus(x, { beta: 2, threshold: 3 }), away),
  }),
  sigmoid: named({
    glu: [
      row(
        "odd",
        (draw) => [draw.uniform([3, 6])],
        (x) => ops.glu(x),
      ),
      row(
        "first dim",
        (draw) => [permuted(draw.uniform([3, 4]))],
        (x) => ops.glu(x, 0),
      ),
    ],
  }),
  tanh: named({ tanhshrink: shapes(ops.tanhshrink, smooth) }),
  erfc: named({
    gelu: [
      ...shapes((x) => ops.gelu(x), smooth),
      row(
        "tail",
        (draw) => [draw.uniform([33], -9, -3)],
        (x) => ops.gelu(x),
      ),
    ],
  }),
  round: named({
    decimals: shapes(
      (x) => ops.roundDecimals(x, 1),
      (draw, shape) => ({ host: offTenths(draw.ints(shape, -9, 9, "f32").host) }),
    ),
  }),
  trunc: named({ frac: shapes(ops.frac, within(0.1, 0.9)) }),
  isfinite: named({ isclose: binary(isCloseTo) }),
  exp2: named({ ldexp: binary(ops.ldexp, smooth, smooth) }),
});

/** Floats not near where rounding to a decimal jumps. */
function offTenths(host: ReturnType<typeof given>["host"]): typeof host {
  return { ...host, data: (host.data as Float32Array).map((value) => value / 10 + 0.02) };
}
