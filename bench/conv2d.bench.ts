/** Convolutions, forward and both gradients: a layer of a ResNet, and the three of tinyFlat. */

import { type Device, F, grad, noGrad, type Tensor } from "flywheel";
import type { Conv2dInfo } from "flywheel/dev";
import { type Expected, randomArray } from "./check";
import type { Row } from "./harness";
import { resident, tensorRow, variantRows } from "./rows";

/** A layer of 3x3 kernels with padding 1 on square images. */
interface Layer {
  readonly batch: number;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly stride: number;
}

const LAYERS: readonly Layer[] = [
  { batch: 32, from: 64, to: 64, size: 32, stride: 1 },
  // tinyFlat
  { batch: 128, from: 1, to: 16, size: 28, stride: 2 },
  { batch: 128, from: 16, to: 32, size: 14, stride: 2 },
  { batch: 128, from: 32, to: 64, size: 7, stride: 2 },
];
const KERNEL = 3;

export async function rows(device: Device): Promise<Row[]> {
  const all = await Promise.all(LAYERS.map((layer) => layerRows(device, layer)));
  return all.flat();
}

/** What a convolution reads and writes, on the host. */
interface Values {
  readonly x: Float32Array<ArrayBuffer>; // [batch, from, size, size]
  readonly weight: Float32Array<ArrayBuffer>; // [to, from, 3, 3]
  readonly gradOut: Float32Array<ArrayBuffer>; // [batch, to, out, out]
}

async function layerRows(device: Device, layer: Layer): Promise<Row[]> {
  const { batch, from, to, size, stride } = layer;
  const info = infoOf(layer);
  const out = info.outHeight;
  const values: Values = {
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
    output: keyof Values,
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

function infoOf({ batch, from, to, size, stride }: Layer): Conv2dInfo {
  const out = Math.ceil(size / stride);
  return {
    ...{ batch, inChannels: from, height: size, width: size, outChannels: to, outHeight: out, outWidth: out },
    ...{ kernelHeight: KERNEL, kernelWidth: KERNEL, strideHeight: stride, strideWidth: stride },
    ...{ padHeight: 1, padWidth: 1, dilationHeight: 1, dilationWidth: 1, groups: 1 },
  };
}

/** One of the three arrays from the two others: all sum x * weight * gradOut over what they do not have in common. */
function expectedOf(output: keyof Values, layer: Layer, values: Values): Expected {
  const { batch, from, to, size, stride } = layer;
  const out = Math.ceil(size / stride);
  const taps = KERNEL ** 2;
  /** An element by its indices; 0 outside of the image. */
  const x = (n: number, c: number, row: number, col: number): number =>
    row < 0 || col < 0 || row >= size || col >= size ? 0 : values.x[((n * from + c) * size + row) * size + col]!;
  const weight = (o: number, c: number, i: number, j: number): number =>
    values.weight[((o * from + c) * KERNEL + i) * KERNEL + j]!;
  const gradOut = (n: number, o: number, row: number, col: number): number =>
    row < 0 || col < 0 || row >= out || col >= out || row % 1 !== 0 || col % 1 !== 0
      ? 0
      : values.gradOut[((n * to + o) * out + row) * out + col]!;
  const sum = (count: number, term: (index: number) => number): number => {
    let total = 0;
    for (let index = 0; index < count; index++) total += term(index);
    return total;
  };
  const tap = (index: number): readonly [i: number, j: number] => [Math.floor((index % taps) / KERNEL), index % KERNEL];
  switch (output) {
    case "gradOut": // the output itself
      return {
        absolute: 1e-6 * from * taps,
        at(index) {
          const [n, o, row, col] = unflatten(index, [batch, to, out, out]);
          return sum(from * taps, (k) => {
            const [i, j] = tap(k);
            const c = Math.floor(k / taps);
            return weight(o!, c, i, j) * x(n!, c, row! * stride + i - 1, col! * stride + j - 1);
          });
        },
      };
    case "x":
      return {
        absolute: 1e-6 * to * taps,
        at(index) {
          const [n, c, row, col] = unflatten(index, [batch, from, size, size]);
          return sum(to * taps, (k) => {
            const [i, j] = tap(k);
            const o = Math.floor(k / taps);
            return weight(o, c!, i, j) * gradOut(n!, o, (row! + 1 - i) / stride, (col! + 1 - j) / stride);
          });
        },
      };
    case "weight":
      return {
        absolute: 1e-6 * batch * out ** 2,
        at(index) {
          const [o, c, i, j] = unflatten(index, [to, from, KERNEL, KERNEL]);
          return sum(batch * out ** 2, (k) => {
            const [n, row, col] = unflatten(k, [batch, out, out]);
            return gradOut(n!, o!, row!, col!) * x(n!, c!, row! * stride + i! - 1, col! * stride + j! - 1);
          });
        },
      };
  }
}

/** Indices of a row-major element. */
function unflatten(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .toReversed()
    .map((size) => {
      const at = rest % size;
      rest = (rest - at) / size;
      return at;
    })
    .reverse();
}
