// @ts-check
/**
 * The sessions that `npm run peers` conducts: a browser of its own for each row and library, so that nothing is compiled,
 * pooled or hung that another one meets; and a Python process for PyTorch.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer";
import { chromeArgs, root } from "./setup.mjs";

/**
 * @typedef {import("../bench/peers/conduct").Session} Session
 * @typedef {import("../bench/peers/conduct").LimitSession} LimitSession
 * @typedef {import("../bench/peers/conduct").Timed} Timed
 * @typedef {import("../bench/peers/page").Sample} Sample
 * @typedef {import("../bench/peers/works").AnyWork} AnyWork
 *
 * @typedef {object} Place Where pages are, and what opens them.
 * @property {string} browserPath
 * @property {string} url
 * @property {string[]} held Before every command: what holds it to some cores.
 */

/** How long a browser may take to end by itself, ms. */
const CLOSING_MS = 5000;

/** One page in a browser of its own. */
class Tab {
  /** @type {import("puppeteer").Browser | undefined} */
  #browser;
  /** @type {import("puppeteer").Page | undefined} */
  #page;
  /** @type {(error: Error) => void} */
  #fail = () => undefined;
  /** @type {Promise<never>} */
  #failure;

  constructor() {
    this.#failure = new Promise((_, fail) => (this.#fail = fail));
    this.#failure.catch(() => undefined);
  }

