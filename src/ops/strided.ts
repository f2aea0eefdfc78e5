/** Copies between host arrays by strides; what views mean on the CPU. */

import type { TypedArray } from "../graph/dtype";
import type { Shape } from "../graph/shape";

/** Dimensions of size 1 dropped, neighbours that lie one after the other in memory joined. */
function collapse(shape: Shape, strides: readonly number[]): { sizes: number[]; steps: number[] } {
  const sizes: number[] = [];
  const steps: number[] = [];
  for (let d = 0; d < shape.length; d++) {
    const size = shape[d]!;
    const step = strides[d]!;
    if (size === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && steps[last] === size * step) {
      sizes[last] = sizes[last]! * size;
      steps[last] = step;
    } else {
      sizes.push(size);
      steps.push(step);
    }
  }
  return { sizes, steps };
}

/**
 * Calls `row(outStart, inStart)` for each innermost row of an iteration over `sizes` in row-major order,
 * where `inStart` moves by `steps`.
 */
export function forEachRow(
  sizes: Shape,
  steps: readonly number[],
  offset: number,
  row: (outStart: number, inStart: number) => void,
): void {
  const outer = sizes.length - 1;
  const rowLength = sizes[outer] ?? 1;
  const counter = new Int32Array(Math.max(outer, 0));
  let rows = 1;
  for (let d = 0; d < outer; d++) rows *= sizes[d]!;
  let position = offset;
  for (let r = 0; r < rows; r++) {
    row(r * rowLength, position);
    for (let d = outer - 1; d >= 0; d--) {
      position += steps[d]!;
      if (++counter[d]! < sizes[d]!) break;
      position -= steps[d]! * sizes[d]!;
      counter[d] = 0;
    }
  }
}

/** `output[i0, i1, ...] = input[offset + i0 * strides[0] + i1 * strides[1] + ...]`, output contiguous. */
export function copyStrided(
  output: TypedArray,
  input: TypedArray,
  shape: Shape,
  strides: readonly number[],
  offset: number,
): void {
  if (output.length === 0) return;
  const { sizes, steps } = collapse(shape, strides);
  const length = sizes.at(-1) ?? 1;
  const step = steps.at(-1) ?? 1;
  forEachRow(sizes, steps, offset, (outStart, inStart) => {
    if (step === 1) output.set(input.subarray(inStart, inStart + length), outStart);
    else if (step === 0) output.fill(input[inStart]!, outStart, outStart + length);
    else copyRow(output, outStart, input, inStart, step, length);
  });
}

function copyRow(
  out: TypedArray,
  outStart: number,
  input: TypedArray,
  inStart: number,
  step: number,
  length: number,
): void {
  for (let i = 0, p = inStart; i < length; i++, p += step) out[outStart + i] = input[p]!;
}

/** The values in double precision; the array itself where it already is. Keeps hot loops to one array type. */
export const toF64 = (data: TypedArray): Float64Array =>
  data instanceof Float64Array ? data : Float64Array.from(data);
