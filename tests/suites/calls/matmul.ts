import type { Tensor } from "../../../src";
import type { Calls } from "../call";

interface Args {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

const swapped = (x: Tensor, isSwapped?: boolean): Tensor => (isSwapped ? x.transpose(-1, -2) : x);

export const calls: Calls = {
  matmul: ([a, b], { transposeA, transposeB }: Args) => swapped(a!, transposeA).matmul(swapped(b!, transposeB)),
};
