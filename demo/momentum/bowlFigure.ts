/** Figure 2: SGD on y = (a x)^2, with momentum, with a larger rate instead, and with neither. */

import { LineChart } from "../lineChart";
import { descend, lossesOf, type Path, type Run, settledAt } from "./descent";
import { Figure } from "./figure";
import { bowl, curvatureOf } from "./losses";
import type { Pause } from "./pause";
import { borderOf, wayOf } from "./sayings";
import { shape, slider, toggle, type Values } from "./settings";
import { aroundZero, coefficient, drawable, shown, tick, verbatim } from "./words";

/** On the bowl SGD without momentum diverges beyond 1 / a^2: 0.25 for the text's. */
const RATE = [0.001, 0.26, 0.001] as const;

/** What a bowl's `a` may be: the curvature, 2 a^2, goes from half to 32. */
export const BOWL_A = [0.5, 4, 0.1] as const;

const CONTROLS = {
  lr: slider("learning rate", 0.01, RATE),
  momentum: slider("momentum μ", 0.9, [0, 0.99, 0.01]),
  dampening: slider("dampening", 0, [0, 1, 0.05]),
  nesterov: toggle("Nesterov (no dampening)", false),
  plainLr: slider("rate without momentum", 0.03, RATE),
  x0: slider("start x₀", 2, [-3, 3, 0.1]),
  iterations: slider("iterations", 100, [10, 300, 10]),
  log: toggle("loss on a log scale", true),
  a: shape("a in y = (a x)²", 2, BOWL_A),
};

type Settings = Values<typeof CONTROLS>;

/** Nearer than this to the minimum counts as there. */
const NEAR = 0.01;

/** Nesterov needs momentum and has no dampening. */
const isNesterov = ({ nesterov, momentum }: Settings): boolean => nesterov && momentum > 0;

function runsOf(values: Settings): { name: string; run: Run }[] {
  const { lr, momentum, plainLr } = values;
  const nesterov = isNesterov(values);
  const dampening = nesterov ? 0 : values.dampening;
  return [
    { name: `lr ${lr}, μ ${momentum}`, run: { lr, momentum, dampening, nesterov } },
    { name: `lr ${plainLr}`, run: { lr: plainLr } },
    { name: `lr ${lr}`, run: { lr } },
  ];
}

interface Result {
  readonly paths: readonly Path[];
  readonly losses: readonly number[][];
}

async function compute(values: Settings, pause: Pause): Promise<Result> {
  const runs = runsOf(values).map(({ run }) => run);
  const loss = bowl(values.a);
  const paths = await descend(loss, [values.x0], runs, values.iterations, pause);
  return { paths, losses: await Promise.all(paths.map((path) => lossesOf(loss, path))) };
}

export function bowlFigure(): Figure<typeof CONTROLS, Result> {
  const series = ["--loss", "--contrast", "--knn"].map((color) => ({ label: "", color }));
  const common = { series, xRange: (_first: number, last: number): [number, number] => [0, last], xLabel: "iteration" };
  const xChart = new LineChart(document.getElementById("x-chart")!, {
    ...common,
    format: shown,
    formatTick: tick,
    range: aroundZero,
    yLabel: "x",
  });
  let isLog = true; // what is drawn, until the new settings are
  const raised = (value: number): number => (isLog ? 10 ** value : value);
  const lossChart = new LineChart(document.getElementById("bowl-loss-chart")!, {
    ...common,
    format: (value) => shown(raised(value)),
    formatTick: (value) => (Number.isInteger(value) || !isLog ? tick(raised(value)) : ""),
    range: (low, high) => (isLog ? [Math.max(low ?? 0, -20) - 0.3, (high ?? 1) + 0.3] : aroundZero(low, high)),
    yLabel: "loss y",
  });
  const figure: Figure<typeof CONTROLS, Result> = new Figure({
    name: "sgd",
    controls: CONTROLS,
    compute,
    formula: ({ a }) => ({ a: coefficient(a), curvature: verbatim(curvatureOf(a)), best: shown(1 / curvatureOf(a)) }),
    changed: (values, panel) => panel.disable(isNesterov(values) ? ["dampening"] : []),
    show: ({ paths, losses }, values) => {
      const names = runsOf(values).map(({ name }) => name);
      for (const chart of [xChart, lossChart]) names.forEach((name, i) => chart.rename(i, name));
      const iterations = paths[0]!.map((_, iteration) => iteration);
      xChart.draw([iterations, ...paths.map((path) => path.map(([x]) => drawable(x!)))]);
      isLog = values.log;
      const drawn = losses.map((each) => each.map((y) => drawable(isLog ? Math.log10(y) : y)));
      lossChart.draw([iterations, ...drawn]);
      const settled = paths.map((path) => settledAt(path, [0], NEAR));
      fillTable(
        figure.find("tbody"),
        paths.map((path, i) => [
          names[i]!,
          held(path.at(-1)![0]!),
          held(losses[i]!.at(-1)!),
          String(settled[i] ?? "not yet"),
        ]),
      );
      return sentence(values, paths[0]!, names, settled);
    },
  });
  return figure;
}

/** A number that may have become too large to be one. */
const held = (value: number): string => (Number.isFinite(value) ? shown(value) : "too large");

function sentence(values: Settings, path: Path, names: readonly string[], settled: readonly (number | null)[]): string {
  const at = settled.map((iteration) => iteration ?? Infinity);
  const first = Math.min(...at);
  const winner =
    first === Infinity
      ? `None is within ${NEAR} of 0 yet.`
      : `First within ${NEAR} of 0: ${names[at.indexOf(first)]!}, at iteration ${first}.`;
  const border = borderOf({ ...values, nesterov: isNesterov(values) });
  const swings =
    border === null
      ? ""
      : ` At this rate swings begin above μ = (1 − √(${verbatim(curvatureOf(values.a))} lr))² = ${shown(border)}.`;
  return `${winner} With μ ${values.momentum}, x ${wayOf(path)}.${swings}`;
}

/** Rows of text; the first cell of each is its heading. */
export function fillTable(body: HTMLElement, rows: readonly (readonly string[])[]): void {
  body.replaceChildren(
    ...rows.map(([name, ...cells]) => {
      const row = document.createElement("tr");
      const heading = document.createElement("th");
      heading.scope = "row";
      heading.textContent = name!;
      row.append(heading);
      for (const text of cells) row.insertCell().textContent = text;
      return row;
    }),
  );
}
