// @ts-check
/**
 * `npm run peers`: flywheel and other libraries on the same work. Each row of each library runs in a headless Chrome of its own,
 * held to a core; all are visited in rounds, with the adapter's limit between. Prints tables; writes JSON, an HTML report and, if
 * asked, bench/RESULTS.md. Progress goes to stderr. Exit codes: 0 done, 1 failed, 2 wrong options.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { countOption, fileOption, listOption, readOptions, userPath, wrongOption } from "./benchOptions.mjs";
import { allowedCores, heldTo, processorName, watchOthers } from "./cores.mjs";
import { ensureBrowser, root, runMain } from "./setup.mjs";
import { withSources } from "./sources.mjs";

/**
 * @typedef {typeof import("../bench/peers/run")} Bench
 * @typedef {import("../bench/peers/judge").PeerReport} PeerReport
 *
 * @typedef {object} Options
 * @property {string[]} only Rows; empty: all.
 * @property {string[]} libraries Empty: all.
 * @property {number} rounds
 * @property {number} cores
 * @property {number} budget Seconds.
 * @property {number} timeout Seconds.
 * @property {string} json Absolute path of the file to write.
 * @property {string | null} from Absolute path of a file to report on.
 * @property {boolean} writeResults
 */

const COMMAND = "npm run peers";
const DEFAULTS = { rounds: 7, cores: 1, budget: 20, timeout: 120, json: "bench-results/peers.json" };
/** Short runs are repeated until a sample takes this long, ms. */
const SAMPLE_MS = 50;
/** Of steps whose JavaScript matters, for that alone. */
const SCRIPT_MS = 40_000;

/**
 * @param {Bench} bench
 * @returns {string}
 */
const helpText = ({ WORKS, PEERS }) => `Usage: ${COMMAND} -- [options]

Measures flywheel and other libraries on the same work: headless Chrome, held to a core, in interleaved rounds. Every result
is checked against float64 before it is timed. All of it takes half an hour on a software adapter.

  --only ROWS       ${wrapped(WORKS.map(({ name }) => name))}
  --libraries LIST  ${wrapped(Object.keys(PEERS))}
  --rounds N        samples of each row at most (default ${DEFAULTS.rounds})
  --cores N         cores that the browser may use, on Linux (default ${DEFAULTS.cores})
  --budget SECONDS  a library that has had this long in a row sits out its other rounds
                    (default ${DEFAULTS.budget})
  --timeout SECONDS a call that takes longer is given up (default ${DEFAULTS.timeout})
  --json FILE       where to write the results (default ${DEFAULTS.json});
                    the HTML report goes beside it
  --from FILE       measure nothing: report on the results in FILE
  --write-results   write bench/RESULTS.md, too
  --help, -h        show this

Lists are names with commas between them; all by default, but for mocoResNet18, whose steps take minutes each. Exit codes: 0 done, 1 failed, 2 wrong options.
`;

/** @param {string[]} names */
function wrapped(names) {
  const lines = [""];
  for (const name of names) {
    const line = lines.at(-1) ?? "";
    if (line.length + name.length > 66) lines.push(`${name}, `);
    else lines[lines.length - 1] = `${line}${name}, `;
  }
  return lines
    .join(`\n${" ".repeat(20)}`)
    .replaceAll(/ +$/gm, "")
    .replace(/,$/, "");
}

await runMain(() =>
  withSources(async (load) => {
    const bench = /** @type {Bench} */ (await load("/bench/peers/run.ts"));
    const options = parseOptions(process.argv.slice(2), bench);
    if (options !== "help") return main(options, bench);
    process.stdout.write(helpText(bench));
    return 0;
  }),
);

/**
 * @param {Options} options
 * @param {Bench} bench
 */
async function main(options, bench) {
  const report = options.from ? readReport(options.from) : await measure(options, bench);
  if (!report) return 1;
  const html = options.json.replace(/(\.json)?$/, ".html");
  mkdirSync(dirname(options.json), { recursive: true });
  if (!options.from) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(html, bench.htmlOf(report, await plotScript()));
  console.log(bench.printPeers(report));
  const files = [...(options.from ? [] : [options.json]), html];
  if (options.writeResults) {
    files.push(join(root, "bench/RESULTS.md"));
    writeFileSync(files.at(-1) ?? "", bench.markdownOf(report));
  }
  console.log(`\nwritten to ${files.map((file) => relative(process.cwd(), file)).join(", ")}`);
  return 0;
}

// ---- options ----

/**
 * @param {string[]} argv
 * @param {Bench} bench
 * @returns {Options | "help"}
 */
