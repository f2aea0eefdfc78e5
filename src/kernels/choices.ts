/**
 * Which variant of a kernel family an adapter takes, where somebody has said so: forced by name, or found by tuning; and how fast it is,
 * where that was measured. Held beside the limits of an adapter, which every plan is made with.
 */

import { KERNELS } from ".";
import type { KernelInfoMap } from "../ops/kernelInfo";
import type { Kernel, KernelLimits, Work } from "./kernel";

/** A use of a kernel family. */
export interface KernelUse {
  readonly kernel: keyof KernelInfoMap;
  readonly info: unknown;
}

/** Uses that are remembered; the oldest is forgotten. */
const MAX_USES = 1024;

export class Choices {
  /** Of whole families: for tests and benchmarks. */
  readonly forced = new Map<string, string>();
  /** Of single uses, by `keyOf`: what tuning found to be fastest. */
  readonly tuned = new Map<string, string>();
  /** Uses with a choice that plans were made for, by `keyOf`. */
  readonly uses = new Map<string, KernelUse>();

  /** What one dispatch may do at most, where the adapter has been calibrated. */
  mostWork: Work | null = null;

  constructor(private readonly limits: KernelLimits) {}

  /** The variant to take; undefined where the cost model decides. */
  variantFor({ kernel, info }: KernelUse): string | undefined {
    const { variants } = familyOf(kernel);
    if (!variants) return undefined;
    const key = keyOf({ kernel, info });
    this.uses.delete(key);
    this.uses.set(key, { kernel, info });
    if (this.uses.size > MAX_USES) this.uses.delete(this.uses.keys().next().value!);
    const wanted = this.forced.get(kernel) ?? this.tuned.get(key);
    return wanted !== undefined && variants(info, this.limits).includes(wanted) ? wanted : undefined;
  }
}

/** A family, whose infos are not known to the compiler. */
export const familyOf = (name: keyof KernelInfoMap): Kernel<unknown> => KERNELS[name] as Kernel<unknown>;

/** The same for uses of the same sizes. */
export const keyOf = ({ kernel, info }: KernelUse): string => `${kernel} ${JSON.stringify(info)}`;

const choices = new WeakMap<KernelLimits, Choices>();

/** What is chosen on the adapter with these limits. */
export function choicesOf(limits: KernelLimits): Choices {
  let known = choices.get(limits);
  if (!known) choices.set(limits, (known = new Choices(limits)));
  return known;
}
