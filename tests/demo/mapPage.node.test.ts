/** The map and the files of a run in a real browser: drawn and made during a run and after it, by mouse, touch and keys. */

import type { Page, Viewport } from "puppeteer";
import { describe, expect, test } from "vitest";
import { readNpy, readSafetensors } from "../../src/io";
import { readOfficialCheckpoint } from "../../src/moco";
import { FASHION_MNIST_CLASSES } from "../../src/data";
import { demoBrowser, textsOf } from "./browserPage";

const IMAGES = 60;
const demo = demoBrowser({ train: 400, test: IMAGES }, { built: false });
const OPTIONS = { encoder: "tinyGap", batchSize: 32, queueSize: 128, dim: 16, steps: 1000, evaluate: "false" };

let page: Page;

const DESKTOP: Viewport = { width: 1360, height: 900 };
const PHONE: Viewport = { width: 390, height: 800, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

async function open(options: Record<string, string | number> = {}, viewport = DESKTOP): Promise<void> {
  page = await demo.newPage(viewport);
  const all = Object.entries({ ...OPTIONS, ...options }).map(([name, value]) => [name, String(value)]);
  await page.goto(`${demo.server.url}?${new URLSearchParams(all).toString()}`);
  await page.waitForFunction("window.flywheelDemo");
}

const text = (selector: string): Promise<string> => page.$eval(selector, (element) => element.textContent.trim());
const stepsDone = async (): Promise<number> => Number.parseInt(await text("#stat-step")) || 0;
const isDisabled = (selector: string): Promise<boolean> =>
  page.$eval(selector, (button) => (button as HTMLButtonElement).disabled);
const mapPixels = (): Promise<string> => page.$eval(".map-plot > canvas", (canvas) => canvas.toDataURL());

async function waitForText(selector: string, pattern: RegExp): Promise<RegExpExecArray> {
  await page.waitForFunction(
    (where, source) => new RegExp(source).test(document.querySelector(where)!.textContent),
    { timeout: 120_000 },
    selector,
    pattern.source,
  );
  return pattern.exec(await text(selector))!;
}

const DRAWN = /^Step (\d+): (\d+) test images. The map is drawn.$/;

/** Asks for a map, and waits for it. @returns the step and the number of images that it says */
async function drawMap(): Promise<{ step: number; count: number }> {
  await page.click("[data-ask=map]");
  await page.waitForFunction(() => !document.querySelector(".map .says")!.textContent.endsWith("drawn."));
  const [, step, count] = await waitForText(".map .says", DRAWN);
  await frame();
  return { step: Number(step), count: Number(count) };
}

/** Until what changed is drawn. */
const frame = (): Promise<void> =>
  page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));

/** Opens a page with a run that is over. */
async function finish(steps: number, viewport = DESKTOP): Promise<void> {
  await open({ steps }, viewport);
  await page.click("#start");
  await page.waitForFunction(() => window.flywheelDemo.session.state === "done", { timeout: 120_000 });
}

/** Where in the window a coloured mark is, by its pixels; null if the map is empty. */
function aMark(): Promise<{ x: number; y: number } | null> {
  return page.$eval(".map-plot > canvas", (canvas) => {
    canvas.scrollIntoView({ block: "center" });
    const { data, width } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    const { left, top } = canvas.getBoundingClientRect();
    for (let i = 0; i < data.length; i += 4) {
      const isOpaque = data[i + 3] === 255;
      if (!isOpaque) continue;
      const [x, y] = [(i / 4) % width, Math.floor(i / 4 / width)];
      return { x: left + x / devicePixelRatio, y: top + y / devicePixelRatio };
    }
    return null;
  });
}

/** What the tip says; null while there is none. */
const tip = (): Promise<string | null> =>
  page.$eval(".tip", (element) => ((element as HTMLElement).hidden ? null : element.textContent));

const TIP = new RegExp(`^(${FASHION_MNIST_CLASSES.join("|").replace("/", "\\/")}) test image (\\d+)$`);

