/**
 * Launches that would take too long, in parts. A system's watchdog ends a dispatch that keeps a GPU for seconds, and the device with
 * it; a screen cannot be drawn meanwhile either. Takes a grid and what it costs; gives pieces of the grid that run one after the other.
 *
 * Any launch of several workgroups in x or y can be cut (no kernel has more in z): workgroups of a dispatch may run in any order, so no kernel here lets one wait for
 * another, or add to what another adds to. What is one workgroup (the last fold of `clipFactor`, small sizes) stays whole.
 */
import { choicesOf } from "./choices";
import { heuristicsOf } from "./heuristics";
import type { KernelLimits, Pass, Work } from "./kernel";

/** What one dispatch may do at most: either all of the one, or all of the other. */
export const mostWork = (limits: KernelLimits): Work => choicesOf(limits).mostWork ?? heuristicsOf(limits).mostWork;

/** A piece of a grid. */
export interface Part {
  /** Its first workgroup in x and y. */
  readonly first: readonly [number, number];
  readonly grid: Pass["grid"];
  /** Of the work of the whole grid. */
  readonly share: number;
}

/** Even pieces of `count` things: where each begins, and how many it has. */
const slices = (count: number, pieces: number): { first: number; length: number }[] =>
  Array.from({ length: pieces }, (_, piece) => {
    const first = Math.floor((piece * count) / pieces);
    return { first, length: Math.floor(((piece + 1) * count) / pieces) - first };
  });

/**
 * The pieces of a grid whose work is too much for one dispatch; one piece where it is not. They are rectangles of even size: rows of
 * workgroups where these are enough, else pieces of rows, and no more than there are workgroups.
 */
export function partsOf(grid: Pass["grid"], work: Work, limits: KernelLimits): Part[] {
  const most = mostWork(limits);
  const [x, y, z] = grid;
  const wanted = Math.max(1, Math.ceil(work.flops / most.flops + work.bytes / most.bytes));
  const rows = slices(y, Math.min(y, wanted));
  const columns = slices(x, Math.min(x, Math.ceil(wanted / rows.length)));
  return rows.flatMap((row) =>
    columns.map((column) => ({
      first: [column.first, row.first] as const,
      grid: [column.length, row.length, z] as const,
      share: (column.length * row.length) / (x * y),
    })),
  );
}
