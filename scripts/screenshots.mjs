// @ts-check
/**
 * `npm run screenshots`: pictures of the pages for the README, to be looked at: the training page after a run, with its map, and Momentum; at
 * desktop and phone width, light and dark. They show the adapter that trained.
 * Exit codes: 0 done, 1 a page failed, 2 wrong options.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import puppeteer from "puppeteer";
import { countOption, readOptions, userPath } from "./benchOptions.mjs";
import { serveDemo } from "./serveDemo.mjs";
import { chromeArgs, ensureBrowser, ensureDependencies, root, runMain } from "./setup.mjs";

/** @typedef {import("puppeteer").Page} Page */

const COMMAND = "npm run screenshots";
const DEFAULTS = { steps: 300, out: "docs/screenshots" };
const DATA = join(root, "demo/public/data/fashion-mnist");

/** Pictures of long pages end at the height, in pixels. */
const VIEWPORTS = /** @type {const} */ ({
  desktop: { width: 1360, height: 1400 },
  phone: { width: 390, height: 1600 },
});
const SCHEMES = /** @type {const} */ (["light", "dark"]);

/** Of what webp keeps, percent: letters stay clean. */
const QUALITY = 70;

const helpText = () => `Usage: ${COMMAND} -- [options]

  --steps N     of the training that is shown (default ${DEFAULTS.steps})
  --out DIR     where to write the pictures (default ${DEFAULTS.out})
  --help, -h    show this
`;

await runMain(async () => {
  const options = { steps: DEFAULTS.steps, out: join(root, DEFAULTS.out) };
  const help = readOptions(COMMAND, process.argv.slice(2), {
    taking: {
      steps: (text) => (options.steps = countOption(COMMAND, "--steps", text, 100_000)),
      out: (text) => (options.out = userPath(text)),
    },
    switches: {},
  });
  if (help) return void process.stdout.write(helpText());
  ensureDependencies();
  mkdirSync(options.out, { recursive: true });
  const server = await serveDemo({ data: DATA, onEvent: () => undefined });
  const browser = await puppeteer.launch({
    executablePath: ensureBrowser(),
    args: chromeArgs(),
    pipe: true,
    protocolTimeout: 0,
  });
  try {
    const page = await browser.newPage();
    await page.setViewport(VIEWPORTS.desktop);
    await trained(page, `${server.url}?steps=${options.steps}&seed=0&evalEvery=50`);
    await shoot(page, options.out, "moco");
    await shoot(page, options.out, "map", "#map");
    await page.goto(`${server.url}momentum.html`, { waitUntil: "networkidle0" });
    await shoot(page, options.out, "momentum");
  } finally {
    await browser.close();
    await server.close();
  }
});

/**
 * A run to its end, and its map.
 *
 * @param {Page} page
 * @param {string} url
 */
async function trained(page, url) {
  await page.goto(url);
  await page.click("#start");
  const ends = { timeout: 0, polling: 1000 };
  await page.waitForFunction(() => /^(done|failed)$/.test(document.body.dataset["state"] ?? ""), ends);
  const state = await page.$eval("body", (body) => body.dataset["state"]);
  if (state !== "done")
    throw new Error(`The training must end, got: ${await page.$eval("#status", (line) => line.textContent)}`);
  await page.click("[data-ask=map]");
  await page.waitForSelector("#map .under-way:not([hidden])", { timeout: 0 });
  await page.waitForSelector("#map .under-way[hidden]", { timeout: 0 });
}

/**
 * @param {Page} page
 * @param {string} folder
 * @param {string} name
 * @param {string | null} selector a part of the page; null for its top
 */
async function shoot(page, folder, name, selector = null) {
  for (const [device, viewport] of Object.entries(VIEWPORTS)) {
    await page.setViewport(viewport);
    for (const scheme of SCHEMES) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500))); // colours fade, and charts are drawn anew
      const path = /** @type {const} */ (`${join(folder, `${name}-${device}-${scheme}`)}.webp`);
      await page.evaluate(() => scrollTo(0, 0));
      const shown = selector === null ? page : await page.$(selector);
      await shown?.screenshot({ path, type: "webp", quality: QUALITY });
      process.stderr.write(`${path}\n`);
    }
  }
}
