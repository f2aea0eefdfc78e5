/** Layouts: values with their dimensions in another order, on the host. */

import type { HostTensor } from "./library";

/** The dimensions of `values` in the given order, as `permute` does; contiguous. */
export function permuted({ data, shape }: HostTensor, order: readonly number[]): HostTensor {
  const strides = shape.map((_, dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1));
  const to = order.map((dim) => shape[dim]!);
  const steps = order.map((dim) => strides[dim]!);
  const result = new Float32Array(data.length);
  const index = to.map(() => 0);
  let from = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = data[from]!;
    // the next index, the last dimension first
    for (let dim = to.length - 1; dim >= 0; dim--) {
      from += steps[dim]!;
      if (++index[dim]! < to[dim]!) break;
      from -= steps[dim]! * to[dim]!;
      index[dim] = 0;
    }
  }
  return { data: result, shape: to };
}
