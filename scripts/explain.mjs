// @ts-check
/**
 * `npm run explain -- CASE`: what a piece of work becomes on the GPU, in Node. Prints its schedule, its kernels' WGSL if asked for,
 * and what each kernel costs. `bench/explainCases.ts` has the cases.
 *
 * Exit codes: 0 done, 2 a case or option that there is not, or nothing to run on.
 */
import { readOptions, wrongOption } from "./benchOptions.mjs";
import { runMain, SetupError } from "./setup.mjs";
import { listOf, provideGpu, withSources } from "./sources.mjs";

/** @typedef {typeof import("../bench/explain")} Explain */

const COMMAND = "npm run explain";

await runMain(() =>
  withSources(async (load) => {
    const explain = /** @type {Explain} */ (await load("/bench/explain.ts"));
    const options = parseOptions(process.argv.slice(2), explain);
    if (options.text !== "") process.stdout.write(options.text);
    else {
      await provideGpu();
      console.log(await explain.explainCase(options.name, options));
    }
  }),
);

/**
 * @param {string[]} argv
 * @param {Explain} explain
 * @returns {{ name: string, wgsl: boolean, time: boolean, text: string }} `text` is all there is to print, if it is not ""
 */
function parseOptions(argv, { CASES }) {
  /** @type {string[]} */
  const names = [];
  const options = { wgsl: false, time: false, list: false };
  const help = readOptions(COMMAND, argv, {
    taking: {},
    switches: {
      wgsl: () => (options.wgsl = true),
      time: () => (options.time = true),
      list: () => (options.list = true),
    },
    word: (word) => names.push(word),
  });
  const list = listOf(CASES);
  const [name = ""] = names;
  if (help) return { ...options, name, text: helpText(list) };
  if (options.list) return { ...options, name, text: list };
  if (names.length > 1) wrongOption(COMMAND, `there must be one case, got ${names.join(" and ")}`);
  if (!Object.hasOwn(CASES, name)) {
    throw new SetupError(
      `${name === "" ? "a case must be named" : `there is no case "${name}"`}. The cases:\n${list.trimEnd()}`,
    );
  }
  return { ...options, name, text: "" };
}

/** @param {string} list */
function helpText(list) {
  return `Usage: npm run explain -- CASE [options]

Prints what a piece of work becomes on the GPU: the schedule, with what was fused and why it was cut there, and the work
and traffic of each kernel. Runs in Node.

Cases:
${list}
  --wgsl      also print the WGSL of each kernel, as it is compiled
  --time      also measure: ms, GFLOP/s and GB/s of each kernel, and how near that is to what the adapter can do
  --list      list the cases
  --help, -h  show this

Exit codes: 0 done, 2 a case or option that there is not, or no GPU.
`;
}
