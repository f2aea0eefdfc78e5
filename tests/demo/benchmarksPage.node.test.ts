/** The page "Benchmarks" in a real browser: it measures, stops, shares, shows what was shared, and fits every screen. */

import { join } from "node:path";
import type { Page } from "puppeteer";
import puppeteer from "puppeteer";
import { describe, expect, test } from "vitest";
import { build, preview } from "vite";
import { fragmentOf, resultFrom } from "../../demo/benchmarks/link";
import { ensureBrowser, root } from "../../scripts/setup.mjs";
import { demoBrowser } from "./browserPage";
import { SHARED } from "./sharedResult";

const demo = demoBrowser({ train: 8, test: 8 });
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 800 };
/** The cheapest two. */
const CHEAP = ["matmul512", "softmax"];
const RUN_MS = 240_000;

let page: Page;

async function open(path = "benchmarks.html", { viewport = DESKTOP, scheme = "light" } = {}): Promise<void> {
  page = await demo.newPage(viewport);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(new URL(path, demo.server.url).href);
  await page.waitForFunction(() => document.getElementById("adapter")!.textContent !== "looking");
}

const text = (selector: string): Promise<string> =>
  page.$eval(selector, (element) => (element as HTMLElement).innerText.trim());
const isShown = (selector: string): Promise<boolean> =>
  page.$eval(selector, (element) => (element as HTMLElement).checkVisibility());
const cell = (id: string, kind: string): Promise<string> => text(`tr[data-id=${id}] .${kind}`);
const untilState = (state: string): Promise<unknown> =>
  page.waitForFunction((wanted) => document.body.dataset["state"] === wanted, { timeout: RUN_MS }, state);
const chosen = (): Promise<string[]> =>
  page.$$eval("#results input:checked", (boxes) => boxes.map(({ id }) => id.replace("choose-", "")));

/** By keyboard. */
async function choose(ids: readonly string[]): Promise<void> {
  for (const box of await page.$$("#results input")) {
    const [id, isChecked] = await box.evaluate(({ id, checked }) => [id, checked] as const);
    if (isChecked === ids.includes(id.replace("choose-", ""))) continue;
    await box.focus();
    await page.keyboard.press("Space");
  }
  expect(await chosen()).toEqual(ids);
}

async function press(selector: string): Promise<void> {
  await page.focus(selector);
  await page.keyboard.press("Enter");
}

async function allowClipboard(): Promise<void> {
  const permissions = ["clipboard-read", "clipboard-write"].map((name) => ({
    permission: { name },
    state: "granted" as const,
  }));
  await demo.browser.defaultBrowserContext().setPermission(new URL(demo.server.url).origin, ...permissions);
  await page.bringToFront();
}

async function copied(button: string): Promise<string> {
  await press(button);
  await page.waitForFunction((selector) => document.querySelector(selector)!.textContent === "Copied", {}, button);
  return page.evaluate(() => navigator.clipboard.readText());
}

