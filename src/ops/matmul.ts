/** Matrix products. The op takes two matrices or two stacks of them; its builder brings everything else to that. */

import { ShapeError } from "../errors";
import { isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { broadcastShapes, type Shape, showShape, sizeOf } from "../graph/shape";
import { mul } from "./arithmetic";
import { expand, sumDims } from "./broadcast";
import { cast, commonDType } from "./cast";
import { checkDType, checkSameDType } from "./check";
import { multiplyAdd } from "./gemm";
import type { MatmulInfo } from "./kernelInfo";
import { apply, defineOp } from "./op";
import { FLOAT, type NoAttrs, NUMERIC } from "./pointwise";
import { forProduct } from "./precision";
import { toF64 } from "./strided";
import { isTransposed, reshape, transpose, unsqueeze } from "./views";

function checkInner(op: string, a: Shape, b: Shape): void {
  const inner = a.at(-1);
  const other = b.at(-2);
  if (inner === other) return;
  const hint =
    inner === b.at(-1) ? " Did you mean a.matmul(b.transpose(-1, -2))?" : " Transpose or reshape one of them.";
  throw new ShapeError(
    `${op}: inner dimensions must match, got ${showShape(a)} @ ${showShape(b)} (${inner} != ${other}).${hint}`,
  );
}

/** What the kernel is told when both operands are contiguous. */
function matmulInfo(a: Shape, b: Shape): MatmulInfo {
  const [m, k] = a.slice(-2) as [number, number];
  const n = b.at(-1)!;
  return {
    batch: sizeOf(a.slice(0, -2)),
    m,
    n,
    k,
    a: { offset: 0, batch: m * k, row: k, col: 1 },
    b: { offset: 0, batch: k * n, row: n, col: 1 },
  };
}

// C = A @ B: dA = dC @ B^T, dB = A^T @ dC
export const matmulOp = defineOp<NoAttrs>({
  name: "matmul",
  infer([a, b]) {
    checkDType("matmul", [a!, b!], FLOAT);
    checkSameDType("matmul", [a!, b!]);
    const rank = a!.shape.length;
    if (rank !== b!.shape.length || rank < 2 || rank > 3 || (rank === 3 && a!.shape[0] !== b!.shape[0])) {
      throw new ShapeError(
        `matmul: operands must be two matrices or two stacks of equal length, got ${showShape(a!.shape)} @ ${showShape(b!.shape)}. ` +
          `Expand and reshape them.`,
      );
    }
    checkInner("matmul", a!.shape, b!.shape);
    return { shape: a!.shape.with(-1, b!.shape.at(-1)!), dtype: a!.dtype };
  },
  evaluate([a, b], output) {
    const info = matmulInfo(a!.shape, b!.shape);
    const { batch, m, n, k } = info;
    const [left, right] = [toF64(a!.data), toF64(b!.data)];
    const out = new Float64Array(output.data.length);
    for (let i = 0; i < batch; i++) {
      multiplyAdd({ out, outStart: i * m * n, a: left, aStart: i * m * k, b: right, bStart: i * k * n }, m, n, k);
    }
    output.data.set(out);
  },
  vjp: (gradOut, { inputs: [a, b], needs }) => [
    needs[0] ? product(gradOut, transpose(b!, -1, -2)) : null,
    needs[1] ? gradientOfRight(a!, b!, gradOut) : null,
  ],
  lowering: {
    kind: "kernel",
    call: ({ inputs: [a, b] }) => ({ kernel: "matmul", info: matmulInfo(a!.shape, b!.shape) }),
  },
});

/** `a^T @ gradOut`; of a transposed operand, as layers have weights, made the way that the weight itself lies. */
function gradientOfRight(a: Node, b: Node, gradOut: Node): Node {
  if (!isTransposed(b)) return product(transpose(a, -1, -2), gradOut);
  return transpose(product(transpose(gradOut, -1, -2), a), -1, -2);
}

const product = (a: Node, b: Node): Node => apply(matmulOp, [a, b], {});

/**
 * Matrix product with PyTorch's rules: vectors count as a row on the left and a column on the right,
 * dimensions before the last two are a stack and broadcast.
 */
export const matmul = (a: Node, b: Node): Node => matmulAs("matmul", a, b);

/** `matmul` under the name that the user called, for errors. */
export const matmulAs = (op: string, first: Node, second: Node): Node => productAs(op, ...forProduct([first, second]));

/** The same in the operands' own dtype, also while autocast is on. */
export function productAs(op: string, a: Node, b: Node): Node {
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ShapeError(
      `matmul: operands must have at least 1 dimension, got ${showShape(a.shape)} @ ${showShape(b.shape)}. Use mul for scalars.`,
    );
  }
  const dtype = commonDType([a, b]);
  const left = a.shape.length === 1 ? unsqueeze(a, 0) : a;
  const right = b.shape.length === 1 ? unsqueeze(b, 1) : b;
  checkInner(op, left.shape, right.shape);
  const multiply = isFloat(dtype) ? stacked : productOfIntegers;
  const result = multiply(cast(left, dtype), cast(right, dtype));
  const rows = a.shape.length === 1 ? [] : [a.shape.at(-2)!];
  const columns = b.shape.length === 1 ? [] : [b.shape.at(-1)!];
  return reshape(result, [...result.shape.slice(0, -2), ...rows, ...columns]);
}

/** Integers have no kernel: products one by one, then their sums, which wrap. */
function productOfIntegers(a: Node, b: Node): Node {
  checkDType("matmul", [a, b], NUMERIC);
  const terms = mul(unsqueeze(a, -1), unsqueeze(b, -3)); // [..., m, k, n]
  return sumDims(terms, [terms.shape.length - 2]);
}

/** Products of operands with at least two dimensions. */
function stacked(a: Node, b: Node): Node {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  if (a.shape.length === 2 && b.shape.length === 2) return product(a, b);
  if (b.shape.length === 2) {
    // one matrix for the whole stack: the stack becomes rows
    const batch = a.shape.slice(0, -2);
    return reshape(product(reshape(a, [sizeOf(batch) * m, k]), b), [...batch, m, n]);
  }
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const size = sizeOf(batch);
  const left = reshape(expand(a, [...batch, m, k]), [size, m, k]);
  const right = reshape(expand(b, [...batch, k, n]), [size, k, n]);
  return reshape(product(left, right), [...batch, m, n]);
}
