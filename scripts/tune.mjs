// @ts-check
/**
 * `npm run tune`: tries the variants of the kernels that some pieces of work use, in Node, and says which are fastest on this
 * adapter. What `--json` writes is for `useTuning` of flywheel/dev, on the same adapter.
 *
 * Exit codes: 0 done, 2 a case or option that there is not, or nothing to run on.
 */
import { writeFileSync } from "node:fs";
import { countOption, fileOption, readOptions } from "./benchOptions.mjs";
import { runMain, SetupError } from "./setup.mjs";
import { listOf, provideGpu, withSources } from "./sources.mjs";

/** @typedef {typeof import("../bench/tune")} Tune */

const COMMAND = "npm run tune";

await runMain(() =>
  withSources(async (load) => {
    const { CASES, tuneCases } = /** @type {Tune} */ (await load("/bench/tune.ts"));
    const { help, names, budget, json } = parseOptions(process.argv.slice(2));
    const list = listOf(CASES);
    if (help) {
      process.stdout.write(helpText(list));
      return;
    }
    const unknown = names.find((name) => !Object.hasOwn(CASES, name));
    if (unknown !== undefined) throw new SetupError(`there is no case "${unknown}". The cases:\n${list.trimEnd()}`);
    await provideGpu();
    const { text, saved } = await tuneCases(names.length > 0 ? names : Object.keys(CASES), 1000 * budget);
    console.log(text);
    if (json === "") return;
    writeFileSync(json, saved);
    console.log(`\nwritten to ${json}`);
  }),
);

/**
 * @param {string[]} argv
 * @returns {{ help: boolean, names: string[], budget: number, json: string }}
 */
function parseOptions(argv) {
  /** @type {string[]} */
  const names = [];
  const options = { budget: 20, json: "" };
  const help = readOptions(COMMAND, argv, {
    taking: {
      budget: (text) => (options.budget = countOption(COMMAND, "--budget", text, 3600)),
      json: (path) => (options.json = fileOption(COMMAND, "--json", path)),
    },
    switches: {},
    word: (word) => names.push(word),
  });
  return { ...options, help, names };
}

/** @param {string} list */
function helpText(list) {
  return `Usage: npm run tune -- [CASE ...] [options]

Tries each variant of the kernels that the cases use (all cases by default): whether it is right, and how long it takes.
Runs in Node.

Cases:
${list}
  --budget SECONDS  time for each case (default 20)
  --json FILE       write what is fastest: useTuning of flywheel/dev takes it, on the same adapter
  --help, -h        show this

Exit codes: 0 done, 2 a case or option that there is not, or no GPU.
`;
}
