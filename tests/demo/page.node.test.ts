/** The demo page in a real browser: it trains, shows what it does, and never stutters. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ElementHandle, Page } from "puppeteer";
import { describe, expect, test } from "vitest";
import { RECIPE_PRESETS, type RecipeName } from "../../demo/recipePresets.mjs";
import { demoBrowser, textsOf } from "./browserPage";

const demo = demoBrowser({ train: 400, test: 200 });
const TINY = { encoder: "tinyGap", batchSize: 8, queueSize: 16, steps: 100_000, device: "cpu" };
const SMALL = { encoder: "tinyGap", batchSize: 32, queueSize: 128, steps: 1000, evalEvery: 10 };

let page: Page;

async function open(
  options: Record<string, string | number> = {},
  viewport = { width: 1360, height: 900 },
): Promise<void> {
  page = await demo.newPage(viewport);
  const search = new URLSearchParams(Object.entries(options).map(([name, value]) => [name, String(value)]));
  await page.goto(`${demo.server.url}?${search.toString()}`);
  await page.waitForFunction("window.flywheelDemo");
}

const text = (id: string): Promise<string> => page.$eval(`#${id}`, (element) => element.textContent);
/** What is said of the times of kernels. */
const says = (): Promise<string> => page.$eval("#device .says", (element) => element.textContent);
const state = (): Promise<string> => page.evaluate(() => window.flywheelDemo.session.state);
const stepsDone = async (): Promise<number> => Number.parseInt(await text("stat-step")) || 0;
const pixelsOf = (chart: string): Promise<string> => page.$eval(`#${chart} canvas`, (canvas) => canvas.toDataURL());

async function waitForStep(step: number): Promise<void> {
  await page.waitForFunction(
    (least) => parseInt(document.getElementById("stat-step")!.textContent) >= least,
    { timeout: 120_000 },
    step,
  );
}

/** Times between frames of the page, the longest last. */
async function frameGapsMs(count: number): Promise<number[]> {
  const gapsMs = await page.evaluate(
    (wanted) =>
      new Promise<number[]>((resolve) => {
        const times: number[] = [];
        const frame = (timeMs: number): void => {
          times.push(timeMs);
          if (times.length <= wanted) requestAnimationFrame(frame);
          else resolve(times.slice(1).map((time, i) => time - times[i]!));
        };
        requestAnimationFrame(frame);
      }),
    count,
  );
  return gapsMs.sort((x, y) => x - y);
}

/** Times between the ticks of a timer of 10 ms. */
function timerGapsMs(count: number): Promise<number[]> {
  return page.evaluate(
    (wanted) =>
      new Promise<number[]>((resolve) => {
        const gaps: number[] = [];
        let last = performance.now();
        const tick = (): void => {
          const now = performance.now();
          gaps.push(now - last);
          last = now;
          if (gaps.length < wanted) setTimeout(tick, 10);
          else resolve(gaps);
        };
        setTimeout(tick, 10);
      }),
    count,
  );
}

