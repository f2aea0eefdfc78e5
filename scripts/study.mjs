// @ts-check
/**
 * `npm run study`: the ablations of the MoCo paper on Fashion-MNIST: the key encoder's momentum, the queue, the temperature, shuffling.
 * Each is `npm start` without a window; what it prints is gathered into a table and plots. Progress goes to stderr.
 * Exit codes: 0 done, 1 a training failed or does not show what it must, 2 wrong options.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { countOption, listOption, readOptions, userPath, wrongOption } from "./benchOptions.mjs";
import { root, runMain } from "./setup.mjs";
import { barsOf, plotOf } from "./studyPlot.mjs";
import { CASES, JUDGED_STEPS, markdownOf, runOf, shortfallsOf } from "./studyReport.mjs";
import { train } from "./trainings.mjs";

/**
 * @typedef {import("./studyReport.mjs").Result} Result
 * @typedef {import("./studyReport.mjs").Run} Run
 *
 * @typedef {object} Options
 * @property {string[]} only
 * @property {number} steps
 * @property {number} seeds
 * @property {string | null} data
 * @property {string} out Folder.
 * @property {string | null} from File of an earlier study.
 *
 * @typedef {{ steps: number, isDemoData: boolean, results: Result[] }} Study
 */

const COMMAND = "npm run study";
const DEFAULTS = { steps: 300, seeds: 1, out: "study-results" };

const helpText = () => `Usage: ${COMMAND} -- [options]

Trains with one thing changed at a time, and writes a table, plots of losses and accuracies, and all numbers. With the defaults it takes about
two minutes a training on a machine without a GPU. It fails where ${JUDGED_STEPS} steps or more do not show that m = 0 fails and that m = 1 has a higher loss.

  --only LIST   some of ${CASES.map(({ name }) => name).join(", ")}
  --steps N     of each training (default ${DEFAULTS.steps})
  --seeds N     trainings of each case, from seed 0 on (default ${DEFAULTS.seeds})
  --data DIR    folder of the four Fashion-MNIST files (default: the part that comes with the demo)
  --out DIR     where to write STUDY.md, study.svg, knn.svg and study.json (default ${DEFAULTS.out})
  --from FILE   train nothing: write all that anew from an earlier study.json
  --help, -h    show this
`;

await runMain(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(helpText());
  mkdirSync(options.out, { recursive: true });
  const study = options.from === null ? await measure(options) : readStudy(options.from, options.only);
  write(study, options.out);
  process.stdout.write(
    `${markdownOf(study.results, study)}\nwritten to ${relative(process.cwd(), options.out) || "."}\n`,
  );
  const shortfalls = shortfallsOf(study.results, study);
  for (const line of shortfalls) process.stderr.write(`${line}\n`);
  return shortfalls.length > 0 ? 1 : 0;
});

/**
 * @param {string[]} argv
 * @returns {Options | null} null: help is wanted
 */
function parseOptions(argv) {
  const names = CASES.map(({ name }) => name);
  /** @type {Options} */
  const options = {
    only: names,
    steps: DEFAULTS.steps,
    seeds: DEFAULTS.seeds,
    data: null,
    out: join(root, DEFAULTS.out),
    from: null,
  };
  const help = readOptions(COMMAND, argv, {
    taking: {
      only: (text) => (options.only = listOption(COMMAND, "--only", text, names)),
      steps: (text) => (options.steps = countOption(COMMAND, "--steps", text, 100_000)),
      seeds: (text) => (options.seeds = countOption(COMMAND, "--seeds", text, 100)),
      data: (text) => (options.data = userPath(text)),
      out: (text) => (options.out = userPath(text)),
      from: (text) => (options.from = userPath(text)),
    },
    switches: {},
  });
  return help ? null : options;
}

/**
 * @param {Options} options
 * @returns {Promise<Study>}
 */
async function measure(options) {
  /** @type {Study} */
  const study = { steps: options.steps, isDemoData: options.data === null, results: [] };
  for (const each of CASES.filter(({ name }) => options.only.includes(name))) {
    const result = { ...each, runs: /** @type {Run[]} */ ([]) };
    study.results.push(result);
    for (let seed = 0; seed < options.seeds; seed++) {
      result.runs.push(await runCase(each, seed, options));
      write(study, options.out); // so that what was measured is there if a later training fails
    }
  }
  return study;
}

/**
 * What an earlier study wrote.
 *
 * @param {string} path
 * @param {readonly string[]} only
 * @returns {Study}
 */
function readStudy(path, only) {
  try {
    const { steps, isDemoData, results } = JSON.parse(readFileSync(path, "utf8"));
    if (
      typeof steps !== "number" ||
      typeof isDemoData !== "boolean" ||
      !Array.isArray(results) ||
      !results.every((each) => each?.runs?.length > 0)
    )
      throw new Error("no list of results with runs");
    return { steps, isDemoData, results: results.filter(({ name }) => only.includes(name)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return wrongOption(COMMAND, `--from must name a study.json that an earlier study wrote, got ${path} (${reason})`);
  }
}

/**
 * @param {import("./studyReport.mjs").Case} each
 * @param {number} seed
 * @param {Options} options
 * @returns {Promise<Run>}
 */
async function runCase({ name, args }, seed, { steps, data }) {
  const given = ["--steps", String(steps), "--seed", String(seed), ...(data ? ["--data", data] : [])];
  return runOf(await train(`${name}, seed ${seed}`, [...given, ...args]), seed);
}

/**
 * @param {Study} study
 * @param {string} folder
 */
function write(study, folder) {
  writeFileSync(join(folder, "study.json"), `${JSON.stringify(study, null, 1)}\n`);
  writeFileSync(join(folder, "study.svg"), plotOf(study.results));
  writeFileSync(join(folder, "knn.svg"), barsOf(study.results));
  writeFileSync(join(folder, "STUDY.md"), markdownOf(study.results, study));
}
