// @ts-check
/**
 * `npm run reference`: trains on all of Fashion-MNIST with several seeds, judges the encoders by nearest neighbours and by a linear
 * classifier, and writes a table beside what PyTorch reached with the same recipe. Each training is `npm start` without a window.
 * Progress goes to stderr.
 * Exit codes: 0 done, 1 a training failed or fell short of PyTorch, 2 wrong options.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { countOption, listOption, readOptions, userPath, wrongOption } from "./benchOptions.mjs";
import { dataFile } from "./cli.mjs";
import { CASES, markdownOf, nameOf, runOf, SHARED_ARGS, shortfallsOf, TRAIN_COUNT } from "./referenceReport.mjs";
import { root, runMain } from "./setup.mjs";
import { train } from "./trainings.mjs";

/**
 * @typedef {import("./referenceReport.mjs").Result} Result
 *
 * @typedef {object} Options
 * @property {string[]} only
 * @property {number} seeds
 * @property {string} data Folder.
 * @property {string} out Folder.
 * @property {boolean} goesOn
 */

const COMMAND = "npm run reference";
const DEFAULTS = { seeds: 3, out: "reference-results" };
const LABELS = "train-labels-idx1-ubyte.gz";

const helpText = () => `Usage: ${COMMAND} -- --data DIR [options]

Trains on all of Fashion-MNIST, ${DEFAULTS.seeds} seeds of each case, and compares with PyTorch. On a machine without a GPU a training of 300 steps takes
four minutes, one of 1000 about ten.

  --data DIR    folder of the four published files (github.com/zalandoresearch/fashion-mnist; Debian: dataset-fashion-mnist)
  --only LIST   some of ${CASES.map(nameOf).join(", ")}
  --seeds N     trainings of each case, from seed 0 on (default ${DEFAULTS.seeds})
  --out DIR     where to write REFERENCE.md and reference.json (default ${DEFAULTS.out})
  --go-on       keep what reference.json there has measured, and do the rest
  --help, -h    show this
`;

await runMain(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(helpText());
  mkdirSync(options.out, { recursive: true });
  const known = options.goesOn ? readResults(options.out) : [];
  /** @type {Result[]} */
  const results = [];
  for (const each of CASES) {
    const runs = known.find((one) => nameOf(one) === nameOf(each))?.runs ?? [];
    results.push({ ...each, runs });
  }
  for (const { runs, ...each } of results.filter((one) => options.only.includes(nameOf(one)))) {
    for (let seed = runs.length; seed < options.seeds; seed++) {
      const args = ["--encoder", each.encoder, "--steps", String(each.steps), "--seed", String(seed)];
      const lines = await train(`${nameOf(each)}, seed ${seed}`, [...args, ...SHARED_ARGS, "--data", options.data]);
      runs.push(runOf(lines));
      write(results, options.out); // so that what was measured is there if a later training fails
    }
  }
  const measured = write(results, options.out);
  process.stdout.write(`${markdownOf(measured)}\nwritten to ${relative(process.cwd(), options.out) || "."}\n`);
  const shortfalls = shortfallsOf(measured);
  for (const line of shortfalls) process.stderr.write(`${line}\n`);
  return shortfalls.length > 0 ? 1 : 0;
});

/**
 * @param {string[]} argv
 * @returns {Options | null} null: help is wanted
 */
function parseOptions(argv) {
  const names = CASES.map(nameOf);
  /** @type {Options} */
  const options = { only: names, seeds: DEFAULTS.seeds, data: "", out: join(root, DEFAULTS.out), goesOn: false };
  const help = readOptions(COMMAND, argv, {
    taking: {
      only: (text) => (options.only = listOption(COMMAND, "--only", text, names)),
      seeds: (text) => (options.seeds = countOption(COMMAND, "--seeds", text, 100)),
      data: (text) => (options.data = userPath(text)),
      out: (text) => (options.out = userPath(text)),
    },
    switches: { "go-on": () => (options.goesOn = true) },
  });
  if (help) return null;
  checkData(options.data);
  return options;
}

/** @param {string} folder */
function checkData(folder) {
  if (folder === "") wrongOption(COMMAND, "--data must name the folder of the four published files, got none");
  const path = dataFile(folder, LABELS);
  if (path === undefined)
    wrongOption(COMMAND, `--data must hold the four published files, got ${folder} without ${LABELS}`);
  const count = countOf(path);
  if (count !== TRAIN_COUNT)
    wrongOption(COMMAND, `--data must hold all ${TRAIN_COUNT} training images, got ${count} in ${folder}`);
}

/**
 * How many labels a file says that it has.
 *
 * @param {string} path
 * @returns {number}
 */
function countOf(path) {
  try {
    const file = readFileSync(path);
    return (path.endsWith(".gz") ? gunzipSync(file) : file).readUInt32BE(4);
  } catch (error) {
    return wrongOption(
      COMMAND,
      `--data must hold files as published, got ${path}, which cannot be read (${reasonOf(error)})`,
    );
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What an earlier run wrote.
 *
 * @param {string} folder
 * @returns {Result[]}
 */
function readResults(folder) {
  const path = join(folder, "reference.json");
  if (!statSync(path, { throwIfNoEntry: false })) return [];
  try {
    const { results } = JSON.parse(readFileSync(path, "utf8"));
    if (Array.isArray(results) && results.every((each) => Array.isArray(each?.runs))) return results;
    throw new Error("no list of results with runs");
  } catch (error) {
    return wrongOption(
      COMMAND,
      `--go-on must find what an earlier run wrote, got another ${path} (${reasonOf(error)})`,
    );
  }
}

/**
 * @param {readonly Result[]} results
 * @param {string} folder
 * @returns {Result[]} those that were measured
 */
function write(results, folder) {
  const measured = results.filter(({ runs }) => runs.length > 0);
  writeFileSync(join(folder, "reference.json"), `${JSON.stringify({ results: measured }, null, 1)}\n`);
  writeFileSync(join(folder, "REFERENCE.md"), markdownOf(measured));
  return measured;
}
