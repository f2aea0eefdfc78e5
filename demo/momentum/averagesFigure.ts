/** Figure 1: noisy temperatures, three averages of them, and how much each day counts in one. */

import { LineChart } from "../lineChart";
import { movingAverages, temperatures, weightsOf, withoutBias } from "./averages";
import { Figure } from "./figure";
import { choice, slider, toggle, type Values } from "./settings";
import { aroundZero, shown, tick } from "./words";

const BETA = [0, 0.99, 0.01] as const;
const COLORS = ["--loss", "--contrast", "--knn"] as const;

const CONTROLS = {
  beta1: slider("first β", 0.5, BETA),
  beta2: slider("second β", 0.9, BETA),
  beta3: slider("third β", 0.98, BETA),
  corrected: toggle("correct the bias (dashed: without)", true),
  days: slider("days", 180, [30, 365, 5]),
  noise: slider("noise", 3, [0, 8, 0.5], "°C"),
  seed: slider("seed of the noise", 1, [0, 50, 1]),
  bars: choice("weights of", "second", { first: "first β", second: "second β", third: "third β" }),
  terms: slider("terms", 100, [5, 200, 5]),
};

type Settings = Values<typeof CONTROLS>;

const NAMES = ["first", "second", "third"] as const;
const betasOf = ({ beta1, beta2, beta3 }: Settings): number[] => [beta1, beta2, beta3];
const celsius = (value: number): string => `${value.toFixed(1)} °C`;

async function compute(values: Settings, pause: () => Promise<void>) {
  const betas = betasOf(values);
  const beta = betas[NAMES.indexOf(values.bars)]!;
  const series = await temperatures(values.days, values.noise, values.seed);
  const plain = await movingAverages(series, betas, pause);
  const corrected = await Promise.all(plain.map((average, i) => withoutBias(average, betas[i]!)));
  return { series, plain, corrected, beta, ...(await weightsOf(beta, values.terms, pause)) };
}

export function averagesFigure(): Figure<typeof CONTROLS, Awaited<ReturnType<typeof compute>>> {
  const chart = new LineChart(document.getElementById("averages-chart")!, {
    series: [
      { label: "temperature", color: "--text-soft", as: "dots" },
      ...COLORS.map((color) => ({ label: "", color })),
      ...COLORS.map((color) => ({ label: "", color, dashed: true })),
    ],
    format: celsius,
    formatTick: tick,
    range: aroundZero,
    xRange: (first, last) => [first, last],
    xLabel: "day",
    yLabel: "°C",
  });
  const weightsChart = new LineChart(document.getElementById("weights-chart")!, {
    series: COLORS.map((color) => ({ label: "", color, as: "bars" })),
    onlyAtCursor: true,
    format: (value) => shown(value, 4),
    formatTick: tick,
    range: aroundZero,
    xRange: (first, last) => [first - 0.6, last + 0.6],
    xLabel: "days ago, k",
  });
  const figure: Figure<typeof CONTROLS, Awaited<ReturnType<typeof compute>>> = new Figure({
    name: "averages",
    controls: CONTROLS,
    compute,
    changed: (values, panel) => {
      panel.retitle(
        "bars",
        betasOf(values).map((beta, i) => `${NAMES[i]} β, ${beta}`),
      );
    },
    show: ({ series, plain, corrected, weights, sum, beta }, values) => {
      betasOf(values).forEach((each, i) => {
        chart.rename(1 + i, `β ${each}`);
        weightsChart.rename(i, NAMES[i] === values.bars ? `β ${each}` : "");
      });
      chart.draw([
        series.map((_, day) => day + 1),
        series,
        ...(values.corrected ? corrected : plain),
        ...(values.corrected ? plain : plain.map(() => series.map(() => null))),
      ]);
      const none = weights.map(() => null);
      weightsChart.draw([weights.map((_, k) => k), ...NAMES.map((name) => (name === values.bars ? weights : none))]);
      figure.find("#weights-sum").innerHTML =
        `${terms(beta, values.terms)} = <b>${sum.toFixed(10)}</b> = 1 − ${beta}<sup>${values.terms}</sup>`;
      const memory = 1 / (1 - beta);
      return (
        `At β ${beta} the first ${values.terms} weights sum to ${sum.toFixed(10)}. ` +
        `The average looks back about 1 / (1 − β) = ${shown(memory)} days: an older day counts less than 1/e of today.`
      );
    },
  });
  return figure;
}

/** The sum as a text would write it: (1 − 0.9) · (1 + 0.9 + … + 0.9⁹⁹). */
const terms = (beta: number, count: number): string =>
  `(1 − ${beta}) · (1 + ${beta} + … + ${beta}<sup>${count - 1}</sup>)`;