describe("a run", () => {
  test("measures what is chosen, and its result can be taken along", { timeout: 2 * RUN_MS }, async () => {
    await open();
    expect(await text("#adapter")).toContain("swiftshader");
    expect(await text("#doubts")).toContain("WebGPU on the processor");
    expect(await chosen()).not.toContain("mocoResNet18"); // too much for a software adapter
    expect((await chosen()).length).toBe(8);

    await choose([]);
    await press("#start");
    expect(await text("#status")).toBe("Choose something to measure.");
    await choose(CHEAP);
    await press("#start");
    expect(await page.$eval("#start", (button) => (button as HTMLButtonElement).disabled)).toBe(true);
    await page.waitForFunction(() => /^Warming up \d\/7: /.test(document.getElementById("stage")!.textContent));
    await page.waitForFunction(
      () => /^Round \d\/5, about .* left$/.test(document.getElementById("stage")!.textContent),
      { timeout: RUN_MS },
    );
    await untilState("done");
    expect(await text("#status")).toBe("Done.");

    expect(await cell("matmul512", "own")).toMatch(
      /^[\d.]+ GFLOP\/s\s+[\d.]+ ms, quartiles [\d.]+ to [\d.]+\s+[\d.]+ % of multiply-adds$/,
    );
    expect(await cell("softmax", "own")).toMatch(/^[\d.]+ GB\/s\s[^]* % of memory speed$/);
    expect(await cell("softmax", "counts")).toMatch(/^1 dispatch\s+1 submit\s+0 buffers$/);
    expect(await cell("conv2d", "own")).toBe("–");
    expect(await text("#doubts")).toContain("The adapter is a software one");
    expect(await text("#machines")).toMatch(/Adapter\s.*swiftshader[^]*Medians of\s+5 rounds/);

    await allowClipboard();
    const link = await copied("#copy-link");
    const result = resultFrom(new URL(link).hash)!;
    expect(result.rows.map(({ id }) => id)).toEqual(CHEAP);
    expect(result).toMatchObject({ isSoftware: true, rounds: 5, wasHidden: false });
    const markdown = await copied("#copy-markdown");
    expect(markdown).toMatch(/^\*\*flywheel \d/);
    expect(markdown).toContain(`(${link})`);

    await page.evaluate(() => {
      HTMLAnchorElement.prototype.click = function () {
        Object.assign(window, { saved: fetch(this.href).then((file) => file.json()), savedAs: this.download });
      };
    });
    await press("#download");
    expect(await page.evaluate("window.savedAs")).toMatch(
      /^flywheel-benchmarks-.*swiftshader.*-\d{4}-\d\d-\d\d\.json$/,
    );
    const file = (await page.evaluate("window.saved")) as { rows: { id: string; samplesMs: number[] }[] };
    expect(file.rows.map(({ id, samplesMs }) => [id, samplesMs.length])).toEqual(CHEAP.map((id) => [id, 5]));
    await demo.screenshot(page, "benchmarks-done", { fullPage: true });
  });

  test("stops, keeps what it has, and stands beside a shared result", { timeout: 2 * RUN_MS }, async () => {
    await open(`benchmarks.html${fragmentOf(SHARED)}`);
    expect(await cell("matmul512", "shared")).toMatch(/^5129 GFLOP\/s/);
    expect(await isShown("tr[data-id=matmul512] .ratio")).toBe(false);
    await choose(CHEAP);
    await page.click("input[value=thorough]");
    await press("#start");
    await page.waitForFunction(() => document.querySelector("tr[data-id=softmax] .own")!.textContent.includes("GB/s"), {
      timeout: RUN_MS,
    });
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await press("#stop");
    await untilState("done");
    expect(await text("#status")).toMatch(/^Stopped\./);
    expect(await text("#doubts")).toContain("in the background");
    expect(await cell("matmul512", "ratio")).toMatch(/^0\.0\d+×$/);
    expect(await cell("conv2d", "ratio")).toBe("–");
    expect(await isShown("#share")).toBe(true);
    await demo.screenshot(page, "benchmarks-beside", { fullPage: true });
    await page.setViewport(PHONE);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await demo.screenshot(page, "benchmarks-beside-phone-dark", { fullPage: true });

    await press("#close");
    expect(await isShown("tr[data-id=matmul512] .shared")).toBe(false);
    expect(await page.evaluate(() => location.hash)).toBe("");
    expect(await cell("matmul512", "own")).toContain("GFLOP/s");
  });
});

