import { pow, where } from "../../../src";
import type { Calls } from "../call";
import type { DType } from "../../../src";

interface Args {
  readonly dtype: DType;
  readonly min?: number | null;
  readonly max?: number | null;
  readonly weight: number;
  readonly base: number;
  readonly a: number;
  readonly b: number;
}

export const calls: Calls = {
  where: ([condition, a, b], args: Args) => where(condition!, a ?? args.a, b ?? args.b),
  clamp: ([x, low, high], { min = null, max = null }: Args) => x!.clamp(low ?? min, high ?? max),
  cast: ([x], { dtype }: Args) => x!.to(dtype),
  lerp: ([x, end, weight], args: Args) => x!.lerp(end!, weight ?? args.weight),
  nanToNum: ["nan", "posinf", "neginf"],
  pow: ([a, b], { base }: Args) => (b ? a!.pow(b) : pow(base, a!)),
};
