/** Draws the plots of the HTML report, from the JSON that the page holds. Built into one script, with uPlot and its style. */

import uPlot from "uplot";
import style from "uplot/dist/uPlot.min.css?inline";
import { medianMs, type PeerReport, titleOf } from "./judge";

/** Colours that stay apart for those who see few; ours first. */
const COLOURS = ["#d62728", "#1f77b4", "#17becf", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"];

// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum is there for the compiler only
const LOGARITHMIC: uPlot.Scale.Distr = 3;

type Points = (number | null)[];

interface Plot {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** Names of the places along x. */
  readonly places: readonly string[];
  /** Values of each series by place, ms. */
  readonly series: ReadonlyMap<string, Points>;
  readonly hasLines: boolean;
}

/** Times upwards, logarithmic: libraries lie orders of magnitude apart. */
function draw(
  element: HTMLElement,
  { title, width, height, places, series, hasLines }: Plot,
  libraries: string[],
): void {
  const names = [...series.keys()];
  const isWordy = places.some((place) => place.length > 3);
  const options: uPlot.Options = {
    ...{ title, width, height },
    padding: [null, isWordy ? 110 : null, null, null], // the last word leans out
    scales: { x: { time: false, range: [-0.5, places.length - 0.5] }, y: { distr: LOGARITHMIC } },
    axes: [
      {
        splits: () => places.map((_, index) => index),
        values: (_, splits) => splits.map((split) => places[split] ?? ""),
        ...(isWordy ? { rotate: -30, size: 110 } : {}),
      },
      { label: "ms", size: 70 },
    ],
    series: [
      {},
      ...names.map((name): uPlot.Series => {
        const stroke = COLOURS[libraries.indexOf(name) % COLOURS.length]!;
        return {
          label: titleOf(name),
          ...{ stroke, width: hasLines ? 1.5 : 0, points: { show: true, size: 8, fill: stroke }, spanGaps: true },
          value: (_, value) => (value as number | null)?.toPrecision(3) ?? "",
        };
      }),
    ],
  };
  new uPlot(options, [places.map((_, index) => index), ...series.values()], element);
}

function show(report: PeerReport): void {
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const { rows } = report;
  const libraries = [...new Set(rows.flatMap((row) => row.libraries.map(({ library }) => library)))];
  const timesOf = (library: string): Points =>
    rows.map((row) => {
      const result = row.libraries.find((each) => each.library === library);
      return result ? medianMs(result) : null;
    });
  const times: Plot = {
    title: "Medians",
    ...{ width: Math.min(1200, document.body.clientWidth), height: 560, hasLines: false },
    places: rows.map(({ title }) => title),
    series: new Map(libraries.map((library) => [library, timesOf(library)])),
  };
  draw(document.querySelector<HTMLElement>("#times")!, times, libraries);
  for (const { title, libraries: results, peakGflops } of rows) {
    const measured = results.filter(({ status }) => status === "measured");
    const rounds = Math.max(peakGflops.length, ...measured.map(({ samplesMs }) => samplesMs.length));
    const plot: Plot = {
      ...{ title, width: 400, height: 320, hasLines: true },
      places: Array.from({ length: rounds }, (_, round) => String(round + 1)),
      series: new Map(measured.map(({ library, samplesMs }) => [library, [...samplesMs]])),
    };
    draw(document.querySelector<HTMLElement>("#rounds")!, plot, libraries);
  }
}

show(JSON.parse(document.querySelector("#report")!.textContent) as PeerReport);
