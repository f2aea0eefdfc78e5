// @ts-check
/**
 * `npm start`: opens the demo page and trains there; without a display, or with --headless, in a browser without a
 * window. Prints the adapter, the progress, and the results as JSON on the last line. `npm start -- --help` lists the options.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong options or nothing to run on, 130 ended by Ctrl-C, 141 nobody reads its output.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { featureFiles, helpText, parseOptions, tuningFile, UsageError } from "./cli.mjs";
import { chromeArgs, ensureBrowser, ensureDependencies, findBrowser, runMain, SetupError } from "./setup.mjs";

/**
 * @typedef {import("./cli.mjs").Options} Options
 * @typedef {import("../demo/session").SessionEvent} SessionEvent
 * @typedef {import("../demo/loop").RunResult} RunResult
 * @typedef {{ url: string, browserPath: string | null, headless: boolean }} Opening
 */

/**
 * @template T
 * @typedef {{ promise: Promise<T>, resolve: (value: T) => void, reject: (reason: Error) => void }} Deferred
 */

/** A run that broke on the way. Its message is for the user. */
class RunError extends Error {}

/** Longest time to open the page: a busy machine takes a while to build it. */
const OPEN_MS = 180_000;

/** A browser that takes longer to close is killed. */
const CLOSE_MS = 5_000;

/** Longest time without a line where there is no terminal. */
const SILENT_MS = 20_000;

/**
 * @param {Options} options
 * @returns {Promise<number>} the exit code
 */
async function start(options) {
  ensureDependencies();
  const headless = options.headless || !hasDisplay();
  // With a display, the user's default browser will do where there is no Chrome.
  const browserPath = headless ? ensureBrowser() : findBrowser();

  const stop = Promise.race([signalled(), unheard]);
  const { serveDemo, replaceFile } = await import("./serveDemo.mjs");
  const terminal = new Terminal(options.steps);
  /** @type {Deferred<RunResult>} */
  const run = deferred();
  let hasBegun = false;
  const server = await serveDemo({
    data: options.data,
    files: { ...featureFiles(options.features), ...(options.checkpoint && { checkpoint: options.checkpoint }) },
    tuning: tuningFile(),
    resume: options.resume,
    onEvent: (event) => {
      terminal.show(event);
      if (event.type === "adapter") hasBegun = true;
      if (event.type === "done") run.resolve(event.result);
      if (event.type !== "error") return;
      const canSee = !headless && hasBegun; // what is tried in the window later is told there
      run.reject(event.isUsage && !canSee ? new SetupError(event.message) : new RunError(event.message));
    },
  });
  /** @type {() => Promise<void>} */
  let close = () => Promise.resolve();
  try {
    const url = addressOf(server, options, headless);
    if (!headless) terminal.warn(`The page is at ${url}\nCtrl-C ends it.`);
    close = await open(
      { url, browserPath, headless },
      { onFail: run.reject, onWarning: (text) => terminal.warn(text) },
    );

    const result = await Promise.race([run.promise, stop]);
    if (typeof result === "number") return result;
    const json = JSON.stringify(result);
    if (options.json) {
      await replaceFile(options.json, `${json}\n`).catch((error) => {
        throw new RunError(`--json could not be written: ${error.message}`);
      });
    }
    terminal.line(timing(result));
    terminal.line(json);
    const isWhole = !options.linearProbe || result.linearProbe !== null; // why not was told
    return headless ? (isWhole ? 0 : 1) : await stop;
  } catch (error) {
    // A window stays open, so that the user sees what the page says; but not where nothing can run.
    if (headless || !(error instanceof RunError)) throw error;
    terminal.warn(error.message);
    return await stop;
  } finally {
    terminal.end();
    await close();
    await server.close();
  }
}

// ---- the page ----

/**
 * @param {import("./serveDemo.mjs").DemoServer} server
 * @param {Options} options
 * @param {boolean} headless
 */
