/** A canvas with axes of its own: sharp on every screen, drawn anew when its size or the page's colours change. */

import { cssColor } from "../lineChart";

/** Ends of both axes. */
export interface Extent {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** A picture that is drawn in a board. Sizes are CSS pixels. */
export type Paint = (context: CanvasRenderingContext2D, board: Board) => void;

export class Board {
  width = 0;
  height = 0;
  private readonly context: CanvasRenderingContext2D;
  private wantsFrame = false;
  private paint: Paint = () => undefined;

  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly extent: Extent,
  ) {
    this.context = canvas.getContext("2d")!;
    new ResizeObserver(() => this.fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.fit();
  }

  /** Draws this from now on. */
  draw(paint: Paint): void {
    this.paint = paint;
    this.redraw();
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
      const { left, top, width, height } = this.canvas.getBoundingClientRect();
      picked(
        between(this.extent.x, (event.clientX - left) / width),
        between(this.extent.y, 1 - (event.clientY - top) / height),
      );
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      pick(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) pick(event);
    });
  }

  /**
   * Calls back with the direction of an arrow key; ten times as far with Shift.
   *
   * @param moved says whether the key had an effect: if not, it scrolls the page
   */
  onArrow(moved: (right: number, up: number) => boolean): void {
    const directions: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowDown: [0, -1],
      ArrowUp: [0, 1],
    };
    this.canvas.addEventListener("keydown", (event) => {
      const direction = directions[event.key];
      if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
      const far = event.shiftKey ? 10 : 1;
      if (moved(far * direction[0], far * direction[1])) event.preventDefault();
    });
  }

  private redraw(): void {
    if (this.wantsFrame) return;
    this.wantsFrame = true;
    requestAnimationFrame(() => {
      this.wantsFrame = false;
      const scale = this.canvas.width / this.width;
      this.context.setTransform(scale, 0, 0, scale, 0, 0);
      this.context.clearRect(0, 0, this.width, this.height);
      this.paint(this.context, this);
    });
  }

  private fit(): void {
    this.width = this.canvas.clientWidth || 1;
    this.height = this.canvas.clientHeight || 1;
    this.canvas.width = Math.round(this.width * devicePixelRatio);
    this.canvas.height = Math.round(this.height * devicePixelRatio);
    this.redraw();
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
