// @ts-check
/**
 * `npm run bench`: set-up, then the benches of bench/ in headless Chrome. Prints a table and writes JSON; progress goes to
 * stderr. Exit codes: 0 done, 1 failed, 2 wrong options.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { countOption, fileOption, readOptions, wrongOption } from "./benchOptions.mjs";
import { chromeArgs, ensureBrowser, ensureDependencies, root, runMain } from "./setup.mjs";

/**
 * @typedef {object} Options
 * @property {string[]} only Families; empty: all.
 * @property {number} rounds
 * @property {string} json Absolute path of the file to write.
 * @property {boolean} profile
 * @property {boolean} serve
 * @property {boolean} help
 */

const COMMAND = "npm run bench";
const ROUNDS = 7;
const DEFAULT_JSON = "bench-results/latest.json";

const families = readdirSync(join(root, "bench"))
  .filter((name) => name.endsWith(".bench.ts"))
  .map((name) => name.slice(0, -".bench.ts".length))
  .sort();

const helpText = `Usage: npm run bench -- [options]

Measures the kernels and whole training steps in headless Chrome, beside what the adapter can do at most. Other libraries
on the same work: npm run peers.

  --only NAME    one family: ${families.join(", ")}; repeat it for several (default all)
  --rounds N     samples of each row (default ${ROUNDS})
  --json FILE    where to write the results (default ${DEFAULT_JSON}; copy it to
                 bench/results/<adapter>.json to keep it with the sources)
  --profile      then show, for each row, which kernels its time goes to
  --serve        measure nothing: serve the page, for a browser of your own, until Ctrl-C; it
                 asks for the rest, so no other option goes with it
  --help, -h     show this

Exit codes: 0 done, 1 failed, 2 wrong options.
`;

await runMain(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(helpText);
    return 0;
  }
  ensureDependencies();
  if (options.serve) {
    const others = process.argv.slice(2).filter((word) => word !== "--serve");
    if (others.length > 0)
      wrongOption(COMMAND, `--serve takes no other options: its page asks for them, got "${others.join(" ")}"`);
    const { serveBench } = await import("./serveBench.mjs");
    const { url } = await serveBench();
    console.log(`The page is at ${url}\nCtrl-C ends it.`);
    return await new Promise(() => undefined);
  }
  const browserPath = ensureBrowser();
  const result = await runBench(browserPath, options).catch((error) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return null;
  });
  if (!result) return 1;
  const { report, table, profiles } = result;
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log([table, ...profiles].join("\n\n"));
  console.log(`\nwritten to ${relative(process.cwd(), options.json)}`);
  return 0;
});

// ---- options ----

/**
 * @param {string[]} argv
 * @returns {Options}
 */
function parseOptions(argv) {
  /** @type {Options} */
  const options = {
    only: [],
    rounds: ROUNDS,
    json: resolve(root, DEFAULT_JSON),
    profile: false,
    serve: false,
    help: false,
  };
  options.help = readOptions(COMMAND, argv, {
    taking: {
      only: (name) => {
        if (!families.includes(name))
          wrongOption(COMMAND, `--only must be one of ${families.join(", ")}, got "${name}"`);
        options.only.push(name);
      },
      rounds: (text) => (options.rounds = countOption(COMMAND, "--rounds", text, 9999)),
      json: (path) => (options.json = fileOption(COMMAND, "--json", path)),
    },
    switches: { profile: () => (options.profile = true), serve: () => (options.serve = true) },
  });
  return options;
}

// ---- the run ----

/**
 * @param {string} browserPath
 * @param {Options} options
 * @returns {Promise<Extract<import("../bench/main").BenchEvent, { type: "done" }>>}
 */
async function runBench(browserPath, { only, rounds, profile }) {
  const { default: puppeteer } = await import("puppeteer");
  const { serveBench } = await import("./serveBench.mjs");
  const server = await serveBench();
  const browser = await puppeteer.launch({ executablePath: browserPath, args: chromeArgs(), pipe: true });
  try {
    const url = new URL(server.url);
    for (const name of only) url.searchParams.append("only", name);
    url.searchParams.set("rounds", String(rounds));
    if (profile) url.searchParams.set("profile", "");
    return await new Promise((done, fail) => {
      /** @param {import("../bench/main").BenchEvent} event */
      const receive = (event) => {
        if (event.type === "progress") process.stderr.write(`${event.text}\n`);
        else if (event.type === "done") done(event);
        else fail(new Error(event.message));
      };
      open(browser, url.href, receive, fail).catch(fail);
    });
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * @param {import("puppeteer").Browser} browser
 * @param {string} url
 * @param {(event: import("../bench/main").BenchEvent) => void} receive
 * @param {(error: unknown) => void} fail
 */
async function open(browser, url, receive, fail) {
  const page = (await browser.pages())[0] ?? (await browser.newPage());
  page.on("error", () => fail(new Error("The page crashed.")));
  page.on("pageerror", fail);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warn") process.stderr.write(`${message.text()}\n`);
  });
  browser.once("disconnected", () => fail(new Error("The browser ended before the bench did.")));
  await page.exposeFunction("benchEvent", receive);
  await page.goto(url);
}
