/** The losses that the figures go down. Each takes weights `[..., d]` and gives `[...]`. */

import { linspace, stack, tensor, type Tensor } from "flywheel";
import type { Loss } from "./descent";

/** `y = (2x)^2`: the gradient is 8x. */
export const bowl: Loss = (w) => weight(w, 0).mul(2).square();

/** `L = w^4/4 - w^2 + 0.3 w`: a deep valley at -1.48, and on the way from the right a shallow one at 1.33. */
export const twoValleys: Loss = (w) => {
  const x = weight(w, 0);
  return x.pow(4).div(4).sub(x.square()).add(x.mul(0.3));
};

/** A wide bowl with two dents: a deep one at the lower left, a shallow one at the upper right. */
export const dents: Loss = (w) => {
  const dent = (depth: number, width: number, x: number, y: number): Tensor =>
    squaredDistance(w, x, y).div(-width).exp().mul(depth);
  return squaredDistance(w, 0, 0)
    .mul(0.1)
    .sub(dent(1.5, 1.2, -1.2, -0.5))
    .sub(dent(0.8, 0.44, 1, 0.6));
};

/** `L = 0.2 x^2 + 15 y^2`: steep across, nearly flat along. */
export const ravine: Loss = (w) => weight(w, 0).square().mul(0.2).add(weight(w, 1).square().mul(15));

const weight = (w: Tensor, index: number): Tensor => w.select(-1, index);

const squaredDistance = (w: Tensor, x: number, y: number): Tensor =>
  weight(w, 0).sub(x).square().add(weight(w, 1).sub(y).square());

/** Where a picture of a loss of two weights lies, and how fine it is. */
export interface Grid {
  /** x goes from -halfWidth to halfWidth. */
  readonly halfWidth: number;
  readonly halfHeight: number;
  readonly columns: number;
  readonly rows: number;
}

/**
 * A loss of two weights on a grid.
 *
 * @returns `rows * columns` values, row by row from the lowest y up
 */
export async function onGrid(loss: Loss, { halfWidth, halfHeight, columns, rows }: Grid): Promise<Float32Array> {
  const [x, y] = [linspace(-halfWidth, halfWidth, columns), linspace(-halfHeight, halfHeight, rows)];
  const places = stack([x.expand(rows, columns), y.unsqueeze(1).expand(rows, columns)], -1); // [rows, columns, 2]
  return (await loss(places).data()) as Float32Array;
}

/** A loss of one weight along a line of places. */
export async function alongLine(loss: Loss, places: readonly number[]): Promise<number[]> {
  return Array.from(await loss(tensor(Float64Array.from(places), { dtype: "f64" }).unsqueeze(-1)).data(), Number);
}
