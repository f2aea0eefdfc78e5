/** What a convolution and its gradients should be, element by element: a sample of them says enough of large ones. */

import type { Expected } from "./check";

/** A layer of 3x3 kernels with padding 1 on square images. */
export interface Conv2dLayer {
  readonly batch: number;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly stride: number;
}

export const KERNEL = 3;

/** What a convolution reads and writes, on the host. */
export interface Conv2dValues {
  readonly x: Float32Array<ArrayBuffer>; // [batch, from, size, size]
  readonly weight: Float32Array<ArrayBuffer>; // [to, from, 3, 3]
  readonly gradOut: Float32Array<ArrayBuffer>; // [batch, to, out, out]
}

/** One of the three arrays from the two others: all sum x * weight * gradOut over what they do not have in common. */
export function expectedOf(output: keyof Conv2dValues, layer: Conv2dLayer, values: Conv2dValues): Expected {
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
          let total = 0;
          for (let n = 0; n < batch; n++) {
            for (let row = 0; row < out; row++) {
              for (let col = 0; col < out; col++) {
                total += gradOut(n, o!, row, col) * x(n, c!, row * stride + i! - 1, col * stride + j! - 1);
              }
            }
          }
          return total;
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
