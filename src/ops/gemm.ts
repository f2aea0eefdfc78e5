/** The matrix product that the CPU meaning of matmul and of the convolutions comes down to. */

/** Three matrices and where they start. */
export interface Operands {
  readonly out: Float64Array;
  readonly outStart: number;
  readonly a: Float64Array;
  readonly aStart: number;
  readonly b: Float64Array;
  readonly bStart: number;
}

/** A range of rows and columns. */
interface Part {
  readonly rows: readonly [from: number, to: number];
  readonly cols: readonly [from: number, to: number];
}

/**
 * `out += a @ b` for row-major `[m, k]` and `[k, n]`.
 * Blocks of 4 x 4 sums stay in registers: a load then serves four products.
 */
export function multiplyAdd(operands: Operands, m: number, n: number, k: number): void {
  const { out, outStart, a, aStart, b, bStart } = operands;
  const wholeRows = m - (m % 4);
  const wholeCols = n - (n % 4);
  for (let row = 0; row < wholeRows; row += 4) {
    for (let col = 0; col < wholeCols; col += 4) {
      block4(out, outStart + row * n + col, a, aStart + row * k, b, bStart + col, n, k);
    }
  }
  addRows(operands, { rows: [0, wholeRows], cols: [wholeCols, n] }, n, k);
  addRows(operands, { rows: [wholeRows, m], cols: [0, n] }, n, k);
}

function block4(
  out: Float64Array,
  o: number,
  a: Float64Array,
  aRow: number,
  b: Float64Array,
  bCol: number,
  n: number,
  k: number,
): void {
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0; // prettier-ignore
  let s10 = 0, s11 = 0, s12 = 0, s13 = 0; // prettier-ignore
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0; // prettier-ignore
  let s30 = 0, s31 = 0, s32 = 0, s33 = 0; // prettier-ignore
  for (let i = 0, p = bCol; i < k; i++, p += n) {
    const b0 = b[p]!, b1 = b[p + 1]!, b2 = b[p + 2]!, b3 = b[p + 3]!; // prettier-ignore
    const a0 = a[aRow + i]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3; // prettier-ignore
    const a1 = a[aRow + k + i]!;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3; // prettier-ignore
    const a2 = a[aRow + 2 * k + i]!;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3; // prettier-ignore
    const a3 = a[aRow + 3 * k + i]!;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3; // prettier-ignore
  }
  add4(out, o, s00, s01, s02, s03);
  add4(out, o + n, s10, s11, s12, s13);
  add4(out, o + 2 * n, s20, s21, s22, s23);
  add4(out, o + 3 * n, s30, s31, s32, s33);
}

function add4(out: Float64Array, o: number, s0: number, s1: number, s2: number, s3: number): void {
  out[o]! += s0;
  out[o + 1]! += s1;
  out[o + 2]! += s2;
  out[o + 3]! += s3;
}

/** What is left beside whole blocks: adds rows of `b`, whose elements are neighbours in memory. */
function addRows({ out, outStart, a, aStart, b, bStart }: Operands, { rows, cols }: Part, n: number, k: number): void {
  const [from, to] = cols;
  if (from === to) return;
  for (let row = rows[0]; row < rows[1]; row++) {
    const o = outStart + row * n;
    for (let i = 0; i < k; i++) {
      const factor = a[aStart + row * k + i]!;
      const p = bStart + i * n;
      for (let col = from; col < to; col++) out[o + col]! += factor * b[p + col]!;
    }
  }
}

/** The transpose of a row-major `[rows, cols]` that starts at `start`. */
export function transposed(data: Float64Array, start: number, rows: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0, p = start + row * cols; col < cols; col++) out[col * rows + row] = data[p + col]!;
  }
  return out;
}
