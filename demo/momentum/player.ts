/** Plays a path: play, pause, step and a slider for the iteration. Shows places between iterations, too, so that a ball rolls. */

/** Iterations a second. */
const SPEED = 24;

const stillPlease = matchMedia("(prefers-reduced-motion: reduce)");

export class Player {
  private position = 0;
  private length = 0;
  private frame: number | null = null;
  private readonly playButton: HTMLButtonElement;
  private readonly slider: HTMLInputElement;
  private readonly output: HTMLOutputElement;

  /**
   * @param root holds the buttons `.play` and `.step`, and a slider with its output
   * @param show draws the state at an iteration, which may be a fraction
   */
  constructor(
    root: HTMLElement,
    private readonly show: (iteration: number) => void,
  ) {
    this.playButton = root.querySelector(".play")!;
    this.slider = root.querySelector("input")!;
    this.output = root.querySelector("output")!;
    this.playButton.addEventListener("click", () => (this.isPlaying ? this.pause() : this.play()));
    root.querySelector(".step")!.addEventListener("click", () => this.step());
    this.slider.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.slider.value));
    });
  }

  get isPlaying(): boolean {
    return this.frame !== null;
  }

  /** Takes a new path of so many iterations: shows its end, or plays on. */
  load(iterations: number): void {
    this.length = iterations;
    this.slider.max = String(iterations);
    this.go(this.isPlaying ? Math.min(this.position, iterations) : iterations);
  }

  private play(): void {
    if (stillPlease.matches) {
      this.go(this.length); // all at once: no motion
      return;
    }
    if (this.position >= this.length) this.go(0);
    let lastMs: number | null = null;
    const move = (nowMs: number): void => {
      this.go(Math.min(this.length, this.position + (SPEED * (nowMs - (lastMs ?? nowMs))) / 1000));
      lastMs = nowMs;
      if (this.position >= this.length) this.pause();
      else this.frame = requestAnimationFrame(move);
    };
    this.frame = requestAnimationFrame(move);
    this.showState();
  }

  private pause(): void {
    if (this.frame === null) return;
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.showState();
  }

  /** On by one iteration; from the end back to the first. */
  private step(): void {
    this.pause();
    this.go(this.position >= this.length ? 1 : Math.floor(this.position) + 1);
  }

  private go(position: number): void {
    this.position = Math.min(position, this.length);
    const iteration = Math.floor(this.position);
    this.slider.value = String(iteration);
    this.slider.setAttribute("aria-valuetext", `${iteration} of ${this.length}`);
    this.output.textContent = `${iteration} / ${this.length}`;
    this.show(this.position);
  }

  private showState(): void {
    this.playButton.textContent = this.isPlaying ? "Pause" : "Play";
    // The wheel in the header turns while something does.
    document.body.dataset["state"] = this.isPlaying ? "running" : "done";
  }
}