describe("the page", () => {
  test("tunes when asked to, and its browser remembers", async () => {
    const options = { ...SMALL, steps: 4, evaluate: "false", tune: "on" };
    const tuned = async (): Promise<string> => {
      await page.click("#start");
      await page.waitForFunction(() => window.flywheelDemo.session.state === "done", { timeout: 120_000 });
      return text("tuning");
    };
    await open(options);
    expect(await page.$eval("select[name=tune]", (field) => field.value)).toBe("on");
    const pieces = await textsOf(page, "#piece span");
    const [, tried, left] = /^Tuning: 0 known, (\d+) tried, \d+ changed, (\d+) left as they are\.$/.exec(
      await tuned(),
    )!;
    expect(Number(tried)).toBeGreaterThan(2);
    const begun = new Set((await pieces()).map((piece) => piece.replace(/,.*/, "")));
    expect(begun).toEqual(new Set(["Files of images", "Kernels on this GPU"]));
    await page.close();
    await open(options);
    expect(await tuned()).toMatch(new RegExp(`^Tuning: ${tried} known, ${left} tried, `));
    await page.select("select[name=tune]", "off");
    expect(await tuned()).toBe("");
  });

  test("trains, shows the adapter, the curves, the views and the neighbours, and stays responsive", async () => {
    await open(SMALL);
    expect(await state()).toBe("idle");
    const before = { loss: await pixelsOf("loss-chart"), accuracy: await pixelsOf("accuracy-chart") };
    expect(await page.$eval("#missing", (panel) => (panel as HTMLElement).hidden)).toBe(true);
    await page.click("#start");
    await waitForStep(12);

    expect(await text("adapter")).toMatch(/^\S/);
    expect(await text("adapter")).not.toBe("not started");
    expect(await text("stat-adapter")).toBe(await text("adapter"));
    expect(Number(await text("stat-loss"))).toBeGreaterThan(0);
    expect(await text("stat-knn")).toMatch(/^\d+\.\d %$/);
    expect(Number(await text("stat-rate"))).toBeGreaterThan(0);
    const during = { loss: await pixelsOf("loss-chart"), accuracy: await pixelsOf("accuracy-chart") };
    expect(during.loss).not.toBe(before.loss);
    expect(during.accuracy).not.toBe(before.accuracy);
    expect(await page.$$eval("#neighbours tr", (rows) => rows.length)).toBe(6);
    expect(await text("neighbours-now")).toMatch(/^after \d+ steps$/);
    const differs = await page.$$eval("#views .views-row", (rows) => {
      const images = rows.map((row) => [...row.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()));
      return images[0]!.map((image, i) => new Set([image, images[1]![i], images[2]![i]]).size === 3);
    });
    expect(differs).toEqual(differs.map(() => true));
    expect(differs.length).toBeGreaterThan(5);

    const points = await page.evaluate(() => window.flywheelDemo.lossPoints());
    await waitForStep(points + 5);
    expect(await page.evaluate(() => window.flywheelDemo.lossPoints())).toBeGreaterThan(points);

    // The page's own thread is free all the while: timers of 10 ms come nearly on time.
    const gapsMs = (await timerGapsMs(300)).sort((x, y) => x - y);
    expect(gapsMs[150], "median gap in ms").toBeLessThan(50);
    expect(gapsMs[284], "gap in ms that 95 % of timers stay under").toBeLessThan(100);
    expect(await page.evaluate(() => window.flywheelDemo.lossPoints()), "steps meanwhile").toBeGreaterThan(points + 5);
    const framesMs = await frameGapsMs(200);
    expect(framesMs[190], "gap in ms that 95 % of frames stay under").toBeLessThan(100);

    for (const [device, width] of [
      ["desktop", 1360],
      ["phone", 390],
    ] as const) {
      await page.setViewport({ width, height: 900 });
      for (const scheme of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        await demo.screenshot(page, `page-${device}-${scheme}`, { fullPage: true });
      }
    }
  });

  test("pauses, resumes and resets", async () => {
    await open({ ...TINY, evaluate: "false" });
    await page.click("#start");
    await waitForStep(3);
    expect(await text("start")).toBe("Pause");
    const target = (): Promise<string> => page.$eval(".pages a:last-child", (link) => link.target);
    expect(await target(), "a link beside a training").toBe("_blank");
    expect(await page.$eval("[name=batchSize]", (field) => (field as HTMLInputElement).disabled)).toBe(true);

    await page.click("#start");
    expect(await state()).toBe("paused");
    await page.waitForFunction(() => document.getElementById("status")!.textContent === "Paused.");
    let paused = await stepsDone();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await stepsDone()).toBe(paused);
    await page.focus("[data-ask=times]");
    await page.keyboard.press("Enter");
    expect(await says()).toBe("Timed with the next step.");
    await page.$eval("#step", (button) => (button as HTMLButtonElement).click()); // the focus stays where it was
    await waitForStep(++paused);
    await page.waitForFunction(() => document.activeElement!.matches("[data-ask=times]"));
    expect(await says(), "the CPU has no kernels").toMatch(/^No kernels were timed: profile: /);

    await page.click("#start");
    expect(await state()).toBe("running");
    await waitForStep(paused + 3);

    await page.click("#reset");
    expect(await state()).toBe("idle");
    expect(await target()).toBe("");
    expect(await page.$eval("[name=batchSize]", (field) => (field as HTMLInputElement).disabled)).toBe(false);
    expect(await text("start")).toBe("Start");
    const reset = await stepsDone();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await stepsDone()).toBe(reset);

    await page.click("#start");
    await waitForStep(2);
    expect(await stepsDone()).toBeLessThan(paused + 3);
  });

  test("keeps saying what failed while the training goes on, and what kept a run from going on", async () => {
    await open({ ...TINY, evaluate: "false" });
    await page.click("#start");
    await waitForStep(1);
    /** What the page says then, before the training tells of its next phase. */
    const hear = (event: object): Promise<{ status: string; piece: string; share: number; isHidden: boolean }> =>
      page.evaluate((what) => {
        (window.flywheelDemo.session as unknown as { receive: (event: object) => void }).receive(what);
        const piece = document.getElementById("piece")!;
        return {
          status: document.getElementById("status")!.textContent,
          piece: piece.textContent.trim(),
          share: piece.querySelector("progress")!.value,
          isHidden: piece.matches("[hidden]"),
        };
      }, event);
    await hear({ type: "checkpoint", step: 1, bytes: [] }); // the terminal's: not offered
    await hear({ type: "refusal", what: "save", message: "no room." });
    const refused = await hear({ type: "refusal", what: "probe", message: "no luck." });
    expect(refused.status).toBe("The linear probe failed: no luck.");
    await hear({ type: "phase", phase: "training" });
    await waitForStep(3);
    expect([await text("status"), await text("saved"), await text("probed")]).toEqual([
      ...["Training.", "The save failed: no room. ", "The linear probe failed: no luck."],
    ]);
    const piece = { type: "piece", piece: "classifying", share: 0.25 };
    const named = { piece: "Epochs of the classifier", isHidden: false };
    expect(await hear({ ...piece, secondsLeft: null })).toMatchObject(named);
    const timed = { piece: `${named.piece}, about 62 s left`, share: 0.25, isHidden: false };
    expect(await hear({ ...piece, secondsLeft: 61.2 })).toMatchObject(timed);
    expect(await hear({ ...piece, share: 1, secondsLeft: 0 })).toMatchObject({ isHidden: true });
    await page.evaluate(`
      document.getElementById("probe").click();
      flywheelDemo.session.receive({ type: "error", name: "Error", message: "The device is lost.", isUsage: false });
    `);
    expect(await text("status"), "the reason, not what it led to").toBe("The device is lost.");
    expect(await text("probed")).toBe("The linear probe failed: the run ended before.");
    await page.click("#start");
    expect(await text("probed")).toBe("");
  });

  test.each([
    ["no WebGPU", "undefined", "This browser has no WebGPU."],
    [
      "no adapter",
      "{ requestAdapter: () => Promise.resolve(null) }",
      "This browser has WebGPU, but found no graphics adapter for it.",
    ],
  ])("says so where there is %s, and trains on the CPU", async (what, gpu, reason) => {
    page = await demo.newPage({ width: 1360, height: 900 });
    await page.evaluateOnNewDocument(`Object.defineProperty(navigator, "gpu", { value: ${gpu} })`);
    await page.goto(`${demo.server.url}?seed=5`);
    await page.waitForSelector("#missing:not([hidden])");
    expect(await page.$eval("[data-reason]", (element) => element.textContent)).toBe(reason);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await demo.screenshot(page, `missing-${what.replace(" ", "-")}-${scheme}`);
    }
    await page.click("#train-on-cpu");
    await page.waitForFunction("window.flywheelDemo?.lossPoints() > 1", { timeout: 120_000 });
    expect(await page.$eval("#missing", (panel) => (panel as HTMLElement).hidden)).toBe(true);
    expect(await text("adapter")).toMatch(/^CPU/i);
    expect(await page.$eval("input[name=seed]", (field) => field.value)).toBe("5");
  });

  test("ends with the accuracy before and after", async () => {
    await open({ ...TINY, steps: 3, autostart: "" });
    await page.waitForFunction(() => window.flywheelDemo.session.state === "done", { timeout: 120_000 });
    expect(await text("status")).toMatch(/^Done: kNN accuracy went from \d+\.\d % to \d+\.\d %\.$/);
    expect(await text("start")).toBe("Start again");
    await page.click("[data-ask=times]");
    await page.waitForFunction(() => document.querySelector("#device .says")!.textContent.startsWith("No"));
    expect(await says()).toMatch(/^No kernels were timed: There must be a step to come/);
  });

  test("steps one by one, shows the queue turn over, what the GPU does, and probes", async () => {
    await open({ ...SMALL, evaluate: "false" });
    const disabled = (id: string): Promise<boolean> =>
      page.$eval(`#${id}`, (each) => (each as HTMLButtonElement).disabled);
    const paused = (): Promise<unknown> =>
      page.waitForFunction(() => document.getElementById("status")!.textContent === "Paused.", { timeout: 60_000 });
    expect(await disabled("step")).toBe(true);
    expect(await page.$eval("#queue", (canvas) => (canvas as HTMLElement).offsetHeight), "no picture yet").toBe(0);
    await page.click("#start");
    await waitForStep(7);
    await page.click("#start");
    await paused();
    const queue = (): Promise<string> => page.$eval("#queue", (canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const picture = await queue();
    let before = await stepsDone();
    for (let i = 0; i < 3; i++) await page.click("#step"); // faster than steps are
    await waitForStep(before + 3);
    await paused();
    await new Promise((resolve) => setTimeout(resolve, 500));
    before += 3;
    expect(await stepsDone(), "one step a click").toBe(before);
    expect(await queue()).not.toBe(picture);
    expect(await text("queue-text")).toBe("100.0 % of the keys are real ones.");
    for (const stat of ["memory", "peak"]) expect(await text(`stat-${stat}`)).toMatch(/^\d+\.\d MB$/);
    expect(Number(await text("stat-dispatches"))).toBeGreaterThan(10);
    expect(await text("stat-submits")).toBe("1.0");

    await page.click("[data-ask=times]");
    await page.click("#step");
    await waitForStep(++before);
    await page.waitForSelector("#times table", { timeout: 60_000 });
    const times = await page.$$eval("#times tr", (rows) => rows.map((row) => [...row.cells].map((c) => c.textContent)));
    expect(times[0]).toEqual(["kernel", "launches", "ms", "GFLOP/s", "GB/s"]);
    const launches = times.slice(1).reduce((sum, [, count]) => sum + Number(count), 0);
    expect(await says()).toMatch(
      new RegExp(`^Step ${before}: [\\d.,]+ ms in ${launches} launches of \\d+ kernels\\.$`),
    );
    expect(await page.$eval("#times", (times) => times.closest("[role=status]")), "not read aloud").toBeNull();
    expect(Math.abs(launches - Number(await text("stat-dispatches"))), "as in other steps").toBeLessThan(2);
    expect(
      times.slice(1).every(([, , ms]) => Number(ms) > 0),
      JSON.stringify(times),
    ).toBe(true);
    await paused();

    await page.click("#probe");
    await page.waitForFunction(() => /^\d/.test(document.getElementById("stat-probe")!.textContent), {
      timeout: 120_000,
    });
    expect(await text("status")).toMatch(/^The linear probe of step \d+ classifies \d+\.\d % of the test images\.$/);
    expect(await disabled("probe")).toBe(false);
    expect(await stepsDone()).toBe(before);

    // the encoder stays where it is until a probe has its answer, and what is asked for meanwhile is not lost
    await page.$eval("#stat-probe", (element) => (element.textContent = ""));
    await page.click("#probe");
    expect(await disabled("probe")).toBe(true);
    await page.click("#save");
    await page.click("#start");
    await page.waitForFunction(
      () => document.querySelector("#saved a") && document.getElementById("stat-probe")!.textContent,
      {
        timeout: 120_000,
      },
    );
    expect(await text("saved")).toContain(`Step ${before} is kept`);
    await waitForStep(before + 3);
    expect(await state()).toBe("running");
    await page.click("#reset");
    expect([await disabled("step"), await disabled("save"), await disabled("probe")]).toEqual([true, true, true]);
  });

  test("tells the rate that a clock on the wall would", async () => {
    await open({ ...SMALL, batchSize: 64, steps: 40, evaluate: "false" });
    await page.click("#start");
    await waitForStep(6);
    const startMs = performance.now();
    const first = await stepsDone();
    await page.waitForFunction(() => window.flywheelDemo.session.state === "done", { timeout: 120_000 });
    const rate = (1000 * (40 - first)) / (performance.now() - startMs);
    const told = Number(await text("stat-rate"));
    expect(told / rate, `told ${told}, on the wall ${rate}`).toBeGreaterThan(0.6); // beside other tests
    expect(told / rate, `told ${told}, on the wall ${rate}`).toBeLessThan(1.6);
  });

  test("goes on from what was saved, in this browser or as a file", async () => {
    const steps = 12;
    const options = { ...TINY, steps, dim: 16, evaluate: "false" };
    const losses = (): Promise<[number, number][]> => page.evaluate(() => window.flywheelDemo.losses());
    const done = (): Promise<unknown> =>
      page.waitForFunction(() => window.flywheelDemo.session.state === "done", { timeout: 120_000 });
    await open(options);
    await page.click("#start");
    await waitForStep(2);
    await page.click("#start"); // so that it is not over before it is saved
    await page.waitForFunction(() => document.getElementById("status")!.textContent === "Paused.", { timeout: 60_000 });
    await page.click("#save");
    await page.waitForFunction(() => document.querySelector("#saved a"), { timeout: 60_000 });
    await page.click("#start");
    const [, saved] = /^Step (\d+) is kept in this browser; as a file: moco-\1\.safetensors$/.exec(
      await text("saved"),
    )!;
    await done();
    const whole = await losses();
    expect(whole).toHaveLength(steps);
    expect(Number(saved)).toBeLessThan(steps);
    const bytes = await page.$eval("#saved a", async (link) => {
      const response = await fetch(link.href);
      return [...new Uint8Array(await response.arrayBuffer())];
    });
    await page.close();

    await open({ device: "cpu", evaluate: "false" }); // other options than those of the save
    await page.waitForFunction(() => !document.getElementById("resume")!.hidden);
    await page.click("#resume");
    await done();
    expect(await page.$eval("input[name=queueSize]", (field) => field.value)).toBe("16");
    expect(await losses()).toEqual(whole.slice(Number(saved)));

    const file = join(demo.folder, "save.safetensors");
    writeFileSync(file, Uint8Array.from(bytes));
    const field = (await page.$("#open"))! as ElementHandle<HTMLInputElement>;
    await page.evaluate(() => {
      window.flywheelDemo.session.subscribe(({ type }) => {
        if (type === "loaded") document.body.classList.add("went-on");
      });
    });
    await field.uploadFile(file);
    await page.waitForSelector("body.went-on"); // it may be over soon
    await done();
    expect(await losses()).toEqual(whole.slice(Number(saved)));

    const over = await page.evaluate(() => window.flywheelDemo.session.state);
    expect(over).toBe("done");
    await page.click("#save");
    await page.waitForFunction(() => document.getElementById("saved")!.textContent.startsWith("Step 12 "));
    await page.click("#resume");
    await page.waitForFunction(() =>
      document.getElementById("status")!.textContent.includes("is of a run that is over"),
    );
    expect(await state(), "nothing is thrown away").toBe("done");
    const shown = async (): Promise<unknown> => [await losses(), await text("saved"), await text("stat-step")];
    const before = await shown();
    const refuses = async (damaged: readonly number[], reason: string): Promise<void> => {
      writeFileSync(file, Uint8Array.from(damaged));
      await field.uploadFile(file);
      await page.waitForFunction((part) => document.getElementById("status")!.textContent.includes(part), {}, reason);
      expect(await state()).toBe("done");
    };
    await refuses(bytes.slice(0, 100), "openSafetensors");
    await refuses(bytes.with(-1, bytes.at(-1)! ^ 1), "the file must have its checksum");
    expect(await shown()).toEqual(before);
    await page.click("[data-ask=encoder]");
    await page.waitForSelector("#export a", { timeout: 60_000 }); // its worker is still there
  });

  test("keeps the last save where there is no room for the next, and says so", async () => {
    await open({ ...TINY, steps: 2, evaluate: "false" });
    const client = await page.createCDPSession();
    const origin = new URL(demo.server.url).origin;
    const saves = async (words: string): Promise<string> => {
      await page.click("#save");
      await page.waitForFunction((part) => document.getElementById("saved")!.textContent.includes(part), {}, words);
      return text("saved");
    };
    await page.click("#start");
    await page.waitForFunction(() => window.flywheelDemo.session.state === "done", { timeout: 120_000 });
    const kept = (): Promise<number[]> =>
      page.evaluate(async () => {
        const folder = await navigator.storage.getDirectory();
        const file = await (await folder.getFileHandle("moco.safetensors")).getFile();
        return [...new Uint8Array(await file.arrayBuffer())];
      });
    await saves("Step 2 is kept in this browser");
    const before = await kept();
    await client.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: before.length + 1000 });
    await page.$eval("#saved", (place) => place.replaceChildren());
    expect(await saves("Step 2 is")).toMatch(
      /^Step 2 is not kept in this browser \(QuotaExceededError.*\); as a file: moco-2\.safetensors$/,
    );
    await client.send("Storage.overrideQuotaForOrigin", { origin });
    expect(await kept()).toEqual(before);
    expect(await page.$eval("#resume", (button) => (button as HTMLElement).hidden)).toBe(false);
  });

  test("takes every option as it is typed or chosen, and explains it", async () => {
    /** Another number for each field that takes one. */
    const numbers: Readonly<Record<string, number>> = {
      ...{ batchSize: 24, queueSize: 520, steps: 77, lr: 0.05, weightDecay: 0.002, temperature: 0.3, momentum: 0.9 },
      ...{ dim: 48, seed: 9, evalEvery: 7 },
    };
    /** Words that each field is explained by. */
    const explained: Readonly<Record<string, readonly string[]>> = {
      recipe: ["recipe-line", "views-hint"],
      encoder: ["encoder-line"],
      batchSize: ["explain-fill"],
      queueSize: ["explain-queue", "explain-fill", "explain-chance"],
      symmetric: ["explain-rule", "explain-fill", "explain-chance"],
    };
    page = await demo.newPage({ width: 1360, height: 900 });
    await page.evaluateOnNewDocument(() => {
      // Keeps what a run is started with, and trains nothing.
      class Listener {
        postMessage = (message: unknown): unknown => Object.assign(window, { sent: message });
        terminate = (): void => undefined;
      }
      Object.assign(window, { Worker: Listener });
    });
    await page.goto(demo.server.url);
    await page.waitForFunction("window.flywheelDemo");
    const sent = async (): Promise<Record<string, unknown>> => {
      await page.click("#start");
      expect(await state(), await text("status")).toBe("running");
      const { options } = (await page.evaluate("window.sent")) as { options: Record<string, unknown> };
      await page.click("#reset");
      return options;
    };
    let before = await sent();
    /** Expects that the next run has this in place of what it had. */
    const takes = async (name: string, change: Record<string, unknown>): Promise<void> => {
      const after = await sent();
      expect(after, name).toEqual({ ...before, ...change });
      before = after;
    };
    /** What is seen of the words of a field. */
    const words = (name: string): Promise<string[]> =>
      Promise.all(
        (explained[name] ?? []).map((id) =>
          page.$eval(`#${id}`, (place) => (place.checkVisibility() ? place.textContent.trim() : "")),
        ),
      );

    const fields = await page.$$eval("#options :is(input, select)", (all) =>
      (all as unknown as HTMLInputElement[]).map(({ name, type }) => ({ name, isNumber: type === "number" })),
    );
    const names = fields.flatMap(({ name, isNumber }) => (isNumber ? [name] : []));
    expect(names.sort()).toEqual(Object.keys(numbers).sort());
    for (const { name, isNumber } of fields) {
      const field = (await page.$(`#options [name=${name}]`))!;
      const seen = [...(await words(name))];
      if (isNumber) {
        await field.click({ count: 3 });
        await page.keyboard.type(String(numbers[name]));
        await takes(name, { [name]: numbers[name] });
        seen.push(...(await words(name)));
      } else {
        const choices = await field.$$eval("option", (options) => options.map(({ value }) => value));
        if (name === "tune") {
          await page.select("[name=device]", "webgpu"); // the CPU has no variants
          before["device"] = "webgpu";
        }
        await field.focus();
        for (const _ of choices) await page.keyboard.press("ArrowUp");
        for (const choice of choices) {
          await takes(name, {
            ...(name === "recipe" && RECIPE_PRESETS[choice as RecipeName]),
            ...{ [name]: choice },
          });
          seen.push(...(await words(name)));
          await field.focus();
          await page.keyboard.press("ArrowDown");
        }
        seen.splice(0, explained[name]?.length); // of a choice that was seen again
        expect(choices.length, name).toBeGreaterThan(1);
      }
      expect(new Set(seen).size, `${name} changes all of its words`).toBe(seen.length);
      expect(seen.every(Boolean), `words of ${name} are seen`).toBe(true);
    }
  });

  test("says what is wrong with the options", async () => {
    await open({ ...SMALL, queueSize: 30 });
    await page.click("#start");
    expect(await text("status")).toBe("The queue size must be at least the batch size, got 30 and 32.");
    expect(await state()).toBe("idle");
  });

  test.each([
    ["desktop", 1360],
    ["tablet", 820],
    ["phone", 360],
  ])("fits a %s without scrolling sideways", async (_, width) => {
    await open({}, { width, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });

  test("follows the system's light and dark", async () => {
    await open();
    const background = async (scheme: string): Promise<string> => {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    };
    expect(await background("dark")).not.toBe(await background("light"));
  });

  test("names every control", async () => {
    await open();
    const unnamed = await page.$$eval("button, input, select, progress, [role=img], canvas[role]", (elements) =>
      elements
        .filter((element) => {
          const labels = (element as HTMLInputElement).labels as NodeList | null | undefined;
          return !element.ariaLabel && !labels?.length && !element.textContent.trim();
        })
        .map((element) => element.outerHTML),
    );
    expect(unnamed).toEqual([]);
  });
});
