/** A loss of two weights as a map: the deeper, the stronger the colour, with contour lines and a cross at the lowest place. */

import { cssColor } from "../lineChart";
import type { Board } from "./board";
import { contour, levelsOf, type Segment } from "./contour";
import type { Grid } from "./losses";

/** Contour lines of a map. */
const LEVELS = 14;

export interface Map {
  readonly grid: Grid;
  /** Row by row from the lowest y up, 0 at the lowest place and 1 at the highest; roots, so that depths differ in colour. */
  readonly heights: Float32Array;
  readonly lines: readonly Segment[];
  /** Column and row of the lowest place. */
  readonly lowest: readonly [number, number];
}

/** @param values of the loss on the grid */
export function mapOf(values: Float32Array, grid: Grid): Map {
  const [low, high] = values.reduce(([least, most], each) => [Math.min(least, each), Math.max(most, each)], [
    Infinity,
    -Infinity,
  ] as [number, number]);
  const at = values.indexOf(low);
  return {
    grid,
    heights: values.map((each) => Math.sqrt((each - low) / (high - low || 1))),
    lines: levelsOf(low, high, LEVELS).flatMap((level) => contour(values, grid.columns, level)),
    lowest: [at % grid.columns, Math.floor(at / grid.columns)],
  };
}

export function paintMap(context: CanvasRenderingContext2D, board: Board, { grid, heights, lines, lowest }: Map): void {
  const { columns, rows } = grid;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(imageOf(heights, grid), 0, 0, board.width, board.height);
  const x = (column: number): number => (column / (columns - 1)) * board.width;
  const y = (row: number): number => (1 - row / (rows - 1)) * board.height;
  context.beginPath();
  for (const [x0, y0, x1, y1] of lines) {
    context.moveTo(x(x0), y(y0));
    context.lineTo(x(x1), y(y1));
  }
  context.strokeStyle = cssColor("--contour");
  context.lineWidth = 1;
  context.stroke();
  const [lowX, lowY] = [x(lowest[0]), y(lowest[1])];
  context.beginPath();
  context.moveTo(lowX - 6, lowY);
  context.lineTo(lowX + 6, lowY);
  context.moveTo(lowX, lowY - 6);
  context.lineTo(lowX, lowY + 6);
  context.strokeStyle = cssColor("--text");
  context.lineWidth = 1.5;
  context.stroke();
}

/** The last image that was painted: a path that plays changes neither map nor colours. */
let painted: { readonly heights: Float32Array; readonly colors: string; readonly image: HTMLCanvasElement } | null =
  null;

/** One pixel a place of the grid, in the page's colours. */
function imageOf(heights: Float32Array, { columns, rows }: Grid): HTMLCanvasElement {
  const colors = cssColor("--surface-low") + cssColor("--surface-high");
  if (painted?.heights === heights && painted.colors === colors) return painted.image;
  const [low, high] = [channels("--surface-low"), channels("--surface-high")];
  const image = document.createElement("canvas");
  [image.width, image.height] = [columns, rows];
  const context = image.getContext("2d")!;
  const pixels = context.createImageData(columns, rows);
  heights.forEach((height, i) => {
    const row = rows - 1 - Math.floor(i / columns); // an image's first row is its uppermost
    const at = 4 * (row * columns + (i % columns));
    low.forEach((from, channel) => (pixels.data[at + channel] = from + height * (high[channel]! - from)));
    pixels.data[at + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
  painted = { heights, colors, image };
  return image;
}

/** Red, green and blue of a registered colour, which browsers give as `rgb(1, 2, 3)`. */
const channels = (name: string): number[] => cssColor(name).match(/\d+/g)!.slice(0, 3).map(Number);
