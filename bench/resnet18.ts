/** A ResNet-18 with a 3x3 stem and no pooling after it, for small colour images, and 128 outputs: which tensors it has, and where. */

/** A residual block: conv 3x3, BatchNorm, ReLU, conv 3x3, BatchNorm; around them a conv 1x1 and BatchNorm where shapes differ. */
export interface ResidualBlock {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
  /** Place of its first tensor among all; a convolution has one, a BatchNorm two. */
  readonly first: number;
  readonly isAround: boolean;
}

/** Channels of the blocks. */
const WIDTHS = [64, 64, 128, 128, 256, 256, 512, 512];
/** The stem comes before the blocks: a convolution and its BatchNorm. */
const STEM_TENSORS = 3;

export function resnet18Blocks(): ResidualBlock[] {
  let [from, first] = [64, STEM_TENSORS];
  return WIDTHS.map((to) => {
    const isAround = from !== to;
    const block = { from, to, stride: isAround ? 2 : 1, first, isAround };
    [from, first] = [to, first + (isAround ? 9 : 6)];
    return block;
  });
}

/** Shapes of the 62 tensors, in order: weights, and BatchNorms' two; the head's come last. */
export function resnet18Shapes(): number[][] {
  const blocks = resnet18Blocks().flatMap(({ from, to, isAround }) => [
    ...[[to, from, 3, 3], [to], [to], [to, to, 3, 3], [to], [to]],
    ...(isAround ? [[to, from, 1, 1], [to], [to]] : []),
  ]);
  return [[64, 3, 3, 3], [64], [64], ...blocks, [128, 512], [128]];
}
