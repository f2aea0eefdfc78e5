/**
 * Bindings with their sizes written down. WGSL clamps every index to its array: to a constant where the size is known, else to what
 * the adapter looks up at each access, which software adapters spend a fifth of a memory-bound kernel on. Takes WGSL text and the
 * bytes that each binding has; gives text for which that is the least.
 */

import type { KernelLimits } from "../kernels/kernel";

/** What is known of a binding: its number, and the bytes that are bound. */
export interface SizedBinding {
  readonly binding: number;
  readonly byteLength: number;
}

/** Bytes in all from which a launch is worth a pipeline of its own. */
const LEAST = 1 << 18;

const DECLARATION = /^(@group\(0\) @binding\((\d+)\) var<storage, \w+> \w+: array<)([^,;]+)(>;.*)$/gm;
const ALIAS = /^alias (\w+) = (.+);$/gm;

/** @param bindings those whose size is the same at each run */
export function withSizes(
  wgsl: string,
  bindings: readonly SizedBinding[],
  { adapterClass }: Pick<KernelLimits, "adapterClass">,
): string {
  const all = bindings.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (adapterClass !== "software" || all < LEAST) return wgsl;
  const aliases = new Map([...wgsl.matchAll(ALIAS)].map(([, name, type]) => [name!, type!]));
  return wgsl.replace(DECLARATION, (line, head: string, number: string, element: string, end: string) => {
    const size = elementSize(aliases.get(element) ?? element);
    const byteLength = bindings.find(({ binding }) => binding === Number(number))?.byteLength;
    if (size === null || byteLength === undefined) return line;
    return `${head}${element}, ${Math.floor(byteLength / size)}${end}`;
  });
}

/** Bytes of an element; null for structs. */
function elementSize(type: string): number | null {
  const lanes = /^vec([24])<[fiu]32>$/.exec(type)?.[1];
  if (lanes) return 4 * Number(lanes);
  return /^[fiu]32$/.test(type) ? 4 : null;
}
