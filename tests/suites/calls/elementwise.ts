import { where } from "../../../src";
import type { Calls } from "../call";
import type { DType } from "../../../src";

interface Args {
  readonly dtype: DType;
  readonly min?: number | null;
  readonly max?: number | null;
}

export const calls: Calls = {
  where: ([condition, a, b]) => where(condition!, a!, b!),
  clamp: ([x], { min = null, max = null }: Args) => x!.clamp(min, max),
  cast: ([x], { dtype }: Args) => x!.to(dtype),
};
