// @ts-check
/**
 * `npm run screenshots`: pictures of the pages for the README, to be looked at: the training page after a run, with its map, and Momentum; at
 * desktop and phone width, light and dark. They show the adapter that trained.
 * Exit codes: 0 done, 1 a page failed, 2 wrong options.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { countOption, listOption, readOptions, userPath } from "./benchOptions.mjs";
import { chromeArgs, ensureBrowser, ensureDependencies, root, runMain } from "./setup.mjs";

/** @typedef {import("puppeteer").Page} Page */

const COMMAND = "npm run screenshots";
const DEFAULTS = { steps: 300, out: "docs/screenshots" };
const PAGES = ["moco", "momentum"];
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

  --only LIST   some of ${PAGES.join(", ")}
  --steps N     of the training that is shown (default ${DEFAULTS.steps})
  --out DIR     where to write the pictures (default ${DEFAULTS.out})
  --help, -h    show this
`;

await runMain(async () => {
  const options = { only: PAGES, steps: DEFAULTS.steps, out: join(root, DEFAULTS.out) };
  const help = readOptions(COMMAND, process.argv.slice(2), {
    taking: {
      only: (text) => (options.only = listOption(COMMAND, "--only", text, PAGES)),
      steps: (text) => (options.steps = countOption(COMMAND, "--steps", text, 100_000)),
      out: (text) => (options.out = userPath(text)),
    },
    switches: {},
  });
  if (help) return void process.stdout.write(helpText());
  ensureDependencies();
  const { default: puppeteer } = await import("puppeteer"); // not there before
  const { serveDemo } = await import("./serveDemo.mjs");
  mkdirSync(options.out, { recursive: true });
  const browser = await puppeteer.launch({
    ...{ executablePath: ensureBrowser(), args: chromeArgs(), pipe: true },
    protocolTimeout: 0, // a training takes as long as it takes
  });
  try {
    const server = await serveDemo({ data: DATA, onEvent: () => undefined });
    try {
      await take(await browser.newPage(), server.url, options);
    } finally {
      await server.close();
    }
  } finally {
    await browser.close();
  }
});

/**
 * @param {Page} page
 * @param {string} url
 * @param {{ only: string[], steps: number, out: string }} options
 */
async function take(page, url, { only, steps, out }) {
  await page.setViewport(VIEWPORTS.desktop);
  if (only.includes("moco")) {
    await trained(page, `${url}?steps=${steps}&seed=0&evalEvery=50`);
    await shoot(page, out, "moco");
    await shoot(page, out, "map", "#map");
  }
  if (!only.includes("momentum")) return;
  await page.goto(`${url}momentum.html`, { waitUntil: "networkidle0" });
  await shoot(page, out, "momentum");
}

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
  const said = await page.$eval("#map .says", (line) => line.textContent);
  if (!/^Step \d+: \d+ test images/.test(said)) throw new Error(`The map must be drawn, got: ${said}`);
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
      const shown = selector === null ? page : await page.waitForSelector(selector);
      if (!shown) throw new Error(`The page must have ${selector}, got none.`);
      await shown.screenshot({ path, type: "webp", quality: QUALITY });
      process.stderr.write(`${path}\n`);
    }
  }
}
