// @ts-check
/** The cases of `npm run study`, and what their numbers say, as Markdown. Runs nothing. */
import { meanOf, shown, tableOf } from "./trainings.mjs";

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} what
 * @property {readonly string[]} args Of `npm start`.
 *
 * @typedef {object} Run
 * @property {number} seed
 * @property {string} adapter
 * @property {number} loss Mean over the last 20 steps.
 * @property {number} contrastAccuracy
 * @property {number} knn
 * @property {readonly [step: number, loss: number][]} curve
 *
 * @typedef {Case & { runs: Run[] }} Result
 */

/** @type {readonly Case[]} */
export const CASES = [
  { name: "recipe", what: "m 0.99, K 1024, T 0.1, shuffled keys", args: [] },
  { name: "m=0", what: "keys by the query encoder itself", args: ["--momentum", "0"] },
  { name: "m=0.9", what: "", args: ["--momentum", "0.9"] },
  { name: "m=0.999", what: "", args: ["--momentum", "0.999"] },
  { name: "m=1", what: "keys by the encoder of the beginning", args: ["--momentum", "1"] },
  { name: "K=128", what: "the last batch's keys only", args: ["--queue-size", "128"] },
  { name: "K=256", what: "", args: ["--queue-size", "256"] },
  { name: "K=4096", what: "", args: ["--queue-size", "4096"] },
  { name: "T=0.05", what: "", args: ["--temperature", "0.05"] },
  { name: "T=0.2", what: "", args: ["--temperature", "0.2"] },
  { name: "T=0.5", what: "", args: ["--temperature", "0.5"] },
  { name: "unshuffled", what: "keys in the order of their queries", args: ["--shuffle", "off"] },
];

/**
 * What the lines of `npm start` say.
 *
 * @param {readonly string[]} lines
 * @param {number} seed
 * @returns {Run}
 */
export function runOf(lines, seed) {
  const { adapter, loss, contrastAccuracy, knnAfter } = JSON.parse(lines.at(-1) ?? "");
  /** @type {[number, number][]} */
  const curve = lines.flatMap((line) => {
    const match = /^step +(\d+)\/\d+ +loss ([\d.]+)/.exec(line);
    return match ? [[Number(match[1]), Number(match[2])]] : [];
  });
  return { seed, adapter, loss, contrastAccuracy, knn: knnAfter, curve };
}

/**
 * The table, and what it says of the paper's claims.
 *
 * @param {readonly Result[]} results
 * @param {{ steps: number, data: string | null }} options
 */
export function markdownOf(results, { steps, data }) {
  const rows = results.map(({ name, what, runs }) => [
    name,
    what,
    shown(runs.map(({ knn }) => 100 * knn)),
    shown(runs.map(({ loss }) => loss)),
    shown(runs.map(({ contrastAccuracy }) => 100 * contrastAccuracy)),
  ]);
  const table = [["case", "", "kNN %", "loss", "top-1 %"], ["---", "---", "--:", "--:", "--:"], ...rows];
  const seeds = Math.max(...results.map(({ runs }) => runs.length));
  const images = data ? "the images of the folder given by --data" : "the 10,000 images of the demo";
  const adapters = [...new Set(results.flatMap(({ runs }) => runs.map(({ adapter }) => adapter)))];
  return `# The paper's ablations on Fashion-MNIST

${steps} steps, ${seeds === 1 ? "one seed" : `mean ± standard deviation of ${seeds} seeds`}, ${images}, on ${adapters.join(" and ")}. kNN: k 200, T 0.1, on
embeddings; loss and contrast top-1 are means over the last 20 steps. Losses of different queues and temperatures cannot be compared.

${tableOf(table)}

${verdictsOf(results)
  .map((line) => `- ${line}`)
  .join("\n")}

![Losses by step](study.svg)

Made by \`npm run study\`.
`;
}

/** Points of kNN accuracy that two seeds may differ by: what is less shows nothing. */
const NOISE = 0.6;

/**
 * Which of the paper's claims the numbers show, in a sentence each.
 *
 * @param {readonly Result[]} results
 * @returns {string[]}
 */
export function verdictsOf(results) {
  const of = (/** @type {string} */ name) => results.find((result) => result.name === name)?.runs ?? [];
  const knn = (/** @type {string} */ name) => 100 * meanOf(of(name).map((run) => run.knn));
  const loss = (/** @type {string} */ name) => meanOf(of(name).map((run) => run.loss));
  const recipe = knn("recipe");
  /** @type {(name: string, text: () => string) => string[]} */
  const about = (name, text) => (of(name).length > 0 && of("recipe").length > 0 ? [text()] : []);
  const compared = (/** @type {string} */ name) => {
    const gap = knn(name) - recipe;
    return Math.abs(gap) < NOISE
      ? "no difference at this scale"
      : `${Math.abs(gap).toFixed(1)} points ${gap < 0 ? "worse" : "better"} than the recipe`;
  };
  return [
    ...about("m=0", () => `Without momentum (m = 0) kNN is ${knn("m=0").toFixed(1)} %: ${compared("m=0")}.`),
    ...about(
      "m=1",
      () =>
        `A key encoder that never moves (m = 1): kNN ${compared("m=1")}, but a loss of ${loss("m=1").toFixed(2)} instead of ${loss("recipe").toFixed(2)}.`,
    ),
    ...["m=0.9", "m=0.999", "K=128", "K=256", "K=4096", "T=0.05", "T=0.2", "T=0.5"].flatMap((name) =>
      about(name, () => `${name}: ${compared(name)}.`),
    ),
    ...about(
      "unshuffled",
      () =>
        `Keys that are not shuffled: ${compared("unshuffled")}. That shuffling does what it should is for the tests to show.`,
    ),
  ];
}