describe("with a worker that the test plays", () => {
  const ADAPTER = { type: "adapter", adapter: "some / adapter", isSoftware: true, version: "0.1.0" };
  const { rounds, peak, memory, rows } = SHARED;
  const MEASURES = { type: "measures", rounds, peak, memory, rows, samplesMs: {} };

  async function openAlone(): Promise<void> {
    page = await demo.newPage(DESKTOP);
    await page.evaluateOnNewDocument(`
      window.workers = [];
      window.Worker = class {
        constructor() { workers.push(this); }
        postMessage(command) { this.command = command; }
        terminate() {}
      };
    `);
    await page.goto(new URL("benchmarks.html", demo.server.url).href);
    await page.waitForFunction("window.workers?.length === 1");
  }

  const tell = (event: object): Promise<unknown> =>
    page.evaluate(`workers.at(-1).onmessage({ data: ${JSON.stringify(event)} })`);
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement!.id);
  const isDisabled = (selector: string): Promise<boolean> =>
    page.$eval(selector, (button) => (button as HTMLButtonElement).disabled);

  test("starts once the adapter is known, and nothing heavy on a software one", async () => {
    await openAlone();
    expect(await isDisabled("#start")).toBe(true);
    await tell(ADAPTER);
    expect(await isDisabled("#start")).toBe(false);
    await press("#start");
    const { ids } = (await page.evaluate("workers.at(-1).command")) as { ids: string[] };
    expect(ids).toContain("matmul512");
    expect(ids).not.toContain("mocoResNet18");
  });

  test("can be tried again if the worker cannot be loaded", async () => {
    await openAlone();
    await page.evaluate("workers.at(-1).onerror(new ErrorEvent('error', { message: 'gone' }))");
    expect(await text("#status")).toBe("That failed: gone");
    expect(await isDisabled("#start")).toBe(false);
  });

  test("says aloud what begins and ends, and shows beside it how far it is", async () => {
    await openAlone();
    await tell(ADAPTER);
    await press("#start");
    await tell({ type: "progress", text: "Round 3/25", share: 0.5, leftMs: 12_000 });
    expect([await text("#status"), await text("#stage")]).toEqual(["Measuring.", "Round 3/25, about 12 s left"]);
    expect(await page.$eval("#stage", (stage) => stage.closest("[role=status]"))).toBeNull();
    await tell({ type: "done" });
    expect([await text("#status"), await text("#stage")]).toEqual(["Done.", ""]);
  });

  test("leaves the focus on a button that can be pressed", async () => {
    await openAlone();
    await tell(ADAPTER);
    await press("#start");
    expect(await focused()).toBe("stop");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("start");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("stop");
    await tell({ type: "done" });
    expect(await focused()).toBe("start");
  });

  test("shows a text to be copied by hand until the next run, and says that one is copied", async () => {
    await openAlone();
    await tell(ADAPTER);
    await press("#start");
    await tell(MEASURES);
    await tell({ type: "done" });
    await page.evaluate(() => {
      const clipboard = { writeText: () => Promise.reject(new Error("not allowed")) };
      Object.defineProperty(navigator, "clipboard", { value: clipboard, configurable: true });
    });
    await press("#copy-link");
    await page.waitForSelector("#by-hand:not([hidden])");
    expect(await focused()).toBe("by-hand-text");
    expect(await page.evaluate(() => getSelection()!.toString())).toMatch(/^http.*#result=1\./);
    await press("#start");
    await tell({ ...MEASURES, rows: rows.slice(0, 1) });
    await tell({ type: "done" });
    expect(await isShown("#by-hand"), "it was the other run's").toBe(false);
    expect(await page.$eval("#by-hand-text", (field) => (field as HTMLTextAreaElement).value)).toBe("");

    await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.resolve()));
    await press("#copy-link");
    await page.waitForFunction(() => document.getElementById("share-status")!.textContent === "Copied.");
    expect(await page.$eval("#share-status", ({ role }) => role)).toBe("status");
  });

  test("takes back what has failed since", async () => {
    await openAlone();
    await tell(ADAPTER);
    await press("#start");
    await tell(MEASURES);
    expect(await cell("softmax", "own")).toContain("GB/s");
    await tell({ ...MEASURES, rows: [] });
    await tell({ type: "error", message: "Nothing that was chosen could be measured here.", isMissing: false });
    expect(await cell("softmax", "own")).toBe("–");
    expect(await isShown("#share")).toBe(false);
  });
});

