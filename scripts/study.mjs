// @ts-check
/**
 * `npm run study`: the ablations of the MoCo paper on Fashion-MNIST: the key encoder's momentum, the queue, the temperature, shuffling.
 * Each is `npm start` without a window; what it prints is gathered into a table and a plot. Progress goes to stderr.
 * Exit codes: 0 done, 1 a training failed, 2 wrong options.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { countOption, listOption, readOptions, userPath } from "./benchOptions.mjs";
import { root, runMain } from "./setup.mjs";
import { plotOf } from "./studyPlot.mjs";
import { CASES, markdownOf, runOf } from "./studyReport.mjs";
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
 */

const COMMAND = "npm run study";
const DEFAULTS = { steps: 300, seeds: 1, out: "study-results" };

const helpText = () => `Usage: ${COMMAND} -- [options]

Trains with one thing changed at a time, and writes a table, plots of the losses and all numbers. With the defaults it takes about
two minutes a training on a machine without a GPU.

  --only LIST   some of ${CASES.map(({ name }) => name).join(", ")}
  --steps N     of each training (default ${DEFAULTS.steps})
  --seeds N     trainings of each case, from seed 0 on (default ${DEFAULTS.seeds})
  --data DIR    folder of the four Fashion-MNIST files (default: the part that comes with the demo)
  --out DIR     where to write STUDY.md, study.svg and study.json (default ${DEFAULTS.out})
  --help, -h    show this
`;

await runMain(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(helpText());
  mkdirSync(options.out, { recursive: true });
  /** @type {Result[]} */
  const results = [];
  for (const each of CASES.filter(({ name }) => options.only.includes(name))) {
    const result = { ...each, runs: /** @type {Run[]} */ ([]) };
    results.push(result);
    for (let seed = 0; seed < options.seeds; seed++) {
      result.runs.push(await runCase(each, seed, options));
      write(results, options); // so that what was measured is there if a later training fails
    }
  }
  process.stdout.write(`${markdownOf(results, options)}\nwritten to ${relative(process.cwd(), options.out) || "."}\n`);
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
  };
  const help = readOptions(COMMAND, argv, {
    taking: {
      only: (text) => (options.only = listOption(COMMAND, "--only", text, names)),
      steps: (text) => (options.steps = countOption(COMMAND, "--steps", text, 100_000)),
      seeds: (text) => (options.seeds = countOption(COMMAND, "--seeds", text, 100)),
      data: (text) => (options.data = userPath(text)),
      out: (text) => (options.out = userPath(text)),
    },
    switches: {},
  });
  return help ? null : options;
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
 * @param {readonly Result[]} results
 * @param {Options} options
 */
function write(results, options) {
  writeFileSync(join(options.out, "study.json"), `${JSON.stringify({ steps: options.steps, results }, null, 1)}\n`);
  writeFileSync(join(options.out, "study.svg"), plotOf(results));
  writeFileSync(join(options.out, "STUDY.md"), markdownOf(results, options));
}
