/**
 * The packed package at work: in a plain page without a bundler, under a strict content security policy, in a worker of an
 * app that vite builds, and in Node. Each trains three steps of one small model, and all losses agree.
 */

import { readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import puppeteer, { type Browser } from "puppeteer";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromeArgs, ensureBrowser, ensureVulkan } from "../scripts/setup.mjs";
import { link, packAndInstall, type Packed, run, writeFile } from "./helpers/packed";
import { readmeBlocks } from "./helpers/readme";

/** A module that trains three steps and prints the last loss. `from` is what comes before `flywheel/...` in imports. */
const training = (specifierOf: (subpath: "" | "nn" | "optim") => string): string => `
import { F, init, manualSeed, tensor } from "${specifierOf("")}";
import { Conv2d, Flatten, Linear, ReLU, Sequential } from "${specifierOf("nn")}";
import { SGD } from "${specifierOf("optim")}";

export async function train(device) {
  await init({ device });
  manualSeed(0);
  const x = tensor(Float32Array.from({ length: 4 * 64 }, (_, i) => Math.sin(i)), { shape: [4, 1, 8, 8] });
  const y = tensor([0, 1, 2, 1], { dtype: "i32" });
  const model = new Sequential(new Conv2d(1, 4, 3), new ReLU(), new Flatten(), new Linear(4 * 36, 3));
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  let loss;
  for (let step = 0; step < 3; step++) {
    loss = F.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  return loss.item();
}
`;

const byName = (subpath: string): string => (subpath ? `flywheel/${subpath}` : "flywheel");
const byUrl = (subpath: string): string => `/node_modules/flywheel/dist/${subpath ? `${subpath}/` : ""}index.js`;

const STRICT = "default-src 'none'; script-src 'self'; worker-src 'self'";
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

let packed: Packed;
let browser: Browser;
let server: Server;
const cleanUps: (() => unknown)[] = [];
/** Loss of the CPU reference in Node: what all others must give. */
let expected: number;

beforeAll(async () => {
  packed = packAndInstall();
  cleanUps.push(packed.remove);
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://localhost");
    const path = join(packed.consumer, pathname);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end();
      return;
    }
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    if (searchParams.has("strict")) response.setHeader("content-security-policy", STRICT);
    response.end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  cleanUps.push(() => server.close());
  browser = await puppeteer.launch({ executablePath: ensureBrowser(), args: chromeArgs(), pipe: true });
  cleanUps.push(() => browser.close());
  link(packed.consumer, "webgpu");
  writeFile(join(packed.consumer, "train.js"), training(byName));
  expected = lossInNode("cpu");
}, 300_000);

afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

function lossInNode(device: "cpu" | "webgpu"): number {
  const setUp = device === "cpu" ? "" : readmeBlocks("js")[0]!; // gives Node a navigator.gpu
  const script = `${setUp} import { train } from "./train.js"; console.log(await train("${device}")); process.exit(0);`;
  return Number(run(process.execPath, ["--input-type=module", "--eval", script], packed.consumer, ensureVulkan()));
}

/** Opens a page; returns the first messages it prints. Errors, on the console or not, and files refused fail. */
async function messagesOf(path: string, count: number): Promise<string[]> {
  const page = await browser.newPage();
  const { port } = server.address() as AddressInfo;
  const messages: string[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      page.on("console", (message) => {
        if (message.type() !== "log") reject(new Error(`the page printed: ${message.text()}`));
        if (messages.push(message.text()) === count) resolve();
      });
      page.on("pageerror", reject);
      page.goto(`http://localhost:${port}/${path}`).catch(reject);
    });
    return messages;
  } finally {
    await page.close();
  }
}

async function lossesIn(path: string, count: number): Promise<number[]> {
  return (await messagesOf(path, count)).map((message) => {
    expect(message).toMatch(/^loss \d/);
    return Number(message.slice("loss ".length));
  });
}

function expectAgreement(losses: readonly number[]): void {
  for (const loss of losses) expect(Math.abs(loss - expected)).toBeLessThan(1e-5);
}

test("in Node, on the CPU and on WebGPU", () => {
  expect(expected).toBeGreaterThan(0);
  expect(expected).toBeLessThan(1.2);
  expectAgreement([lossInNode("webgpu")]);
});

test("in a plain page, imported by URL", async () => {
  const script = `${training(byUrl)} console.log("loss " + (await train("webgpu")));`;
  writeFile(join(packed.consumer, "plain.html"), `<!doctype html><script type="module">${script}</script>`);
  expectAgreement(await lossesIn("plain.html", 1));
});

test("in the page of the README, as it stands there", async () => {
  writeFile(join(packed.consumer, "readme.html"), `<!doctype html>${readmeBlocks("html")[0]!}`);
  expect(await messagesOf("readme.html", 1)).toEqual(["12"]);
});

test("under a strict content security policy, in the page and in a module worker of it", async () => {
  const { consumer } = packed;
  writeFile(join(consumer, "strict/train.js"), training(byUrl));
  writeFile(
    join(consumer, "strict/worker.js"),
    `import { train } from "./train.js"; postMessage("loss " + (await train("webgpu")));`,
  );
  writeFile(
    join(consumer, "strict/main.js"),
    `import { train } from "./train.js";
     document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => console.error(violatedDirective, blockedURI));
     console.log("loss " + (await train("webgpu")));
     const worker = new Worker("./worker.js?strict", { type: "module" });
     worker.onmessage = ({ data }) => console.log(data);
     worker.onerror = ({ message }) => console.error(message);`,
  );
  writeFile(join(consumer, "strict/index.html"), `<!doctype html><script type="module" src="main.js"></script>`);
  expectAgreement(await lossesIn("strict/index.html?strict", 2));
});

test("in a module worker of an app that vite builds", async () => {
  const app = packed.consumer;
  writeFile(join(app, "index.html"), `<!doctype html><script type="module" src="/main.js"></script>`);
  writeFile(
    join(app, "main.js"),
    `const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
     worker.onmessage = ({ data }) => console.log(data);
     worker.onerror = ({ message }) => console.error(message);`,
  );
  writeFile(
    join(app, "worker.js"),
    `import { train } from "./train.js"; train("webgpu").then((loss) => postMessage("loss " + loss), (error) => postMessage(String(error)));`,
  );
  await build({ root: app, base: "./", configFile: false, logLevel: "warn", build: { outDir: "built" } });
  expectAgreement(await lossesIn("built/index.html", 1));
});
