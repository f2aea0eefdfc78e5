import { chainMatmul, einsum, multiDot, tensordot } from "../../../src";
import type { Calls } from "../call";

interface Einsum {
  readonly equation: string;
}

interface Tensordot {
  readonly dims: number | readonly [readonly number[], readonly number[]];
}

export const calls: Calls = {
  einsum: (operands, { equation }: Einsum) => einsum(equation, ...operands),
  tensordot: ([a, b], { dims }: Tensordot) => tensordot(a!, b!, dims),
  multiDot: (matrices) => multiDot(matrices),
  chainMatmul: (matrices) => chainMatmul(...matrices),
  matrixPower: ["n"],
};
