// @ts-check
/**
 * `npm run fuzz -- --graphs 10000 --seed 1`: random graphs on WebGPU against the reference, in pieces of 500, each with a seed and a
 * process of its own. Prints a line a piece and a total. A piece that failed is made again with `--graphs 500 --seed <its seed>`.
 *
 * Exit codes: 0 no mismatch, 1 some, 2 options that are not understood.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { ensureDependencies, ensureVulkan, root, runMain } from "./setup.mjs";

const PIECE = 500;
const FILE = "tests/schedule/graphs.fuzz";

await runMain(
  () => {
    const options = optionsOf(process.argv.slice(2));
    if (typeof options === "string") {
      console.error(options);
      return Promise.resolve(2);
    }
    ensureDependencies();
    ensureVulkan();
    const { graphs, seed } = options;
    const failed = [];
    for (let piece = 0; piece * PIECE < graphs; piece++) {
      const count = Math.min(PIECE, graphs - piece * PIECE);
      const output = run(count, seed + piece);
      console.log(output.line);
      if (!output.holds) {
        failed.push(seed + piece);
        console.log(output.text);
      }
    }
    const verdict = failed.length === 0 ? "0 mismatches" : `mismatches from the seeds ${failed.join(", ")}`;
    console.log(`${graphs} graphs from seed ${seed}: ${verdict}`);
    return Promise.resolve(failed.length === 0 ? 0 : 1);
  },
  import.meta.url,
);

/**
 * @param {string[]} argv
 * @returns {{ graphs: number, seed: number } | string} the options, or what is wrong with them
 */
function optionsOf(argv) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { graphs: { type: "string", default: "10000" }, seed: { type: "string", default: "1" } },
    });
    const [graphs, seed] = [Number(values.graphs), Number(values.seed)];
    if (Number.isInteger(graphs) && graphs > 0 && Number.isInteger(seed) && seed >= 0) return { graphs, seed };
    return `fuzz: --graphs must be a positive integer and --seed one from 0 on, got ${values.graphs} and ${values.seed}.`;
  } catch (error) {
    return `fuzz: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * @param {number} graphs
 * @param {number} seed
 */
function run(graphs, seed) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "--project", "webgpu", FILE],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      env: { ...process.env, FLYWHEEL_FUZZ_GRAPHS: String(graphs), FLYWHEEL_FUZZ_SEED: String(seed), NO_COLOR: "1" },
    },
  );
  const text = `${stdout}${stderr}`;
  const line = text.split("\n").find((each) => each.includes("random graphs from seed"));
  return { holds: status === 0 && line !== undefined, line: line ?? `seed ${seed}: failed`, text };
}
