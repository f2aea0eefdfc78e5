/** Two measures of a representation that ask no labels: how near views of one image are, and how evenly images are spread. */

import { stack } from "../combine";
import { arange } from "../creation";
import { ShapeError } from "../errors";
import * as F from "../functional";
import { where } from "../functions";
import { sameShape, showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import { checkTensors, type Tensor } from "../tensor";
import { checkPositive } from "./checks";

/**
 * Mean distance between the features of two views of the same images, to a power: `mean(|x - y| ^ alpha)`. Features are
 * normalised to length 1 first. Less is better; it may be a loss.
 *
 * @shape x, y `[n, dim]` -> `[]`
 * @param options.alpha default 2
 * @throws DTypeError for what is no tensor, ShapeError if both are not `[n, dim]`, ValueError if `alpha` is not positive
 * @see Wang and Isola 2020 (arXiv:2005.10242), align_loss
 *
 * @example
 * const near = await alignment(encoder.forward(view1), encoder.forward(view2)).item();
 */
export function alignment(x: Tensor, y: Tensor, options: { alpha?: number } = {}): Tensor {
  checkOptionNames("alignment", options, ["alpha"]);
  checkTensors("alignment", x, y);
  const { alpha = 2 } = options;
  if (x.ndim !== 2 || !sameShape(x.shape, y.shape) || x.size(0) === 0) {
    throw new ShapeError(
      `alignment: both must be [n, dim], got ${showShape(x.shape)} and ${showShape(y.shape)}. Pass features of two views of the same images.`,
    );
  }
  checkPositive("alignment", "alpha", alpha, ADVICE);
  const squared = directions(x).sub(directions(y)).square().sum(1); // [n]
  if (alpha === 2) return squared.mean();
  // views that are equal have distance 0 and, as in PyTorch, gradient 0
  const isApart = squared.gt(0);
  return where(isApart, where(isApart, squared, 1).pow(alpha / 2), 0).mean();
}

/** Rows whose distances to all others are held at once: 4 * 1024 * n bytes. */
const BLOCK = 1024;

/**
 * How near images are to each other, on average: `log(mean(exp(-t * |x_i - x_j| ^ 2)))` over all pairs. Features are
 * normalised to length 1 first. Less is better, about -4 at best with the default; it may be a loss.
 *
 * @shape `[n, dim] -> []`, n at least 2
 * @param options.t default 2; above 20 or so f32 has no room for features that are far apart
 * @throws DTypeError for what is no tensor, ShapeError if it is not `[n, dim]` or there is no pair, ValueError if `t` is not positive
 * @see Wang and Isola 2020 (arXiv:2005.10242), uniform_loss
 *
 * @example
 * const spread = await uniformity(await featuresOf(encoder, images)).item();
 */
export function uniformity(x: Tensor, options: { t?: number } = {}): Tensor {
  checkOptionNames("uniformity", options, ["t"]);
  checkTensors("uniformity", x);
  const { t = 2 } = options;
  if (x.ndim !== 2 || x.size(0) < 2) {
    throw new ShapeError(
      `uniformity: features must be [n, dim] of 2 or more, got ${showShape(x.shape)}. Flatten images.`,
    );
  }
  checkPositive("uniformity", "t", t, ADVICE);
  const n = x.size(0);
  const all = directions(x);
  const columns = arange(n, { device: x.device }).unsqueeze(0); // [1, n]
  const blocks = Array.from({ length: Math.ceil(n / BLOCK) }, (_, block) => {
    const first = Math.min(block * BLOCK, Math.max(n - BLOCK, 0)); // blocks of one size share a plan: the last one overlaps
    const rows = arange(first, Math.min(first + BLOCK, n), { device: x.device });
    const isPair = rows
      .unsqueeze(1)
      .gt(columns)
      .logicalAnd(rows.unsqueeze(1).ge(block * BLOCK)); // each once, none with itself
    const products = all.indexSelect(0, rows).matmul(all.transpose(0, 1)); // [b, n]
    const kernel = products
      .sub(1)
      .mul(2 * t)
      .exp(); // |a - b| ^ 2 = 2 - 2ab for lengths of 1
    return where(isPair, kernel, 0).sum();
  });
  return stack(blocks)
    .sum()
    .div((n * (n - 1)) / 2)
    .log();
}

const directions = (x: Tensor): Tensor => F.normalize(x, { dim: 1 });

const ADVICE = "The paper has 2.";
