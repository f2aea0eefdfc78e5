/** Matrix products: square ones in each variant, and both transposes in place. */

import type { Device, Tensor } from "flywheel";
import type { MatmulInfo, MatrixStrides } from "flywheel/dev";
import { type Expected, randomArray } from "./check";
import type { Row } from "./harness";
import { resident, tensorRow, variantRows } from "./rows";

const SIZES = [256, 512, 1024];
const TRANSPOSED = 512;

export async function rows(device: Device): Promise<Row[]> {
  const square = await Promise.all(SIZES.map((n) => squareRows(device, n)));
  return [...square.flat(), ...(await transposedRows(TRANSPOSED))];
}

const flopsOf = (n: number): number => 2 * n ** 3;
const bytesOf = (n: number): number => 4 * 3 * n ** 2;

/** Element (row, col) of a matrix in row-major memory, or of its transpose. */
type Reader = (matrix: Float32Array, row: number, col: number, n: number) => number;
const plain: Reader = (matrix, row, col, n) => matrix[row * n + col]!;
const transpose: Reader = (matrix, row, col, n) => matrix[col * n + row]!;

const product = (a: Float32Array, b: Float32Array, n: number, readA = plain, readB = plain): Expected => ({
  at(index) {
    const row = Math.floor(index / n);
    const col = index % n;
    let sum = 0;
    for (let k = 0; k < n; k++) sum += readA(a, row, k, n) * readB(b, k, col, n);
    return sum;
  },
  absolute: 1e-6 * n, // sums of n products below 1
});

async function squareRows(device: Device, n: number): Promise<Row[]> {
  const a = randomArray(n * n, { seed: 1 });
  const b = randomArray(n * n, { seed: 2 });
  const work = { work: `matmul ${n}`, flops: flopsOf(n), bytes: bytesOf(n), expected: product(a, b, n) };
  const [x, y] = await Promise.all([resident(a, [n, n]), resident(b, [n, n])]);
  const strides: MatrixStrides = { offset: 0, batch: n * n, row: n, col: 1 };
  const info: MatmulInfo = { batch: 1, m: n, n, k: n, a: strides, b: strides };
  return [
    tensorRow({ ...work, way: "default", compute: () => x.matmul(y) }),
    ...(await variantRows(device, "matmul", info, { ...work, inputs: [a, b], length: n * n })),
  ];
}

/** A^T B, the weight gradient of a linear layer, and A B^T, its forward: no copy is made of the transpose. */
async function transposedRows(n: number): Promise<Row[]> {
  const a = randomArray(n * n, { seed: 3 });
  const b = randomArray(n * n, { seed: 4 });
  const [x, y] = await Promise.all([resident(a, [n, n]), resident(b, [n, n])]);
  const row = (name: string, compute: () => Tensor, expected: Expected): Row =>
    tensorRow({
      work: `matmul ${n}, ${name}`,
      way: "default",
      flops: flopsOf(n),
      bytes: bytesOf(n),
      compute,
      expected,
    });
  return [
    row("A^T B", () => x.transpose(0, 1).matmul(y), product(a, b, n, transpose, plain)),
    row("A B^T", () => x.matmul(y.transpose(0, 1)), product(a, b, n, plain, transpose)),
  ];
}
