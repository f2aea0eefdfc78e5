/** Shapes of the 62 tensors of a ResNet-18 with a 3x3 stem for colour images and 128 outputs, in order: weights, and BatchNorms' two. */
export function resnet18Shapes(): number[][] {
  const shapes = [[64, 3, 3, 3], [64], [64]];
  let from = 64;
  for (const to of [64, 64, 128, 128, 256, 256, 512, 512]) {
    shapes.push([to, from, 3, 3], [to], [to], [to, to, 3, 3], [to], [to]);
    if (from !== to) shapes.push([to, from, 1, 1], [to], [to]);
    from = to;
  }
  return [...shapes, [128, 512], [128]];
}