describe("the map", () => {
  test("is drawn during a run, which goes on, and again after it", async () => {
    await open();
    expect(await isDisabled("[data-ask=map]")).toBe(true);
    await page.click("#start");
    await waitForText("#stat-step", /^[3-9]\d* \//);
    const shares = await textsOf(page, ".under-way .share");
    const pieces = await textsOf(page, "#piece span");
    const first = await drawMap();
    expect((await shares()).at(-1)).toMatch(/^100 %, about 0 s left$/);
    expect(await pieces()).toContain("Features of images");
    expect(first.count).toBe(IMAGES);
    expect(first.step).toBeGreaterThan(2);
    const now = await stepsDone();
    await page.waitForFunction((least) => window.flywheelDemo.lossPoints() > least, { timeout: 60_000 }, now);
    const picture = await mapPixels();

    await page.click("#start"); // pauses it
    await waitForText("#status", /^Paused\.$/);
    const second = await drawMap();
    expect(second.step).toBeGreaterThan(first.step);
    expect(await mapPixels()).not.toBe(picture);
    const again = await mapPixels();
    await drawMap();
    expect(await mapPixels(), "the same features give the same picture").toBe(again);

    await page.click("#reset");
    expect(await isDisabled("[data-ask=map]")).toBe(true);
    expect(await page.$eval(".map-figure", (figure) => (figure as HTMLElement).hidden), "still to be looked at").toBe(
      false,
    );
    await page.click("#start");
    expect(await page.$eval(".map-figure", (figure) => (figure as HTMLElement).hidden)).toBe(true);
    expect(await text(".map .says")).toBe("");
  });

  test("shows an image and its class to the mouse and to the arrow keys, and lets a class stand out", async () => {
    await finish(4);
    await drawMap();
    expect(await tip()).toBeNull();
    const { x, y } = (await aMark())!;
    await page.mouse.move(x, y);
    expect(await tip()).toMatch(TIP);
    const [, , row] = TIP.exec((await tip())!)!;
    expect(Number(row)).toBeLessThanOrEqual(IMAGES);
    expect(
      await page.$$eval(".tip canvas", (canvases) => canvases.map(({ width, height }) => [width, height])),
    ).toEqual([[28, 28]]);
    await demo.screenshot(page, "map-desktop-light");
    await page.mouse.move(2, 2);
    expect(await tip()).toBeNull();

    await page.focus("[data-ask=map]");
    await page.keyboard.press("Tab"); // the canvas is what comes next
    const seen = new Set([await tip()]);
    for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowRight"] as const) {
      await page.keyboard.press(key);
      await frame();
      seen.add(await tip());
    }
    expect(seen.size, "images on the way").toBeGreaterThan(2);
    for (const each of seen) expect(each).toMatch(TIP);
    await page.keyboard.press("Escape");
    expect(await tip()).toBeNull();

    const all = await mapPixels();
    const names = await page.$$eval(".map-legend button", (buttons) => buttons.map((each) => each.textContent));
    expect(names.length).toBeGreaterThan(5);
    expect(FASHION_MNIST_CLASSES).toEqual(expect.arrayContaining(names));
    await page.click(".map-legend button");
    await frame();
    expect(await mapPixels()).not.toBe(all);
    expect(await page.$eval(".map-legend button", (button) => button.ariaPressed)).toBe("true");
    await page.click(".map-legend button");
    await page.mouse.move(2, 2);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await frame();
    expect(await mapPixels()).toBe(all);

    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    await frame();
    expect(await mapPixels(), "in other colours").not.toBe(all);
    await demo.screenshot(page, "map-desktop-dark");
  });

  test("fits a phone, where a tap shows an image until the next one", async () => {
    await finish(4, PHONE);
    await drawMap();
    const { x, y } = (await aMark())!;
    await page.touchscreen.tap(x, y);
    expect(await tip()).toMatch(TIP);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    const size = await page.$eval(".map-plot > canvas", ({ width, clientWidth }) => ({
      drawn: width,
      shown: clientWidth,
    }));
    expect(size.drawn, "a pixel of the canvas is one of the screen").toBe(2 * size.shown);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await frame();
      await demo.screenshot(page, `map-phone-${scheme}`, { fullPage: true });
    }
  });

  test("keeps the image that is shown on the screen of a phone", async () => {
    await open({}, { ...PHONE, width: 360 });
    const boxes = (await page.evaluate(`(async () => {
      const { MapFigure } = await import("/map/mapFigure.ts");
      const figure = new MapFigure(document.querySelector(".map-figure"));
      const places = Float32Array.from([-1, -1, 0.05, 0.05, -0.05, -0.05, 1, 1, 0.2, -0.2]);
      const rows = Int32Array.from(places.subarray(5), (_, i) => 9000 + i);
      const image = { channels: 1, height: 28, width: 28, pixels: new Uint8Array(28 * 28 * rows.length) };
      figure.show({ ...image, step: 1, rows, labels: new Uint8Array(rows.length), classes: ["Something with a long name"] });
      figure.move(places);
      const canvas = document.querySelector(".map-plot > canvas");
      for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame); // until it has its size, and is drawn
      const boxes = {};
      for (let y = 5; y < canvas.clientHeight; y += 20) {
        for (let x = 5; x < canvas.clientWidth; x += 20) {
          const { left, top } = canvas.getBoundingClientRect();
          canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y, pointerType: "touch" }));
          const tip = document.querySelector(".tip");
          if (!tip.hidden) boxes[tip.textContent] = { left: tip.getBoundingClientRect().left, right: tip.getBoundingClientRect().right };
        }
      }
      return boxes;
    })()`)) as Record<string, { left: number; right: number }>;
    expect(Object.keys(boxes)).toHaveLength(5);
    for (const { left, right } of Object.values(boxes)) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(360);
    }
  });

  test("can be stopped, and says why it cannot be drawn", async () => {
    await finish(2);
    await page.click("[data-ask=map]");
    await page.waitForSelector(".map .stop", { visible: true });
    await page.$eval(".map .stop", (button) => {
      (button as HTMLButtonElement).focus();
      (button as HTMLButtonElement).click(); // at once
    });
    expect(await page.evaluate(() => document.activeElement!.textContent)).toBe("Draw the map");
    expect(await text(".map .says")).toBe(`Step 2: ${IMAGES} test images. Stopped before all found their places.`);
    expect(await page.$eval(".under-way", (element) => (element as HTMLElement).hidden)).toBe(true);
    await drawMap();

    await page.evaluate(`(async () => {
      const { MapPanel } = await import("/map/panel.ts");
      const images = { step: 2, channels: 1, height: 1, width: 1, rows: Int32Array.of(0, 1), pixels: new Uint8Array(2), labels: null, classes: [] };
      new MapPanel(document.getElementById("map")).show({ type: "map", dim: 1, features: Float32Array.of(1, 1), ...images });
    })()`);
    await waitForText(".map .says", /^The map failed: A map needs at least 3 test images, got 2\./);
    expect(await page.$$eval(".map-legend button", (buttons) => buttons.length), "no classes").toBe(0);
  });
});