function addressOf({ url, report }, options, headless) {
  const { recipe, encoder, device, steps, batchSize, queueSize, dim, temperature, momentum, lr, weightDecay, shuffle } =
    options;
  const { symmetric, seed, tune } = options;
  const address = new URL(url);
  const values = {
    recipe,
    encoder,
    device,
    steps,
    batchSize,
    queueSize,
    dim,
    temperature,
    momentum,
    lr,
    weightDecay,
    shuffle,
    symmetric,
    seed,
    tune,
  };
  for (const [name, value] of Object.entries(values)) address.searchParams.set(name, String(value));
  address.searchParams.set("evaluate", String(options.evaluate));
  // Whoever looks on wants to see it improve; in the terminal an evaluation only costs time.
  if (options.evalEvery ?? headless) address.searchParams.set("evalEvery", String(options.evalEvery ?? 0));
  if (options.linearProbe) address.searchParams.set("linearProbe", "");
  if (options.checkpoint) address.searchParams.set("checkpoint", "");
  if (options.resume) address.searchParams.set("resume", "");
  if (options.features) address.searchParams.set("features", options.features.endsWith(".npy") ? "npy" : "safetensors");
  if (headless) address.searchParams.set("watch", "false");
  address.searchParams.set("report", report);
  address.searchParams.set("autostart", "");
  return address.href;
}

// ---- the browser ----