function parseOptions(argv, { WORKS, PEERS }) {
  /** @type {Options} */
  const options = { ...DEFAULTS, only: [], libraries: [], json: "", from: null, writeResults: false };
  const json = resolve(root, DEFAULTS.json);
  const works = WORKS.map(({ name }) => name);
  const count = (/** @type {"rounds" | "cores" | "budget" | "timeout"} */ name, /** @type {number} */ most) => {
    return (/** @type {string} */ text) => {
      options[name] = countOption(COMMAND, `--${name}`, text, most);
    };
  };
  const wantsHelp = readOptions(COMMAND, argv, {
    taking: {
      only: (text) => options.only.push(...listOption(COMMAND, "--only", text, works)),
      libraries: (text) => options.libraries.push(...listOption(COMMAND, "--libraries", text, Object.keys(PEERS))),
      rounds: count("rounds", 999),
      cores: count("cores", 999),
      budget: count("budget", 9999),
      timeout: count("timeout", 9999),
      json: (path) => (options.json = fileOption(COMMAND, "--json", path)),
      from: (path) => {
        options.from = userPath(path);
        if (!existsSync(options.from)) wrongOption(COMMAND, `--from must name a file of results, got "${path}"`);
      },
    },
    switches: { "write-results": () => (options.writeResults = true) },
  });
  if (options.json === "") options.json = options.from ?? json;
  return wantsHelp ? "help" : options;
}

/**
 * @param {string} path
 * @returns {PeerReport}
 */
function readReport(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

// ---- the run ----

/**
 * @param {Options} options
 * @param {Bench} bench
 * @returns {Promise<PeerReport | null>} null if there was nothing to measure with
 */
async function measure({ only, libraries, rounds, cores, budget, timeout }, bench) {
  const { limitSession, pageSession, pythonWithTorch, torchSession } = await import("./peerSessions.mjs");
  const { WORKS, IN_PAGES, TORCH } = bench;
  const browserPath = ensureBrowser();
  const wants = (/** @type {string} */ name) => libraries.length === 0 || libraries.includes(name);
  const inPages = /** @type {import("../bench/peers/names").LibraryName[]} */ (Object.keys(IN_PAGES)).filter(wants);
  const python = wants(TORCH) ? pythonWithTorch() : undefined;
  if (wants(TORCH) && !python) say("torch: no Python with PyTorch and numpy found, left out");

  const pages = await servePages();
  const held = heldTo(cores);
  const place = { browserPath, url: pages.url, held };
  /** @type {Awaited<ReturnType<typeof limitSession>> | undefined} */
  let limit;
  try {
    limit = await limitSession(place);
    const rows = [];
    for (const work of WORKS.filter(({ name, isLong }) => (only.length === 0 ? !isLong : only.includes(name)))) {
      const sessions = inPages.map((library) => pageSession(place, library, work));
      if (python) sessions.push(torchSession(python, held, TORCH, work, bench));
      const { name, title, flops } = work;
      rows.push(
        await bench.conductRow({ name, title, flops }, sessions, limit, {
          ...{ rounds, budgetMs: 1000 * budget, timeoutMs: 1000 * timeout, sampleMs: SAMPLE_MS },
          scriptMs: bench.GOALS[name]?.jsMs === undefined ? 0 : SCRIPT_MS,
          onProgress: say,
          watchOthers,
        }),
      );
    }
    return {
      date: new Date().toISOString(),
      browser: limit.browser,
      processor: `${processorName()}, ${allowedCores().length || "unknown"} cores`,
      cores: held.length > 0 ? cores : null,
      ...{ rounds, rows },
    };
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return null;
  } finally {
    await limit?.close();
    await pages.close();
  }
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Builds the pages, as a site would have them, and serves them.
 *
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
async function servePages() {
  const { build, preview } = await import("vite");
  const outDir = mkdtempSync(join(tmpdir(), "flywheel-peers-"));
  await build({
    configFile: join(root, "vite.config.ts"),
    root: join(root, "bench/peers"),
    logLevel: "error",
    // TensorFlow.js starts threads from the text of its functions, which minifying breaks.
    build: { outDir, emptyOutDir: true, target: "esnext", minify: false, reportCompressedSize: false },
  });
  const server = await preview({
    configFile: false,
    root,
    logLevel: "error",
    build: { outDir },
    preview: {
      host: "127.0.0.1",
      port: 0,
      // Isolated pages have a clock of 5 us instead of 100, and threads in WebAssembly.
      headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    },
  });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error("peers: vite must listen on a local address, got none.");
  return {
    url,
    async close() {
      await server.close();
      rmSync(outDir, { recursive: true });
    },
  };
}

/** The script of the report's plots, uPlot in it. */
async function plotScript() {
  const { build } = await import("vite");
  const outDir = mkdtempSync(join(tmpdir(), "flywheel-plots-"));
  try {
    await build({
      configFile: join(root, "vite.config.ts"),
      root: join(root, "bench/peers"),
      logLevel: "error",
      build: { outDir, lib: { entry: "plots.ts", formats: ["iife"], name: "plots" }, minify: true },
    });
    const [file = ""] = readdirSync(outDir).filter((name) => name.endsWith(".js"));
    return readFileSync(join(outDir, file), "utf8");
  } finally {
    rmSync(outDir, { recursive: true });
  }
}
