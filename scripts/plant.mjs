// @ts-check
/**
 * `npm run plant`: whether the tests find bugs. Plants those of `plantedBugs.mjs` one by one in a copy of the repository, runs the
 * tests that are to see them, and demands that some fail, which all passed before. Prints a line a bug and, in the end, what survived.
 *
 *   npm run plant                  all of them: half an hour
 *   npm run plant -- conv2d erf    those whose file or description contains one of these words
 *   npm run plant -- --fresh       again, also what was found before
 *
 * What was found is remembered beside the copy as long as nothing in the repository changes, so that a run that was cut off goes on.
 *
 * Exit codes: 0 all found, 1 one survives, 2 a test fails without a bug, or a bug cannot be planted.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { PLANTED_BUGS } from "./plantedBugs.mjs";
import { ensureDependencies, ensureVulkan, root, runMain } from "./setup.mjs";

/** @typedef {import("./plantedBugs.mjs").PlantedBug} PlantedBug */

/** How long tests may take: a bug may make a loop endless, which is found too. */
const MOST_MS = 300_000;

/** Random graphs in which a bug of fusion has to show. */
const GRAPHS = "1200";

await runMain(
  () => {
    const options = optionsOf(process.argv.slice(2));
    if (typeof options === "string") {
      console.error(options);
      return Promise.resolve(2);
    }
    ensureDependencies();
    ensureVulkan();
    const { words, fresh } = options;
    const bugs = PLANTED_BUGS.filter(
      ({ file, what }) => words.length === 0 || words.some((word) => `${file} ${what}`.includes(word)),
    );
    if (bugs.length === 0) {
      console.error(`plant: no bug's file or description contains ${words.join(" or ")}.`);
      return Promise.resolve(2);
    }
    const copy = copyOfRepository();
    const state = join(dirname(copy), "found.json");
    const found = new Set(fresh || !existsSync(state) ? [] : JSON.parse(readFileSync(state, "utf8")));
    const left = bugs.filter((bug) => !found.has(keyOf(bug)));
    console.log(`${bugs.length} bugs, ${bugs.length - left.length} found before`);
    if (left.length > 0 && !passWithout(copy, left)) {
      console.log("the tests fail without a bug: mend that first");
      return Promise.resolve(2);
    }
    const survivors = left.filter((bug) => {
      const verdict = verdictOn(copy, bug);
      console.log(`${verdict.padEnd(16)} ${bug.file.padEnd(40)} ${bug.what}`);
      if (verdict !== "found") return true;
      found.add(keyOf(bug));
      writeFileSync(state, JSON.stringify([...found]));
      return false;
    });
    console.log(`${bugs.length - survivors.length} of ${bugs.length} planted bugs found`);
    return Promise.resolve(survivors.length === 0 ? 0 : 1);
  },
  import.meta.url,
);

/**
 * @param {string[]} argv
 * @returns {{ words: string[], fresh: boolean } | string} the options, or what is wrong with them
 */
function optionsOf(argv) {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: { fresh: { type: "boolean" } },
      allowPositionals: true,
    });
    return { words: positionals, fresh: values.fresh === true };
  } catch (error) {
    return `plant: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** @param {PlantedBug} bug */
function keyOf(bug) {
  return createHash("sha256").update(JSON.stringify(bug)).digest("hex");
}

/** All files that belong to the repository, in a folder named after what is in them. */
function copyOfRepository() {
  const { stdout } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  const files = stdout.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)));
  const folder = join(tmpdir(), `flywheel-plant-${hash.digest("hex").slice(0, 16)}`);
  const copy = join(folder, "repository");
  rmSync(copy, { recursive: true, force: true }); // a run that was cut off may have left a bug in it
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  return copy;
}

/**
 * Runs tests by project, files and names.
 *
 * @param {string} copy
 * @param {Pick<PlantedBug, "project" | "tests" | "only">[]} wanted of one project
 */
function test(copy, wanted) {
  const counts = join(dirname(copy), "counts.json");
  rmSync(counts, { force: true });
  const files = [...new Set(wanted.map(({ tests }) => tests))];
  const names = [...new Set(wanted.map(({ only }) => only))];
  const pattern = names.includes("") ? "" : names.map((name) => `(${name})`).join("|");
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    [
      ...["node_modules/vitest/vitest.mjs", "run", "--project", wanted[0]?.project ?? "cpu", ...files],
      ...(pattern === "" ? [] : ["-t", pattern]),
    ],
    {
      cwd: copy,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      timeout: MOST_MS,
      env: { ...process.env, FLYWHEEL_TEST_COUNTS: counts, FLYWHEEL_FUZZ_GRAPHS: GRAPHS, NO_COLOR: "1" },
    },
  );
  const { passed = 0, failed = 0 } = existsSync(counts) ? JSON.parse(readFileSync(counts, "utf8")) : {};
  return { passed, failed, text: `${stdout}${stderr}`, isEndless: error !== undefined };
}

/**
 * Whether all tests that are to find bugs pass without one.
 *
 * @param {string} copy
 * @param {PlantedBug[]} bugs
 */
function passWithout(copy, bugs) {
  return [...new Set(bugs.map(({ project, tests }) => `${project} ${tests}`))].every((place) => {
    const here = bugs.filter(({ project, tests }) => `${project} ${tests}` === place);
    const { passed, failed, text } = test(copy, here);
    const holds = passed > 0 && !text.includes(" FAIL ");
    console.log(`${holds ? "passes" : "fails"} without a bug: ${place} (${passed} tests)`);
    if (!holds) console.log(text, failed);
    return holds;
  });
}

/**
 * @param {string} copy
 * @param {PlantedBug} bug
 * @returns {"found" | "survives" | "does not compile" | "cannot be planted"}
 */
function verdictOn(copy, bug) {
  const path = join(copy, bug.file);
  const text = readFileSync(path, "utf8");
  if (text.split(bug.find).length !== 2) return "cannot be planted";
  writeFileSync(
    path,
    text.replace(bug.find, () => bug.replace),
  );
  const { text: output, isEndless } = test(copy, [bug]);
  writeFileSync(path, text);
  if (output.includes("must compile") || /^\W*(Reference|Syntax)Error: /m.test(output)) return "does not compile";
  return isEndless || output.includes(" FAIL ") ? "found" : "survives";
}
