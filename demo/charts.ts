/** The charts of a training over its steps: loss, accuracies, learning rate and time. Takes points as they come, draws a few times a second. */

import { columnsOf, Curve } from "./curve";
import { LineChart, type SeriesStyle } from "./lineChart";

/** Charts of one page show the same step under the cursor. */
const CURSORS = "steps";

/** Shortest time between two drawings. */
const REDRAW_MS = 150;

/** A run of more steps has an x axis that grows from here. */
const FIRST_END = 300;

export interface ChartOptions {
  readonly series: readonly SeriesStyle[];
  /** Formats a value of the legend. */
  readonly format: (value: number) => string;
  /** Formats a value of an axis, left or right. */
  readonly formatTick: (value: number) => string;
  /** Fixed ends of the left value axis; by default it follows the data from 0 up. */
  readonly range?: readonly [number, number];
}

/** A chart over training steps. Values by step and series; a missing one leaves a gap that lines bridge. */
export class Chart {
  private readonly chart: LineChart;
  private curves: Curve[];
  private lastStep = 1;
  /** The last step that is drawn. */
  private drawnStep = 0;
  private drawTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(figure: HTMLElement, { range, ...options }: ChartOptions) {
    this.curves = options.series.map(() => new Curve());
    this.chart = new LineChart(figure, {
      ...options,
      cursors: CURSORS,
      range: (_low, high) => (range ? [range[0], range[1]] : [0, Math.max(1, (high ?? 1) * 1.06)]),
      xRange: () => [0, this.end()],
    });
  }

  /** Empties the chart, for a run of `lastStep` steps. */
  clear(lastStep: number): void {
    this.curves = this.curves.map(() => new Curve());
    this.lastStep = lastStep;
    this.draw();
  }

  /** Sets the value of a series at a step, no earlier than the last one. */
  add(step: number, series: number, value: number): void {
    this.curves[series]!.add(step, value);
    this.drawTimer ??= setTimeout(() => this.draw(), REDRAW_MS);
  }

  private draw(): void {
    clearTimeout(this.drawTimer);
    this.drawTimer = undefined;
    const columns = columnsOf(this.curves);
    this.drawnStep = columns[0].at(-1) ?? 0;
    this.chart.draw(columns);
  }

  /** Where the x axis ends: at the last step, or in a long run some way ahead. */
  private end(): number {
    const ahead = Math.max(FIRST_END, 1.25 * this.drawnStep);
    return Math.max(1, Math.min(this.lastStep, ahead));
  }
}
