/** A canvas that is sharp on every screen, and drawn anew when its size or the page's colours change. Sizes are CSS pixels. */
export class SharpCanvas {
  width = 0;
  height = 0;
  private readonly context: CanvasRenderingContext2D;
  private wantsFrame = false;
  private paint: (context: CanvasRenderingContext2D) => void = () => undefined;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d")!;
    new ResizeObserver(() => this.fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.fit();
  }

  /** Draws this from now on. */
  draw(paint: (context: CanvasRenderingContext2D) => void): void {
    this.paint = paint;
    this.redraw();
  }

  /** Draws the same again, with the next frame. */
  redraw(): void {
    if (this.wantsFrame) return;
    this.wantsFrame = true;
    requestAnimationFrame(() => {
      this.wantsFrame = false;
      const scale = this.canvas.width / this.width;
      this.context.setTransform(scale, 0, 0, scale, 0, 0);
      this.context.clearRect(0, 0, this.width, this.height);
      this.paint(this.context);
    });
  }

  /** Where a pointer event is, in pixels from the top left. */
  placeOf(event: PointerEvent): [x: number, y: number] {
    const { left, top, width, height } = this.canvas.getBoundingClientRect(); // with parts of pixels, which ours are without
    return [((event.clientX - left) / width) * this.width, ((event.clientY - top) / height) * this.height];
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

  private fit(): void {
    this.width = this.canvas.clientWidth || 1;
    this.height = this.canvas.clientHeight || 1;
    this.canvas.width = Math.round(this.width * devicePixelRatio);
    this.canvas.height = Math.round(this.height * devicePixelRatio);
    this.redraw();
  }
}