  /** @param {Place} place */
  async open({ browserPath, url, held }) {
    const [executablePath = "", ...before] = [...held, browserPath];
    this.#browser = await puppeteer.launch({
      executablePath: held.length > 0 ? onPath(executablePath) : executablePath,
      ignoreDefaultArgs: true,
      args: [...before, ...puppeteer.defaultArgs({ headless: true, args: chromeArgs() })],
      pipe: true,
      protocolTimeout: 0, // rows have limits of their own
    });
    this.#browser.once("disconnected", () => this.#fail(new Error("the browser ended.")));
    this.#page = (await this.#browser.pages())[0] ?? (await this.#browser.newPage());
    this.#page.on("error", () => this.#fail(new Error("the page crashed.")));
    this.#page.on("pageerror", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    await this.#page.goto(url);
  }

  /** @returns {Promise<string>} */
  async version() {
    return (await this.#browser?.version()) ?? "";
  }

  /**
   * @template {unknown[]} A
   * @template R
   * @param {(...args: A) => R} body runs in the page
   * @param {A} args
   * @returns {Promise<Awaited<R>>}
   */
  async call(body, ...args) {
    if (!this.#page) throw new Error("the page is not open.");
    const running = /** @type {Promise<Awaited<R>>} */ (this.#page.evaluate(/** @type {any} */ (body), ...args));
    return Promise.race([running, this.#failure]);
  }

  async close() {
    const browser = this.#browser;
    this.#browser = undefined;
    if (!browser) return;
    const pid = browser.process()?.pid;
    const isClosed = await Promise.race([
      browser.close().then(() => true),
      new Promise((done) => setTimeout(() => done(false), CLOSING_MS).unref()),
    ]);
    if (!isClosed && pid) process.kill(-pid, "SIGKILL"); // puppeteer starts it as the head of a group
  }
}

/** @param {string} command */
function onPath(command) {
  return spawnSync("sh", ["-c", `command -v ${command}`], { encoding: "utf8" }).stdout.trim();
}

/**
 * A library's page.
 *
 * @param {Place} place
 * @param {import("../bench/peers/names").LibraryName} library
 * @param {AnyWork} work
 * @param {boolean} [asStandIn] whether the smaller work runs that is checked in its place
 * @returns {Session}
 */
export function pageSession(place, library, work, asStandIn = false) {
  const tab = new Tab();
  const standIn = work.standIn && !asStandIn ? pageSession(place, library, work, true) : null;
  /**
   * @param {Promise<Sample>} sample
   * @returns {Promise<Timed>}
   */
  const timed = async (sample) => {
    const { timeMs, hostMs, counts } = await sample;
    return { timeMs, counts, jsMs: hostMs };
  };

  return {
    library,
    async open() {
      await tab.open(place);
      return tab.call((...args) => globalThis.peerPage.open(...args), library, work.name, asStandIn);
    },
    async first() {
      const first = await tab.call(() => globalThis.peerPage.first());
      return { ...first, wrong: first.wrong ?? (standIn && (await complaintOfStandIn(standIn))) };
    },
    sample: (times) => timed(tab.call((runs) => globalThis.peerPage.sample(runs), times)),
    count: (times) => timed(tab.call((runs) => globalThis.peerPage.count(runs), times)),
    script: (times) => tab.call((runs) => globalThis.peerPage.script(runs), times),
    verify: () => tab.call(() => globalThis.peerPage.verify()),
    async close() {
      await standIn?.close();
      await tab.close();
    },
  };
}

/**
 * What is wrong with the work that is checked in place of a larger one.
 *
 * @param {Session} session
 */
async function complaintOfStandIn(session) {
  try {
    await session.open();
    return (await session.first()).wrong;
  } finally {
    await session.close();
  }
}

/**
 * The adapter's limit, and what the browser calls itself.
 *
 * @param {Place} place
 * @returns {Promise<LimitSession & { browser: string }>}
 */
export async function limitSession(place) {
  const tab = new Tab();
  await tab.open(place);
  const { flops } = await tab.call(() => globalThis.limitPage.open());
  return {
    browser: await tab.version(),
    sample: async () => flops / (await tab.call(() => globalThis.limitPage.sample())) / 1e6,
    close: () => tab.close(),
  };
}

// ---- PyTorch ----

/**
 * A Python that has PyTorch and numpy; Debian's comes after the first one on PATH.
 *
 * @returns {string | undefined}
 */
export function pythonWithTorch() {
  return ["python3", "/usr/bin/python3"].find(
    (python) => spawnSync(python, ["-c", "import numpy, torch"], { stdio: "ignore" }).status === 0,
  );
}

const NO_COUNTS = {
  ...{ dispatches: 0, submits: 0, buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 },
  ...{ bytesUploaded: 0, bytesRead: 0, bytesAlive: 0, peakBytes: 0 },
};

/**
 * @param {string} python
 * @param {string[]} held
 * @param {string} library
 * @param {AnyWork} work
 * @param {typeof import("../bench/peers/run")} bench
 * @returns {Session}
 */
export function torchSession(python, held, library, work, bench) {
  const { constants, complaintOf, complaintAfter, runsToCheck } = bench;
  const standIn = /** @type {AnyWork | undefined} */ (work.standIn);
  const folder = mkdtempSync(join(tmpdir(), "flywheel-torch-"));
  const [command = "", ...args] = [...held, python, join(root, "bench/peers/pytorch.py"), folder];
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  /** @param {object} request */
  const ask = async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error("PyTorch's process ended.");
    return JSON.parse(value);
  };
  /** @param {Record<string, string> | null} paths */
  const outputs = (paths) =>
    paths && Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, floatsOf(path)]));
  const read = async () => outputs((await ask({ do: "read" })).outputs) ?? {};
  /** @param {number} times */
  const run = async (times) => (await ask({ do: "sample", times })).timeMs;
  /** @param {number} times */
  const sample = async (times) => ({ timeMs: (await run(times)) / times, jsMs: null, counts: NO_COUNTS });

  return {
    library,
    async open() {
      const inputs = writeInputs(folder, work.inputs());
      const { version } = await ask({ do: "open", kind: work.kind, inputs, constants });
      return { version, adapter: "", unsupported: null };
    },
    async first() {
      const reads = [];
      const timesMs = [];
      while (reads.length < runsToCheck(work)) {
        timesMs.push(await run(1));
        reads.push(await read());
      }
      const state = outputs((await ask({ do: "state" })).outputs);
      const wrong =
        complaintOf(work, { reads, state }) ??
        (standIn ? await complaintOfStandIn(torchSession(python, held, library, standIn, bench)) : null);
      return { timeMs: timesMs[0], lastMs: timesMs.at(-1), wrong };
    },
    sample,
    count: sample,
    script: async () => null,
    verify: async () => complaintAfter(work, await read()),
    async close() {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Writes all arrays of some inputs to files.
 *
 * @param {string} folder
 * @param {any} value arrays with shapes, in lists and objects
 * @returns {unknown} the same with files in their place
 */
function writeInputs(folder, value, name = "in") {
  if (Array.isArray(value)) return value.map((each, index) => writeInputs(folder, each, `${name}.${index}`));
  if (value.data instanceof Float32Array || value.data instanceof Int32Array) {
    const file = join(folder, name);
    writeFileSync(file, value.data);
    return { file, shape: value.shape, dtype: value.data instanceof Float32Array ? "float32" : "int32" };
  }
  const entries = Object.entries(value).map(([key, each]) => [key, writeInputs(folder, each, `${name}.${key}`)]);
  return Object.fromEntries(entries);
}

/** @param {string} path */
function floatsOf(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
