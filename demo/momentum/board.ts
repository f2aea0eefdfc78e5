/** A canvas with axes of its own. */

import { cssColor } from "../lineChart";
import { SharpCanvas } from "../sharpCanvas";

/** Ends of both axes. */
export interface Extent {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** A picture that is drawn in a board. Sizes are CSS pixels. */
export type Paint = (context: CanvasRenderingContext2D, board: Board) => void;

export class Board extends SharpCanvas {
  constructor(
    canvas: HTMLCanvasElement,
    public extent: Extent,
  ) {
    super(canvas);
  }

  override draw(paint: Paint): void {
    super.draw((context) => paint(context, this));
  }

  /** Where a number of the x axis lies, in pixels from the left. */
  x(value: number): number {
    return along(this.extent.x, value) * this.width;
  }

  /** Where a number of the y axis lies, in pixels from the top. */
  y(value: number): number {
    return (1 - along(this.extent.y, value)) * this.height;
  }

  /** Calls back with the place that the user clicks or drags to. */
  onPick(picked: (x: number, y: number) => void): void {
    const pick = (event: PointerEvent): void => {
      const [x, y] = this.placeOf(event);
      picked(between(this.extent.x, x / this.width), between(this.extent.y, 1 - y / this.height));
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      pick(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) pick(event);
    });
  }
}

/** A ball with a rim, so that it shows on every ground. */
export function ball(context: CanvasRenderingContext2D, x: number, y: number, radius: number, color: string): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = cssColor(color);
  context.strokeStyle = cssColor("--card");
  context.lineWidth = 2;
  context.fill();
  context.stroke();
}

const along = ([from, to]: readonly [number, number], value: number): number => (value - from) / (to - from);
const between = ([from, to]: readonly [number, number], share: number): number => from + share * (to - from);
