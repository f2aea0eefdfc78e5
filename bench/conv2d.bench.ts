/** Convolutions, forward and both gradients: a layer of a ResNet, and the three of tinyFlat. */

import { type Device, F, grad, noGrad, type Tensor } from "flywheel";
import type { Conv2dInfo } from "flywheel/dev";
import { randomArray } from "./check";
import { type Conv2dLayer, type Conv2dValues, expectedOf, KERNEL } from "./conv2dExpected";
import type { Row } from "./harness";
import { resident, tensorRow, variantRows } from "./rows";

const LAYERS: readonly Conv2dLayer[] = [
  { batch: 32, from: 64, to: 64, size: 32, stride: 1 },
  // tinyFlat
  { batch: 128, from: 1, to: 16, size: 28, stride: 2 },
  { batch: 128, from: 16, to: 32, size: 14, stride: 2 },
  { batch: 128, from: 32, to: 64, size: 7, stride: 2 },
];

export async function rows(device: Device): Promise<Row[]> {
  const all = await Promise.all(LAYERS.map((layer) => layerRows(device, layer)));
  return all.flat();
}

async function layerRows(device: Device, layer: Conv2dLayer): Promise<Row[]> {
  const { batch, from, to, size, stride } = layer;
  const info = infoOf(layer);
  const out = info.outHeight;
  const values: Conv2dValues = {
    x: randomArray(batch * from * size ** 2, { seed: 1 }),
    weight: randomArray(to * from * KERNEL ** 2, { seed: 2 }),
    gradOut: randomArray(batch * to * out ** 2, { seed: 3 }),
  };
  const x = (await resident(values.x, [batch, from, size, size])).requiresGrad_();
  const weight = (await resident(values.weight, [to, from, KERNEL, KERNEL])).requiresGrad_();
  const gradOut = await resident(values.gradOut, [batch, to, out, out]);
  const forward = (): Tensor => F.conv2d(x, weight, null, { stride, padding: 1 });
  const gradientOf = (input: Tensor) => (): Tensor => grad(forward(), [input], { gradOutputs: gradOut })[0]!;

  const kernelRows = async (
    name: "conv2d" | "conv2dGradInput" | "conv2dGradWeight",
    inputs: readonly Float32Array<ArrayBuffer>[],
    output: keyof Conv2dValues,
    compute: () => Tensor,
  ): Promise<Row[]> => {
    const work = {
      work: `${name} ${batch}x${from}x${size}x${size}, ${to} of 3x3 / ${stride}`,
      flops: 2 * values.gradOut.length * from * KERNEL ** 2,
      bytes: 4 * (values.x.length + values.weight.length + values.gradOut.length),
      expected: expectedOf(output, layer, values),
    };
    return [
      tensorRow({ ...work, way: "default", compute }),
      ...(await variantRows(device, name, info, { ...work, inputs, length: values[output].length })),
    ];
  };
  return [
    ...(await kernelRows("conv2d", [values.x, values.weight], "gradOut", () => noGrad(forward))),
    // nobody needs the gradient of the images
    ...(from > 1 ? await kernelRows("conv2dGradInput", [values.gradOut, values.weight], "x", gradientOf(x)) : []),
    ...(await kernelRows("conv2dGradWeight", [values.x, values.gradOut], "weight", gradientOf(weight))),
  ];
}

function infoOf({ batch, from, to, size, stride }: Conv2dLayer): Conv2dInfo {
  const out = Math.ceil(size / stride);
  return {
    ...{ batch, inChannels: from, height: size, width: size, outChannels: to, outHeight: out, outWidth: out },
    ...{ kernelHeight: KERNEL, kernelWidth: KERNEL, strideHeight: stride, strideWidth: stride },
    ...{ padHeight: 1, padWidth: 1, dilationHeight: 1, dilationWidth: 1, groups: 1 },
  };
}
