/** A chart of a few series over one x axis, drawn with uPlot in the page's colours. Takes whole columns, each time anew. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface SeriesStyle {
  /** Its name in the legend; "" is left out there. */
  readonly label: string;
  /** Name of the CSS variable of the colour. */
  readonly color: string;
  /** How values are drawn; default a line. */
  readonly as?: "line" | "dots" | "bars";
  /** Of a line, in pixels; default 2. */
  readonly width?: number;
  /** A line with its points, for values that come seldom. */
  readonly sparse?: boolean;
  readonly dashed?: boolean;
  /** Whose axis its values are on; the right one has a scale of its own, from 0 up. Default left. */
  readonly side?: "left" | "right";
}

/** A column of x, then one of values a series, with null where it has none. */
export type Columns = [number[], ...(number | null)[][]];

export interface LineChartOptions {
  readonly series: readonly SeriesStyle[];
  /** Formats a value of the legend. */
  readonly format: (value: number) => string;
  /** Formats a value of an axis, left or right. */
  readonly formatTick: (value: number) => string;
  /** Ends of the left value axis, of the lowest and the highest value; null where there are none. */
  readonly range: (low: number | null, high: number | null) => [number, number];
  /** Ends of the x axis, of the first and the last x; 0 and 1 where there are none. */
  readonly xRange: (first: number, last: number) => [number, number];
  /** What stands along the axes. */
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Whether the legend shows values under the cursor only; else the latest ones while there is no cursor. */
  readonly onlyAtCursor?: boolean;
  /** Charts with the same name here have their cursors at the same x. */
  readonly cursors?: string;
}

const AXIS: uPlot.Axis = {
  stroke: () => cssColor("--text-soft"),
  grid: { stroke: () => cssColor("--line"), width: 1 },
  ticks: { show: false },
  font: "12px system-ui, sans-serif",
  labelFont: "12px system-ui, sans-serif",
  labelSize: 18,
  labelGap: 2,
  gap: 4,
};

/** What the legend says of a series. */
interface Entry {
  readonly element: HTMLElement;
  readonly name: Text;
  readonly value: HTMLElement;
}

/** Draws into the `.plot` and the `.legend` of a figure. A missing value leaves a gap that lines bridge. */
export class LineChart {
  private readonly plot: uPlot;
  private readonly entries: Entry[];
  private columns: Columns;

  constructor(
    private readonly figure: HTMLElement,
    private readonly options: LineChartOptions,
  ) {
    this.columns = [[], ...options.series.map(() => [])];
    this.entries = this.makeLegend();
    const place = figure.querySelector<HTMLElement>(".plot")!;
    this.plot = new uPlot(this.settings(place.clientWidth, place.clientHeight), this.columns, place);
    new ResizeObserver(() => {
      this.plot.setSize({ width: place.clientWidth, height: place.clientHeight });
    }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plot.redraw(false));
  }

  draw(columns: Columns): void {
    this.columns = columns;
    this.plot.setData(columns);
    this.showValues(null);
  }

  /** Gives a series another name in the legend, or with "" none. */
  rename(series: number, label: string): void {
    const { element, name } = this.entries[series]!;
    name.data = `${label} `;
    element.hidden = label === "";
  }

  private settings(width: number, height: number): uPlot.Options {
    const { formatTick, series, range, xRange, xLabel, yLabel, cursors } = this.options;
    const right = series.find(({ side }) => side === "right");
    return {
      width,
      height,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, ...(cursors !== undefined && { sync: { key: cursors } }) },
      padding: [8, right ? 4 : 20, 0, 0],
      scales: {
        x: { time: false, range: (_plot, first: number | null, last: number | null) => xRange(first ?? 0, last ?? 1) },
        y: { range: (_plot, low, high) => range(low, high) },
        ...(right && { right: { range: (_plot, _low, high: number | null) => fromZero(high) } }),
      },
      axes: [
        {
          ...AXIS,
          size: 26,
          ...(xLabel && { label: xLabel }),
          values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : "")),
        },
        { ...AXIS, size: 44, ...(yLabel && { label: yLabel }), values: (_plot, ticks) => ticks.map(formatTick) },
        ...(right
          ? [{ ...rightAxis(right.color), values: (_plot, ticks) => ticks.map(formatTick) } as uPlot.Axis]
          : []),
      ],
      series: [{}, ...series.map(seriesOf)],
      hooks: { setCursor: [({ cursor }) => this.showValues(cursor.idx ?? null)] },
    };
  }

  /** One entry a series: colour, name and the value under the cursor, or the latest. */
  private makeLegend(): Entry[] {
    const legend = this.figure.querySelector<HTMLElement>(".legend")!;
    return this.options.series.map(({ label, color, as = "line", dashed }) => {
      const element = document.createElement("span");
      element.hidden = label === "";
      const swatch = document.createElement("i");
      swatch.style.setProperty("--color", `var(${color})`);
      swatch.classList.toggle("dashed", dashed ?? false);
      swatch.classList.add(as);
      const name = document.createTextNode(`${label} `);
      const value = document.createElement("b");
      element.append(swatch, name, value);
      legend.append(element);
      return { element, name, value };
    });
  }

  private showValues(index: number | null): void {
    this.entries.forEach(({ value: shown }, series) => {
      const column = this.columns[series + 1]!;
      const latest = this.options.onlyAtCursor ? null : column.findLast((each) => each !== null);
      const value = index === null ? latest : column[index];
      shown.textContent = value === null || value === undefined ? "" : this.options.format(value);
    });
  }
}

/** From 0 to a little above the highest value. */
const fromZero = (high: number | null): [number, number] => [0, high !== null && high > 0 ? 1.06 * high : 1];

/** The second value axis, in the colour of the series that is on it. */
const rightAxis = (color: string): uPlot.Axis => ({
  ...AXIS,
  scale: "right",
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot has this enum in its types only
  side: 1,
  size: 44,
  stroke: () => cssColor(color),
  grid: { show: false },
});

function seriesOf({ label, color, as = "line", width = 2, sparse = false, dashed, side }: SeriesStyle): uPlot.Series {
  const stroke = (): string => cssColor(color);
  const common: uPlot.Series = { label, stroke, width, spanGaps: true, ...(side === "right" && { scale: "right" }) };
  if (as === "bars") {
    return {
      ...common,
      width: 0,
      fill: stroke,
      points: { show: false },
      paths: uPlot.paths.bars!({ size: [0.7, 24] }),
    };
  }
  if (as === "dots") return { ...common, paths: () => null, points: { show: true, size: 4, width: 0, fill: stroke } };
  return {
    ...common,
    points: { show: sparse, size: 7, fill: stroke },
    ...(dashed && { dash: [6, 5], width: 1.25 }),
  };
}

/** A colour of the page as it is now: light or dark. */
export const cssColor = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
