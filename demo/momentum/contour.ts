/** Contour lines of values on a grid, by marching squares, and the heights at which to draw them. */

/** A line from x0, y0 to x1, y1, in columns and rows of the grid. */
export type Segment = readonly [x0: number, y0: number, x1: number, y1: number];

/**
 * Where values on a grid pass a level.
 *
 * @param values row by row
 * @param columns numbers a row
 *
 * @example
 * contour([0, 1, 0, 1], 2, 0.5); // one line down the middle: [[0.5, 1, 0.5, 0]], or its reverse
 */
export function contour(values: ArrayLike<number>, columns: number, level: number): Segment[] {
  const segments: Segment[] = [];
  const rows = values.length / columns;
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      segments.push(...crossings(values, columns, { row, column, level }));
    }
  }
  return segments;
}

/** The lines in one square of the grid: none, one, or two across a saddle. */
function crossings(
  values: ArrayLike<number>,
  columns: number,
  { row, column, level }: { row: number; column: number; level: number },
): Segment[] {
  const corners = [
    [column, row],
    [column + 1, row],
    [column + 1, row + 1],
    [column, row + 1],
  ] as const;
  const heights = corners.map(([x, y]) => values[y * columns + x]! - level);
  const ends: [number, number][] = [];
  for (let side = 0; side < 4; side++) {
    const next = (side + 1) % 4;
    const [a, b] = [heights[side]!, heights[next]!];
    if (a < 0 === b < 0) continue;
    const share = a / (a - b);
    const [[ax, ay], [bx, by]] = [corners[side]!, corners[next]!];
    ends.push([ax + share * (bx - ax), ay + share * (by - ay)]);
  }
  return ends.length === 4
    ? [segment(ends[0]!, ends[1]!), segment(ends[2]!, ends[3]!)]
    : ends.length === 2
      ? [segment(ends[0]!, ends[1]!)]
      : [];
}

const segment = ([x0, y0]: readonly number[], [x1, y1]: readonly number[]): Segment => [x0!, y0!, x1!, y1!];

/** Heights of contour lines: closer together near the lowest value, where the path ends. */
export function levelsOf(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low + (high - low) * ((i + 1) / (count + 1)) ** 2);
}