function hasDisplay() {
  return process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/**
 * Opens the page: in a browser of our own, with WebGPU switched on and a profile that goes with it, or in the default one.
 *
 * @param {Opening} opening
 * @param {{ onFail: (error: Error) => void, onWarning: (text: string) => void }} listeners
 * @returns {Promise<() => Promise<void>>} closes what was opened
 */
async function open({ url, browserPath, headless }, { onFail, onWarning }) {
  if (!browserPath) {
    openInDefaultBrowser(url, onWarning);
    return () => Promise.resolve();
  }
  const { default: puppeteer } = await import("puppeteer");
  const isRoot = process.getuid?.() === 0;
  const launched = puppeteer.launch({
    executablePath: browserPath,
    headless,
    // The sandbox needs rights that containers lack; a window is for browsing, so there it stays on where it can.
    args: chromeArgs().filter((arg) => headless || isRoot || arg !== "--no-sandbox"),
    ...(!headless && { defaultViewport: null, ignoreDefaultArgs: ["--enable-automation"] }),
    pipe: true,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  const browser = await launched.catch((error) => {
    const [reason] = String(error.message).split("\n");
    const way = headless
      ? "Check that it runs, or set CHROME_PATH to another."
      : "Check the display, or pass --headless.";
    throw new SetupError(`The browser did not start (${reason}): ${way}`);
  });
  let closing = false;
  const close = async () => {
    closing = true;
    const killed = setTimeout(() => browser.process()?.kill("SIGKILL"), CLOSE_MS);
    await browser.close().catch(() => undefined); // it may be gone already
    clearTimeout(killed);
  };
  browser.once("disconnected", () => {
    if (closing) return;
    if (headless) onFail(new RunError("The browser ended before the training did: start it again."));
    else onWarning("The window is closed, the page is still there. Ctrl-C ends it.");
  });
  try {
    const page = (await browser.pages())[0] ?? (await browser.newPage());
    page.on("error", () => onFail(new RunError("The page crashed: try a smaller batch or encoder.")));
    page.on("pageerror", (error) => onFail(new RunError(error instanceof Error ? error.message : String(error))));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warn") onWarning(message.text());
    });
    await page.goto(url, { timeout: OPEN_MS });
    return close;
  } catch (error) {
    await close();
    throw new RunError(
      `The page could not be opened in ${browserPath}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/**
 * @param {string} url
 * @param {(text: string) => void} onWarning
 */
function openInDefaultBrowser(url, onWarning) {
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler", url]
        : ["xdg-open", url];
  spawn(/** @type {string} */ (command), args, { detached: true, stdio: "ignore" })
    .on("error", () => onWarning("No browser could be opened: open the page yourself, in one with WebGPU."))
    .unref();
}

/**
 * The exit code of a signal, once one comes. A second one ends the process at once.
 *
 * @returns {Promise<number>}
 */
function signalled() {
  return new Promise((resolve) => {
    for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
      process.once(signal, () => resolve(128 + constants.signals[signal]));
    }
  });
}

/**
 * The exit code, once nobody reads stdout or stderr any more, such as `head` after its first lines.
 *
 * @type {Promise<number>}
 */
const unheard = new Promise((resolve) => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== "EPIPE") throw error;
      resolve(141); // as if SIGPIPE had ended it
    });
  }
});

// ---- the terminal ----

/** Shows events as lines; on a terminal the progress is one line that changes. */
class Terminal {
  /** @param {number} steps of the whole run */
  constructor(steps) {
    this.steps = steps;
    /** Where there is no terminal: steps between two lines. */
    this.every = Math.max(1, Math.round(steps / 15));
    this.isLive = process.stdout.isTTY;
    /** @type {"step" | "piece" | null} What stands on the line that is not ended. */
    this.openLine = null;
    this.shownMs = 0;
  }

  /** @param {SessionEvent} event */
  show(event) {
    if (event.type === "adapter") this.line(`adapter: ${event.adapter}`);
    if (event.type === "knn") {
      this.line(
        `kNN accuracy ${event.step === 0 ? "before training" : `after ${event.step} steps`}: ${percent(event.accuracy)}`,
      );
    }
    if (event.type === "probe") this.line(`linear probe after ${event.step} steps: ${percent(event.accuracy)}`);
    if (event.type === "tuning") this.tuning(event.tuning);
    if (event.type === "refusal") this.warn(`The ${event.what} failed: ${event.message}`);
    if (event.type === "step") this.progress(event);
    if (event.type === "piece") this.piece(event);
  }

  /**
   * On a terminal: a line that goes when the next one comes.
   *
   * @param {import("../demo/protocol").PieceEvent} event
   */
  piece({ piece, share, secondsLeft }) {
    if (!this.isLive) return;
    this.end();
    if (share === 1) return;
    const left = secondsLeft === null ? "" : `   ${Math.ceil(secondsLeft)} s left`;
    process.stdout.write(`${PIECES[piece]} ${percent(share)}${left}`);
    this.openLine = "piece";
  }

  /** @param {import("../demo/protocol").StepEvent} event */
  progress({ step, loss, contrastAccuracy, stepsPerSecond, secondsLeft }) {
    const isLast = step === this.steps;
    const isFirst = this.shownMs === 0; // of this process
    const isDue = step % this.every === 0 || isFirst || isLast || performance.now() - this.shownMs > SILENT_MS;
    if (!this.isLive && !isDue) return;
    this.shownMs = performance.now();
    const text = [
      `step ${String(step).padStart(String(this.steps).length)}/${this.steps}`,
      `loss ${loss.toFixed(3)}`,
      `contrast accuracy ${percent(contrastAccuracy)}`,
      stepsPerSecond === null ? "" : `${stepsPerSecond.toPrecision(3)} steps/s`,
      secondsLeft === null ? "" : `${Math.ceil(secondsLeft)} s left`,
    ];
    const line = text.filter(Boolean).join("   ");
    if (!this.isLive) return this.line(line);
    if (this.openLine === "piece") this.end();
    process.stdout.write(`\r\x1b[K${line}`);
    this.openLine = "step";
    if (isLast) this.end();
  }

  /** @param {import("../demo/tuning").Tuning} tuning */
  tuning({ known, tried, left, chosen, changed, rejected, notKept, notTried }) {
    if (notTried !== null) return this.line(`not tuned: ${notTried}`);
    this.line(`tuning: ${known} known, ${tried} tried, ${changed.length} changed, ${left} left as they are`);
    const variants = Object.entries(chosen).map(([variant, times]) => `${variant} ${times}`);
    if (variants.length > 0) this.line(`  taken: ${variants.join(", ")}`);
    for (const text of changed) this.line(`  ${text}`);
    for (const text of rejected) this.line(`  never taken: ${text}`);
    if (notKept !== null) this.warn(`What tuning found could not be kept: ${notKept}`);
  }

  /** @param {string} text */
  line(text) {
    this.end();
    process.stdout.write(`${text}\n`);
  }

  /** @param {string} text */
  warn(text) {
    this.end();
    process.stderr.write(`${text}\n`);
  }

  end() {
    if (this.openLine !== null) process.stdout.write(this.openLine === "step" ? "\n" : "\r\x1b[K");
    this.openLine = null;
  }
}

/** @type {Record<import("../demo/protocol").Piece, string>} */
const PIECES = {
  ...{ fetching: "files of images", trying: "kernels on this GPU" },
  ...{ encoding: "features of images", comparing: "nearest neighbours", classifying: "linear classifier" },
};

/** @param {RunResult} result */
function timing({ firstStepSeconds, stepsPerSecond }) {
  return `first step ${firstStepSeconds.toPrecision(3)} s, which compiles kernels; then ${stepsPerSecond.toPrecision(3)} steps/s`;
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}

/**
 * A promise with its two ends, for Node 20.
 *
 * @template T
 * @returns {Deferred<T>}
 */
function deferred() {
  /** @type {any} */
  const ends = {};
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  ends.promise.catch(() => undefined); // it may fail before anyone waits for it
  return ends;
}

await runMain(async () => {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) return void process.stdout.write(helpText());
    return await start(options);
  } catch (error) {
    if (error instanceof UsageError) throw new SetupError(error.message);
    if (!(error instanceof RunError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
});
