/** The two curves, drawn with uPlot: loss, and accuracies. Takes points as they come, draws a few times a second. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { columnsOf, Curve } from "./curve";

/** Shortest time between two drawings. */
const REDRAW_MS = 150;

/** A run of more steps has an x axis that grows from here. */
const FIRST_END = 300;

export interface SeriesStyle {
  readonly label: string;
  /** Name of the CSS variable of the colour. */
  readonly color: string;
  /** Drawn as points that are joined, for values that come seldom. */
  readonly sparse?: boolean;
  readonly dashed?: boolean;
}

export interface ChartOptions {
  readonly series: readonly SeriesStyle[];
  /** Formats a value of the legend. */
  readonly format: (value: number) => string;
  /** Formats a value of the axis. */
  readonly formatTick: (value: number) => string;
  /** Fixed ends of the value axis; by default it follows the data from 0 up. */
  readonly range?: readonly [number, number];
}

/** A chart over training steps. Values by step and series; a missing one leaves a gap that lines bridge. */
export class Chart {
  private readonly plot: uPlot;
  private curves: Curve[];
  /** What is drawn. */
  private columns: ReturnType<typeof columnsOf>;
  private lastStep = 1;
  private drawTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly values: HTMLElement[];

  constructor(
    private readonly figure: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    this.curves = options.series.map(() => new Curve());
    this.columns = columnsOf(this.curves);
    this.values = this.makeLegend();
    const place = figure.querySelector<HTMLElement>(".plot")!;
    this.plot = new uPlot(this.settings(place.clientWidth, place.clientHeight), this.columns, place);
    new ResizeObserver(() => {
      this.plot.setSize({ width: place.clientWidth, height: place.clientHeight });
    }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolor());
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
    this.columns = columnsOf(this.curves);
    this.plot.setData(this.columns);
    this.showValues(null);
  }

  /** Where the x axis ends: at the last step, or in a long run some way ahead. */
  private end(): number {
    const ahead = Math.max(FIRST_END, 1.25 * (this.columns[0].at(-1) ?? 0));
    return Math.max(1, Math.min(this.lastStep, ahead));
  }

  private settings(width: number, height: number): uPlot.Options {
    const { formatTick, series, range } = this.options;
    const axis: uPlot.Axis = {
      stroke: () => cssVariable("--text-soft"),
      grid: { stroke: () => cssVariable("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
      gap: 4,
    };
    return {
      width,
      height,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false },
      padding: [8, 20, 0, 0],
      scales: {
        x: { time: false, range: () => [0, this.end()] },
        y: { range: range ? [range[0], range[1]] : (_plot, _low, high) => [0, Math.max(1, (high || 1) * 1.06)] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : "")),
        },
        { ...axis, size: 44, values: (_plot, ticks) => ticks.map(formatTick) },
      ],
      series: [
        {},
        ...series.map(({ label, color, sparse, dashed }): uPlot.Series => ({
          label,
          stroke: () => cssVariable(color),
          width: 2,
          spanGaps: true,
          points: { show: sparse ?? false, size: 7, fill: () => cssVariable(color) },
          ...(dashed && { dash: [6, 5], width: 1.25 }),
        })),
      ],
      hooks: { setCursor: [({ cursor }) => this.showValues(cursor.idx ?? null)] },
    };
  }

  /** One entry a series: colour, name and the value under the cursor, or the latest. */
  private makeLegend(): HTMLElement[] {
    const legend = this.figure.querySelector<HTMLElement>(".legend")!;
    return this.options.series.map(({ label, color, dashed }) => {
      const entry = document.createElement("span");
      const swatch = document.createElement("i");
      swatch.style.setProperty("--color", `var(${color})`);
      swatch.classList.toggle("dashed", dashed ?? false);
      const value = document.createElement("b");
      entry.append(swatch, `${label} `, value);
      legend.append(entry);
      return value;
    });
  }

  private showValues(index: number | null): void {
    this.curves.forEach(({ points }, series) => {
      const value = index === null ? points.at(-1)?.value : this.columns[series + 1]![index];
      this.values[series]!.textContent = value === null || value === undefined ? "" : this.options.format(value);
    });
  }

  private recolor(): void {
    this.plot.redraw(false);
  }
}

const cssVariable = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
