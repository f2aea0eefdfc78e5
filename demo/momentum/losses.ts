/** The losses that the figures go down. Each takes weights `[..., d]` and gives `[...]`. */

import { linspace, stack, tensor, type Tensor } from "flywheel";
import type { Loss } from "./descent";
import { rounded } from "./words";

/** `y = (a x)^2`: the gradient is `2 a^2 x`. */
export const bowl =
  (a: number): Loss =>
  (w) =>
    weight(w, 0).mul(a).square();

/** The curvature of that bowl, `2 a^2`: what SGD multiplies x by for its gradient. */
export const curvatureOf = (a: number): number => rounded(2 * a * a);

/** `L = walls w^4 - top w^2 + tilt w`: without tilt, valleys at `±sqrt(top / (2 walls))`, `top^2 / (4 walls)` below the top at 0. */
export interface HillShape {
  readonly walls: number;
  readonly top: number;
  readonly tilt: number;
}

/** The text's: a deep valley at -1.48, and on the way from the right a shallow one at 1.33. */
export const HILL: HillShape = { walls: 0.25, top: 1, tilt: 0.3 };

export const hilly =
  ({ walls, top, tilt }: HillShape): Loss =>
  (w) => {
    const x = weight(w, 0);
    return x.pow(4).mul(walls).sub(x.square().mul(top)).add(x.mul(tilt));
  };

/** Whether the hill has two valleys: where its gradient, `4 walls w^3 - 2 top w + tilt`, is 0 at three places. */
export const hasTwoValleys = ({ walls, top, tilt }: HillShape): boolean => 8 * top ** 3 > 27 * walls * tilt ** 2;

/** `depth exp(-((x - x0)^2 + (y - y0)^2) / width)`, to be taken off. */
export interface Dent {
  readonly depth: number;
  /** The square of the distance at which 1/e of the depth is left. */
  readonly width: number;
  readonly x: number;
  readonly y: number;
}

/** `L = bowl (x^2 + y^2)` less two dents. */
export interface DentsShape {
  readonly bowl: number;
  readonly dents: readonly [Dent, Dent];
}

/** The text's: a deep dent at the lower left, a shallow one at the upper right. */
export const DENTS: DentsShape = {
  bowl: 0.1,
  dents: [
    { depth: 1.5, width: 1.2, x: -1.2, y: -0.5 },
    { depth: 0.8, width: 0.44, x: 1, y: 0.6 },
  ],
};

export const dents =
  ({ bowl: steepness, dents: all }: DentsShape): Loss =>
  (w) =>
    all.reduce(
      (sum, { depth, width, x, y }) => sum.sub(squaredDistance(w, x, y).div(-width).exp().mul(depth)),
      squaredDistance(w, 0, 0).mul(steepness),
    );

/** `L = along x^2 + across y^2`. */
export interface RavineShape {
  readonly along: number;
  readonly across: number;
}

/** The text's: steep across, nearly flat along. */
export const RAVINE: RavineShape = { along: 0.2, across: 15 };

export const ravine =
  ({ along, across }: RavineShape): Loss =>
  (w) =>
    weight(w, 0).square().mul(along).add(weight(w, 1).square().mul(across));

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
