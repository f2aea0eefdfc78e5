/** Figure 3: momentum with the rate inside the velocity and outside of it, and what a change of the rate does to each. */

import { LineChart } from "../lineChart";
import { BOWL_A, fillTable } from "./bowlFigure";
import { descend, type Run } from "./descent";
import { Figure } from "./figure";
import { bowl } from "./losses";
import type { Pause } from "./pause";
import { shape, slider, type Values } from "./settings";
import { aroundZero, coefficient, shown, tick } from "./words";

const CONTROLS = {
  lr: slider("learning rate", 0.01, [0.001, 0.05, 0.001]),
  momentum: slider("momentum μ", 0.9, [0, 0.99, 0.01]),
  change: slider("the rate changes after iteration", 30, [1, 150, 1]),
  factor: slider("it is multiplied by", 0.1, [0, 3, 0.05]),
  w0: slider("start w₀", 2, [-3, 3, 0.1]),
  iterations: slider("iterations", 100, [20, 150, 5]),
  a: shape("a in (a w)²", 2, BOWL_A),
};

type Settings = Values<typeof CONTROLS>;

/** The weight by iteration: the classical form, then PyTorch's. */
type Result = readonly [number[], number[]];

async function compute(values: Settings, pause: Pause): Promise<Result> {
  const { lr, momentum, change, factor, w0, iterations, a } = values;
  const run: Run = { lr, momentum, later: { after: change, lr: lr * factor } };
  const [classical, torch] = await descend(bowl(a), [w0], [{ ...run, classical: true }, run], iterations, pause);
  return [classical!.map(([w]) => w!), torch!.map(([w]) => w!)];
}

export function formsFigure(): Figure<typeof CONTROLS, Result> {
  const common = {
    series: [
      { label: "rate inside", color: "--loss", width: 5 },
      { label: "PyTorch", color: "--contrast", width: 2 },
    ],
    format: shown,
    formatTick: tick,
    range: aroundZero,
    xRange: (_first: number, last: number): [number, number] => [0, last],
    xLabel: "iteration",
  };
  const path = new LineChart(document.getElementById("forms-chart")!, { ...common, yLabel: "w" });
  const steps = new LineChart(document.getElementById("steps-chart")!, { ...common, yLabel: "step of w" });
  const figure: Figure<typeof CONTROLS, Result> = new Figure({
    name: "forms",
    controls: CONTROLS,
    compute,
    formula: ({ a }) => ({ a: coefficient(a) }),
    show: ([classical, torch], { change, factor, iterations }) => {
      const at = classical.map((_, iteration) => iteration);
      path.draw([at, classical, torch]);
      steps.draw([at.slice(1), stepsOf(classical), stepsOf(torch)]);
      const [before, after] = [gap(classical, torch, 0, change), gap(classical, torch, change + 1, iterations)];
      const rows = [[`up to iteration ${Math.min(change, iterations)}`, shown(before)]];
      if (change < iterations) rows.push([`from ${change + 1} on`, shown(after)]);
      fillTable(figure.find("tbody"), rows);
      if (factor === 1 || change >= iterations) return "The rate stays as it is: both forms go the same way.";
      return `The same way up to iteration ${change}; then they part by up to ${shown(after)}.`;
    },
  });
  return figure;
}

const stepsOf = (path: readonly number[]): number[] => path.slice(1).map((w, i) => w - path[i]!);

/** Largest distance of two paths between two iterations; 0 if there are none. */
const gap = (a: readonly number[], b: readonly number[], from: number, to: number): number =>
  a.slice(from, to + 1).reduce((most, w, i) => Math.max(most, Math.abs(w - b[from + i]!)), 0);