describe("files", () => {
  /** Asks for files, and reads what is behind the links. */
  async function files(button: string, row: string): Promise<Record<string, Uint8Array>> {
    await page.click(button);
    const links = `[data-made=${row}] a` as "a";
    await page.waitForSelector(links, { timeout: 120_000 });
    const found = await page.$$eval(links, (all) =>
      Promise.all(
        all.map(async ({ href, download }) => {
          const response = await fetch(href);
          return [download, [...new Uint8Array(await response.arrayBuffer())]] as const;
        }),
      ),
    );
    return Object.fromEntries(found.map(([name, bytes]) => [name, Uint8Array.from(bytes)]));
  }

  test("of a run that is paused hold what it is", async () => {
    await open();
    for (const what of ["encoder", "features", "arrays", "pytorch"])
      expect(await isDisabled(`[data-ask=${what}]`), what).toBe(true);
    expect(await isDisabled("#curves")).toBe(true);
    await page.click("#start");
    await waitForText("#stat-step", /^[1-9]\d* \//);
    await page.click("#start");
    await waitForText("#status", /^Paused\.$/);
    const step = await stepsDone();

    const encoder = readSafetensors(
      (await files("[data-ask=encoder]", "encoder"))[`moco-encoder-${step}.safetensors`]!,
    );
    expect(encoder.metadata).toMatchObject({ arch: "tinyGap", step: String(step) });
    expect(encoder.tensors["fc.weight"]!.shape).toEqual([16, 64]);

    const features = readSafetensors(
      (await files("[data-ask=features]", "features"))[`moco-features-${step}.safetensors`]!,
    );
    expect(features.tensors["features"]!.shape).toEqual([IMAGES, 16]);
    expect(JSON.parse(features.metadata["class_names"]!)).toEqual(FASHION_MNIST_CLASSES);
    const lengths = Array.from({ length: IMAGES }, (_, row) =>
      Math.hypot(...Array.from(features.tensors["features"]!.data.slice(16 * row, 16 * (row + 1)), Number)),
    );
    for (const length of lengths) expect(length).toBeCloseTo(1, 5);

    const arrays = await files("[data-ask=arrays]", "arrays");
    expect(Object.keys(arrays)).toEqual([`moco-features-${step}.npy`, `moco-labels-${step}.npy`]);
    expect(readNpy(arrays[`moco-features-${step}.npy`]!).data).toEqual(features.tensors["features"]!.data);
    expect(readNpy(arrays[`moco-labels-${step}.npy`]!).data).toEqual(features.tensors["labels"]!.data);

    const official = readOfficialCheckpoint((await files("[data-ask=pytorch]", "pytorch"))[`moco-${step}.pth.tar`]!);
    expect([official.arch, official.epoch]).toEqual(["tinyGap", Math.floor(step / Math.floor(400 / 32))]);
    expect(official.stateDict["queue"]!.shape).toEqual([16, 128]);
    expect(official.stateDict["encoder_q.fc.weight"]!.data).toEqual(encoder.tensors["fc.weight"]!.data);
    expect(Object.keys(official.optimizer!.state).length).toBeGreaterThan(5);

    const curves = new TextDecoder().decode((await files("#curves", "curves"))[`moco-curves-${step}.csv`]);
    const losses = await page.evaluate(() => window.flywheelDemo.losses());
    const lines = curves.trim().split("\n");
    expect(lines[0]).toBe("step,loss,contrast_accuracy,knn_accuracy,lr,ms_per_step");
    expect(lines.slice(1).map((line) => line.split(",").slice(0, 2).map(Number))).toEqual(losses);

    expect(await page.$$eval("[data-made] a", (links) => links.length)).toBe(6);
    await page.click("#reset");
    await page.click("#start");
    expect(await page.$$eval("[data-made] a", (links) => links.length), "they were of another run").toBe(0);
  });

  test("are made between two steps of a run that goes on", async () => {
    await open();
    await page.click("#start");
    await waitForText("#stat-step", /^[3-9]\d* \//);
    const [name] = Object.keys(await files("[data-ask=pytorch]", "pytorch"));
    const step = Number(/^moco-(\d+)\.pth\.tar$/.exec(name!)![1]);
    expect(step).toBeGreaterThan(2);
    await page.waitForFunction((least) => window.flywheelDemo.lossPoints() > least, { timeout: 60_000 }, step);
  });

  test("that were asked for of a run that is thrown away are given up", async () => {
    await open({ steps: 100_000, device: "cpu", batchSize: 64 });
    await page.click("#start");
    await waitForText("#stat-step", /^[1-9]\d* \//);
    await page.evaluate(() => {
      for (const button of ["[data-ask=encoder]", "[data-ask=map]", "#reset"])
        document.querySelector<HTMLElement>(button)!.click();
    });
    expect(await text("[data-made=encoder]")).toBe("Not made: the run ended before.");
    expect(await text(".map .says")).toBe("The map failed: the run ended before.");
  });
});
