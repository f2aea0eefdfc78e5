/**
 * Vitest's browser mode on puppeteer: opens one headless Chrome with WebGPU and gives each session a page.
 * It only opens and closes pages; vitest itself loads the test files into them.
 */
import { defineBrowserProvider } from "@vitest/browser";
import type { Browser, CDPSession, Page } from "puppeteer";
import puppeteer from "puppeteer";
import type { BrowserProvider, BrowserProviderOption, TestProject } from "vitest/node";
import { chromeArgs, ensureBrowser } from "../../scripts/setup.mjs";

export function chrome(): BrowserProviderOption {
  return defineBrowserProvider({
    name: "puppeteer",
    supportedBrowser: ["chrome"],
    providerFactory: (project) => new ChromeProvider(project),
  });
}

class ChromeProvider implements BrowserProvider {
  readonly name = "puppeteer";
  readonly supportsParallelism = false;
  private browser: Promise<Browser> | undefined;
  private readonly pages = new Map<string, Page>();

  constructor(private readonly project: TestProject) {}

  getCommandsContext(sessionId: string): Record<string, unknown> {
    return { page: this.pages.get(sessionId) };
  }

  async openPage(sessionId: string, url: string): Promise<void> {
    this.browser ??= puppeteer.launch({ executablePath: ensureBrowser(), args: chromeArgs(), pipe: true });
    const browser = await this.browser;
    await this.pages.get(sessionId)?.close();
    const page = await browser.newPage();
    this.pages.set(sessionId, page);
    page.on("error", (error) => {
      this.project.vitest.logger.error(`chrome: the page crashed: ${error.message}`);
    });
    await page.goto(url, { timeout: 0 });
  }

  /** What `cdp()` of vitest/browser talks to: the page's session, and the browser's for `Browser.*` (`Browser.crashGpuProcess`). */
  async getCDPSession(sessionId: string): Promise<CDPSession> {
    const [page, browser] = [this.pages.get(sessionId), await this.browser];
    if (!page || !browser) throw new Error(`chrome: there is no page of session ${sessionId}.`);
    const pageSession = await page.createCDPSession();
    const browserSession = await browser.target().createCDPSession();
    const send = pageSession.send.bind(pageSession);
    pageSession.send = (method, ...rest) =>
      method.startsWith("Browser.") ? browserSession.send(method, ...rest) : send(method, ...rest);
    return pageSession;
  }

  async close(): Promise<void> {
    const browser = await this.browser;
    this.browser = undefined;
    this.pages.clear();
    await browser?.close();
  }
}
