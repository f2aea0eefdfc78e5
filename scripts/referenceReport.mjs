// @ts-check
/** The trainings of `npm run reference`, what PyTorch reached with the same recipe, and both as Markdown. Runs nothing. */
import { meanOf, shown, tableOf } from "./trainings.mjs";

/**
 * Accuracies in percent: what PyTorch reached, as mean and standard deviation of three seeds where there were three, and the least
 * that a mean of seeds must reach here. Null where PyTorch was not measured.
 *
 * @typedef {{ pytorch: string, least: number } | null} Measure
 *
 * @typedef {object} Case
 * @property {string} encoder
 * @property {number} steps
 * @property {Measure} knn k 200, T 0.1, on embeddings; bank: the first 10,000 training images, asked by all test images.
 * @property {Measure} linear On what comes before the head, by the labels of all training images.
 *
 * @typedef {object} Run
 * @property {number} seed
 * @property {string} adapter
 * @property {number} knn 0 to 1, as all that follow.
 * @property {number} knnBefore
 * @property {number} linear
 * @property {number} contrastAccuracy
 * @property {number} loss Mean over the last 20 steps.
 *
 * @typedef {Case & { runs: Run[] }} Result
 */

/** @type {readonly Case[]} */
export const CASES = [
  {
    ...{ encoder: "tinyFlat", steps: 300 },
    knn: { pytorch: "83.66 ± 0.11", least: 82.8 },
    linear: { pytorch: "88.5", least: 88 },
  },
  {
    ...{ encoder: "tinyFlat", steps: 1000 },
    knn: { pytorch: "85.36 ± 0.04", least: 84.7 },
    linear: { pytorch: "89.5", least: 89 },
  },
  { encoder: "tinyGap", steps: 300, knn: { pytorch: "80.68 ± 0.43", least: 79.5 }, linear: null },
  { encoder: "tinyGap", steps: 1000, knn: { pytorch: "82.87 ± 0.21", least: 82 }, linear: null },
];

/** What is the same in all of them, as `npm start` takes it. */
export const SHARED_ARGS = ["--batch-size", "256", "--queue-size", "4096", "--linear-probe"];

/** Images of the published training set. */
export const TRAIN_COUNT = 60_000;

/** @param {Pick<Case, "encoder" | "steps">} each */
export const nameOf = ({ encoder, steps }) => `${encoder}-${steps}`;

/**
 * What the lines of `npm start` say.
 *
 * @param {readonly string[]} lines
 * @returns {Run}
 */
export function runOf(lines) {
  const { seed, adapter, knnAfter, knnBefore, linearProbe, contrastAccuracy, loss } = JSON.parse(lines.at(-1) ?? "");
  return { seed, adapter, knn: knnAfter, knnBefore, linear: linearProbe, contrastAccuracy, loss };
}

/**
 * The table.
 *
 * @param {readonly Result[]} results
 */
export function markdownOf(results) {
  const rows = results.map(({ encoder, steps, knn, linear, runs }) => [
    encoder,
    String(steps),
    percents(runs, "knn"),
    knn?.pytorch ?? "",
    percents(runs, "linear"),
    linear?.pytorch ?? "",
    percents(runs, "knnBefore"),
    shown(runs.map(({ loss }) => loss)),
    percents(runs, "contrastAccuracy"),
    String(runs.length),
  ]);
  const head = [
    ...["encoder", "steps", "kNN %", "PyTorch", "linear %", "PyTorch", "kNN % before", "loss", "top-1 %", "seeds"],
  ];
  const adapters = [...new Set(results.flatMap(({ runs }) => runs.map(({ adapter }) => adapter)))];
  return `# Fashion-MNIST: what MoCo reaches

All ${TRAIN_COUNT.toLocaleString("en")} training images, batches of 256, a queue of 4096 keys; all else as in \`npm start\`. Mean ± standard deviation of the seeds, on
${adapters.join(" and ")}. kNN: k 200, T 0.1, on embeddings, the first 10,000 training images as the bank, all test images. Linear, ours: 30 epochs
on what comes before the head, standardised, at a rate of 0.01 and weight decay 1e-3, all training labels. Loss and contrast top-1 are means over the
last 20 steps. PyTorch 1.13 trained by the same recipe: kNN of three seeds; its linear figures come without seeds, and tinyGap has none.

${tableOf([head, head.map((_, column) => (column === 0 ? "---" : "--:")), ...rows])}

Made by \`npm run reference\`.
`;
}

/**
 * @param {readonly Run[]} runs
 * @param {"knn" | "knnBefore" | "linear" | "contrastAccuracy"} name
 */
const percents = (runs, name) => shown(runs.map((run) => 100 * run[name]));

/**
 * What falls short, in a sentence each.
 *
 * @param {readonly Result[]} results
 * @returns {string[]}
 */
export function shortfallsOf(results) {
  return results.flatMap((result) =>
    /** @type {const} */ (["knn", "linear"]).flatMap((name) => {
      const measure = result[name];
      const mean = 100 * meanOf(result.runs.map((run) => run[name]));
      if (measure === null || mean >= measure.least) return [];
      const what = name === "knn" ? "kNN accuracy" : "linear probe";
      return [`${nameOf(result)}: the ${what} must be at least ${measure.least} %, got ${mean.toFixed(2)} %.`];
    }),
  );
}
