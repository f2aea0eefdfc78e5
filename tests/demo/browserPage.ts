/** A browser and the demo's server for the tests of a file, and pages whose errors and warnings fail the test that opened them. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page, Viewport } from "puppeteer";
import puppeteer from "puppeteer";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type DemoServer, serveDemo } from "../../scripts/serveDemo.mjs";
import { chromeArgs, ensureBrowser, root } from "../../scripts/setup.mjs";
import { writeTinyData } from "./tinyData";

export interface DemoBrowser {
  readonly browser: Browser;
  readonly server: DemoServer;
  /** For files of the tests; it goes at their end. */
  readonly folder: string;
  /** A page that is not at the demo yet. It is closed after the test. */
  newPage(viewport: Viewport): Promise<Page>;
  /** Keeps a picture of a page under this name, to be looked at. */
  screenshot(page: Page, name: string, options?: { readonly fullPage: boolean }): Promise<void>;
}

/** Keeps all texts that an element has from now on; what it returns gives them. */
export async function textsOf(page: Page, selector: string): Promise<() => Promise<string[]>> {
  const texts = await page.evaluateHandle((where) => {
    const element = document.querySelector(where)!;
    const kept: string[] = [];
    new MutationObserver(() => kept.push(element.textContent)).observe(element, { childList: true });
    return kept;
  }, selector);
  return () => texts.jsonValue();
}

/**
 * Call it at the top of a test file; what it gives is there in its tests.
 *
 * @param built false: pages of the sources, of which a test may import modules
 */
export function demoBrowser(
  sizes: { readonly train: number; readonly test: number },
  { built = true }: { readonly built?: boolean } = {},
): DemoBrowser {
  const folder = mkdtempSync(join(tmpdir(), "flywheel-demo-"));
  const artifacts = join(root, "test-artifacts");
  const complaints: string[] = [];
  const pages: Page[] = [];
  let opened: { browser: Browser; server: DemoServer };

  beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    const data = join(folder, "data");
    writeTinyData(data, sizes);
    const server = await serveDemo({ data, onEvent: () => undefined, built });
    const browser = await puppeteer.launch({ executablePath: ensureBrowser(), args: chromeArgs(), pipe: true });
    opened = { browser, server };
  });

  afterEach(async () => {
    for (const page of pages.splice(0)) if (!page.isClosed()) await page.close();
    expect(complaints.splice(0), "errors and warnings of the page").toEqual([]);
  });

  afterAll(async () => {
    await opened.browser.close();
    await opened.server.close();
    rmSync(folder, { recursive: true });
  });

  return {
    get browser() {
      return opened.browser;
    },
    get server() {
      return opened.server;
    },
    folder,
    async newPage(viewport) {
      const page = await opened.browser.newPage();
      pages.push(page);
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warn") complaints.push(message.text());
      });
      await page.setViewport(viewport);
      return page;
    },
    async screenshot(page, name, options) {
      // Colours that have just changed are painted then.
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await page.screenshot({ ...options, path: `${join(artifacts, name)}.png` });
    },
  };
}
