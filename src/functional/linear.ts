/** Affine maps, and distances of vectors. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { build, buildWithNone, checkOptionalTensors, checkTensors, type Tensor } from "../tensor";

/**
 * `x @ weight.T + bias`
 *
 * @shape x `[..., inFeatures]`, weight `[outFeatures, inFeatures]`, bias `[outFeatures]` -> `[..., outFeatures]`; with a weight
 *   `[inFeatures]` and a bias `[]` -> `[...]`
 * @throws ShapeError if the last dimension of `x` is not `inFeatures`
 * @see torch.nn.functional.linear
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  checkTensors("linear", x, weight);
  checkOptionalTensors("linear", bias);
  return buildWithNone("linear", [x, weight, bias], ops.linear);
}

/** `x . y / max(|x| |y|, eps)` along `dim` (default 1), each length at least `eps`. @see torch.nn.functional.cosine_similarity */
export function cosineSimilarity(x: Tensor, y: Tensor, options: { dim?: number; eps?: number } = {}): Tensor {
  checkOptionNames("cosineSimilarity", options, ["dim", "eps"]);
  checkTensors("cosineSimilarity", x, y);
  const { dim = 1, eps = 1e-8 } = options;
  return build("cosineSimilarity", [x, y], (a, b) => ops.cosineSimilarity(a, b, dim, eps));
}