describe("a link", () => {
  test.each([
    ["desktop-light", DESKTOP, "light"],
    ["desktop-dark", DESKTOP, "dark"],
    ["phone-light", PHONE, "light"],
    ["phone-dark", PHONE, "dark"],
  ])("shows its result on a %s screen without scrolling sideways", async (name, viewport, scheme) => {
    await open(`benchmarks.html${fragmentOf(SHARED)}`, { viewport, scheme });
    expect(await text("#machines")).toContain(SHARED.adapter);
    expect(await text("#shared-doubts")).toContain("in the background");
    expect(await cell("sgdEma", "shared")).toContain("1.62 times as fast as two dispatches");
    expect(await isShown("tr[data-id=sgdEma] .shared .bar")).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
    const cut = await page.$$eval("main :is(p, h2, label, button, li, td, th)", (elements) =>
      elements
        .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
        .map((each) => each.outerHTML),
    );
    expect(cut, "texts wider than their boxes").toEqual([]);
    await demo.screenshot(page, `benchmarks-${name}`, { fullPage: true });
  });

  test("shows names as text, whatever is in them", async () => {
    const adapter = "<img src=x onerror=alert(1)> <b>GPU</b>";
    await open(`benchmarks.html${fragmentOf({ ...SHARED, adapter })}`);
    expect(await text("#machines")).toContain(adapter);
    expect(await page.$$("main img, #machines b")).toEqual([]);
  });

  test("that is damaged is told, and another one can follow it", async () => {
    await open("benchmarks.html#result=1.PGltZyBzcmM9eD4");
    expect(await text("#link-problem")).toBe(
      "This link holds no result that can be shown: a part of it is missing or damaged. Ask for it anew, or measure here.",
    );
    expect(await isShown("#machines-card")).toBe(false);
    await page.evaluate((fragment) => (location.hash = fragment), fragmentOf(SHARED));
    await page.waitForFunction(() => document.getElementById("link-problem")!.hidden);
    expect(await cell("softmax", "shared")).toMatch(/^419 GB\/s/);
  });
});

describe("the page", () => {
  test("names every control once, and follows the tab key", async () => {
    await open();
    const names = await page.$$eval("main :is(button, input), progress, form, nav", (elements) =>
      elements.map((element) => {
        const label = (element as HTMLInputElement).labels?.[0]?.textContent;
        return (element.ariaLabel ?? label ?? element.textContent).trim();
      }),
    );
    expect(names.length).toBeGreaterThan(16);
    expect(names.filter((name, i) => name === "" || names.indexOf(name) !== i)).toEqual([]);
    await page.focus("input[name=effort]:checked");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement!.id)).toBe("start");
    expect(await page.$eval("input[value=thorough]", (radio) => radio.checked)).toBe(true);
  });

  test("leads to the others", async () => {
    await open();
    expect(await text(".pages [aria-current]")).toBe("Benchmarks");
    for (const [place, title] of [
      ["nth-child(2)", "flywheel: momentum, live"],
      ["last-child", "flywheel: benchmarks"],
    ] as const) {
      await Promise.all([page.waitForNavigation(), page.click(`.pages a:${place}`)]);
      expect(await page.title()).toBe(title);
    }
  });

  test("says what is missing where there is no WebGPU, and still shows what was shared", async () => {
    const browser = await puppeteer.launch({ executablePath: ensureBrowser(), args: ["--no-sandbox"], pipe: true });
    try {
      page = await browser.newPage();
      await page.setViewport(PHONE);
      await page.goto(new URL(`benchmarks.html${fragmentOf(SHARED)}`, demo.server.url).href);
      await page.waitForSelector("#missing:not([hidden])");
      expect(await text("#missing [data-reason]")).toMatch(/WebGPU/);
      expect(await text("#adapter")).toBe("no GPU");
      expect(await text("#status")).toBe("There is nothing to measure here.");
      expect(await page.$eval("#start", (button) => (button as HTMLButtonElement).disabled)).toBe(true);
      expect(await cell("softmax", "shared")).toMatch(/^419 GB\/s/);
      await demo.screenshot(page, "benchmarks-missing", { fullPage: true });
    } finally {
      await browser.close();
    }
  });

  test("is in the build, worker and all", async () => {
    const outDir = join(demo.folder, "dist-benchmarks");
    const configFile = join(root, "vite.config.ts");
    await build({ configFile, logLevel: "error", build: { outDir, copyPublicDir: false } });
    const built = await preview({ configFile, logLevel: "error", build: { outDir }, preview: { host: "127.0.0.1" } });
    try {
      await open(new URL("benchmarks.html", built.resolvedUrls!.local[0]).href);
      expect(await text("#adapter")).toContain("swiftshader");
    } finally {
      await built.close();
    }
  });
});
