// @ts-check
/**
 * Asks Node's Dawn and headless Chrome for a WebGPU adapter and tells what they got.
 * Needs npm packages, a browser and a Vulkan loader (setup.mjs). Also a command: `node scripts/adapters.mjs`.
 */
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromeArgs, ensureBrowser, ensureDependencies, ensureVulkan, runMain, SetupError } from "./setup.mjs";

/**
 * @typedef {{ vendor: string, architecture: string, device: string, description: string }} AdapterInfo
 */

/** @returns {Promise<AdapterInfo>} the adapter that Dawn gives Node; throws SetupError if there is none */
export async function nodeAdapter() {
  ensureVulkan();
  const { create } = await import("webgpu");
  const pinned = /** @type {{ dawn?: GPU }} */ (globalThis);
  pinned.dawn ??= create([]); // Pinned: Dawn crashes if it is collected while an adapter lives.
  const adapter = await pinned.dawn.requestAdapter();
  if (!adapter)
    throw new SetupError("Node has no WebGPU adapter: install a Vulkan driver, or Chromium for SwiftShader.");
  return pick(adapter.info);
}

/** @returns {Promise<AdapterInfo>} the adapter of headless Chrome; throws SetupError if there is none */
export async function chromeAdapter() {
  const { default: puppeteer } = await import("puppeteer");
  const server = createServer((_, response) => response.end("<!doctype html>")); // navigator.gpu needs a secure context
  await new Promise((resolve) => server.listen(0, "localhost", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const executablePath = ensureBrowser();
  const browser = await puppeteer.launch({ executablePath, args: chromeArgs(), pipe: true });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port}/`);
    const info = await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      if (!adapter) return null;
      const { vendor, architecture, device, description } = adapter.info;
      return { vendor, architecture, device, description };
    });
    if (!info)
      throw new SetupError(`${executablePath} has no WebGPU adapter: install a newer browser, or set CHROME_PATH.`);
    return info;
  } finally {
    await browser.close();
    server.close();
  }
}

/** @param {AdapterInfo} info */
export function showAdapter({ vendor, architecture, device, description }) {
  return [vendor, architecture, device, description].map((word) => word || "-").join(" / ");
}

/** @param {GPUAdapterInfo} info */
function pick({ vendor, architecture, device, description }) {
  return { vendor, architecture, device, description };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    ensureDependencies();
    const wanted = process.argv.slice(2);
    if (wanted.length === 0 || wanted.includes("node")) console.log(`node    ${showAdapter(await nodeAdapter())}`);
    if (wanted.length === 0 || wanted.includes("chrome")) console.log(`chrome  ${showAdapter(await chromeAdapter())}`);
  });
}
