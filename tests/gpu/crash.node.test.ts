/** Kills Chrome's GPU process under a page: the loss that users really see, as far as a headless machine can show it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import puppeteer, { type Browser, type Page } from "puppeteer";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromeArgs, ensureBrowser } from "../../scripts/setup.mjs";
import type { BufferRange, Gpu, StagedBlock } from "../../src/gpu/gpu.ts";

/** What the page's globals hold. */
interface State {
  Gpu: typeof Gpu;
  gpu: Gpu;
  range: BufferRange;
  block: StagedBlock;
  reads: number;
  /** Names of the errors that ended the loops of reads. */
  errors: string[];
}

const html = `<!doctype html><script type="module">import { Gpu } from "/gpu.js"; globalThis.Gpu = Gpu;</script>`;

let browser: Browser;
let server: Server;
let page: Page;

beforeAll(async () => {
  const [bundle] = (await build({
    logLevel: "error",
    configFile: false,
    build: { write: false, minify: false, lib: { entry: "src/gpu/gpu.ts", formats: ["es"], fileName: "gpu" } },
  })) as Rolldown.RolldownOutput[];
  server = createServer((request, response) => {
    const isScript = request.url === "/gpu.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? bundle!.output[0].code : html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await puppeteer.launch({
    executablePath: ensureBrowser(),
    args: chromeArgs(),
    pipe: true,
    protocolTimeout: 30_000,
  });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction("globalThis.Gpu");
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test("when the GPU process dies, reads reject within 2 s, and a new device works", async () => {
  await page.evaluate(async () => {
    const state = globalThis as unknown as State;
    const gpu = await state.Gpu.request();
    const range = { buffer: gpu.allocate(64, "test"), byteOffset: 0, byteLength: 4 };
    Object.assign(state, { gpu, range, block: gpu.submit([], { stage: [range] }), reads: 0, errors: [] });
    // Reads without a pause, so that some are pending at the moment of the crash.
    const readForever = async (): Promise<void> => {
      for (;;) {
        await gpu.read([range]);
        state.reads++;
      }
    };
    for (let i = 0; i < 3; i++) readForever().catch((error: unknown) => state.errors.push((error as Error).name));
  });
  await page.waitForFunction("reads > 10");

  const session = await browser.target().createCDPSession();
  await session.send("Browser.crashGpuProcess");
  const result = await page.evaluate(async () => {
    const { Gpu, gpu, range, block, errors } = globalThis as unknown as State;
    const outcome = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => "data",
        (error: unknown) => (error as Error).name,
      );
    const reason = await gpu.lost;
    const start = performance.now();
    while (errors.length < 3 && performance.now() - start < 5000) await new Promise((next) => setTimeout(next, 10));
    errors.push(await outcome(gpu.read([range])), await outcome(block.read()));
    const tookMs = performance.now() - start;

    const again = await Gpu.request();
    const fresh = { buffer: again.allocate(64, "test"), byteOffset: 0, byteLength: 4 };
    again.write(fresh, Float32Array.of(5));
    const [bytes] = await again.read([fresh]);
    return { reason, errors, tookMs, value: new Float32Array(bytes!)[0] };
  });
  expect(result.errors).toEqual(Array(5).fill("DeviceLostError"));
  expect(result.reason).not.toBe("");
  expect(result.tookMs).toBeLessThan(2000);
  expect(result.value).toBe(5);
});
