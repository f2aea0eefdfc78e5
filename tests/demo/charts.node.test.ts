/**
 * Charts in a real browser. With a second value axis each side has its own scale, and the right axis its series' colour; over the same
 * steps, all show the one that is pointed at.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer";
import puppeteer from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DemoServer, serveDemo } from "../../scripts/serveDemo.mjs";
import { chromeArgs, ensureBrowser } from "../../scripts/setup.mjs";
import { writeTinyData } from "./tinyData";

const folder = mkdtempSync(join(tmpdir(), "flywheel-charts-"));
let server: DemoServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  writeTinyData(folder, { train: 8, test: 8 });
  server = await serveDemo({ data: folder, onEvent: () => undefined, built: false });
  browser = await puppeteer.launch({ executablePath: ensureBrowser(), args: chromeArgs(), pipe: true });
  page = await browser.newPage();
  await page.goto(new URL("momentum.html", server.url).href);
  await page.waitForFunction("window.flywheelMomentum");
});

afterAll(async () => {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Colours of the two series of a test, as variables of the page and as pixels. */
const COLORS = { "--left": "rgb(255, 0, 0)", "--right": "rgb(0, 0, 255)" };

interface Drawn {
  readonly axes: number;
  /** Highest and rightmost pixel of a colour, as shares of the canvas; null where there is none. */
  readonly left: { readonly top: number; readonly right: number } | null;
  readonly right: { readonly top: number; readonly right: number } | null;
}

/** Draws a series that falls from 10 and one that rises to 1000, and looks where their colours are. */
async function drawn(side: string | null): Promise<Drawn> {
  const script = `(async () => {
    const { Chart } = await import("/charts.ts");
    const figure = document.createElement("figure");
    figure.innerHTML = '<div class="legend"></div><div class="plot" style="width: 500px; height: 200px"></div>';
    document.body.append(figure);
    for (const [name, color] of Object.entries(${JSON.stringify(COLORS)})) document.documentElement.style.setProperty(name, color);
    const side = ${JSON.stringify(side)};
    const series = [{ label: "a", color: "--left" }, { label: "b", color: "--right", ...(side && { side }) }];
    const chart = new Chart(figure, { series, format: String, formatTick: String });
    chart.clear(10);
    for (let step = 1; step <= 10; step++) {
      chart.add(step, 0, 11 - step);
      chart.add(step, 1, 100 * step);
    }
    await new Promise((resolve) => setTimeout(resolve, 600)); // charts draw every 150 ms
    const canvas = figure.querySelector("canvas");
    const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const extent = (isIt) => {
      let [top, right] = [Infinity, -1];
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 128 || !isIt(data[i], data[i + 1], data[i + 2])) continue;
        top = Math.min(top, Math.floor(i / 4 / width) / height);
        right = Math.max(right, ((i / 4) % width) / width);
      }
      return right < 0 ? null : { top, right };
    };
    const answer = {
      axes: figure.querySelectorAll(".u-axis").length,
      left: extent((r, g, b) => r > 200 && g < 60 && b < 60),
      right: extent((r, g, b) => b > 200 && r < 60 && g < 60),
    };
    figure.remove();
    return answer;
  })()`;
  return (await page.evaluate(script)) as Drawn;
}

test.each([null, "left"])("a series of side %s shares the one axis", async (side) => {
  const { axes, left, right } = await drawn(side);
  expect(axes).toBe(2); // x and y
  expect(left!.top).toBeGreaterThan(0.7); // 10 of 1060 is next to the ground
  expect(right!.top).toBeLessThan(0.2);
});

test("a series on the right has a scale and an axis of its own, in its colour", async () => {
  const { axes, left, right } = await drawn("right");
  expect(axes).toBe(3);
  expect(left!.top).toBeLessThan(0.2); // both reach up
  expect(right!.top).toBeLessThan(0.2);
  expect(left!.right).toBeLessThan(0.93); // lines end where the axis begins
  expect(right!.right).toBeGreaterThan(0.93); // numbers beside the plot
});

test("charts over the same steps show the step that is pointed at in any of them", async () => {
  await page.setViewport({ width: 800, height: 1200 }); // room for all
  await page.evaluate(`(async () => {
    const { Chart } = await import("/charts.ts");
    window.charts = [1, 10, 100].map((factor) => {
      const figure = document.createElement("figure");
      figure.className = "in-step";
      figure.innerHTML = '<div class="legend"></div><div class="plot" style="width: 500px; height: 200px"></div>';
      document.body.prepend(figure);
      const chart = new Chart(figure, { series: [{ label: "a", color: "--left" }], format: String, formatTick: String });
      chart.clear(10);
      for (let step = factor === 100 ? 5 : 1; step <= 10; step++) chart.add(step, 0, factor * step);
      return figure;
    });
    await new Promise((resolve) => setTimeout(resolve, 600)); // charts draw every 150 ms
  })()`);
  const move = async (x: number, y: number): Promise<void> => {
    await page.mouse.move(x, y);
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  };
  const values = (): Promise<string[]> =>
    page.$$eval(".in-step .legend b", (places) => places.map((place) => place.textContent));
  const cursors = (): Promise<boolean[]> =>
    page.$$eval(".in-step .u-cursor-x", (lines) => lines.map((line) => !line.classList.contains("u-off")));
  expect(await values(), "the latest").toEqual(["1000", "100", "10"]);
  const plots = await page.$$(".in-step .u-over");
  for (const plot of plots) {
    const { x, y, width, height } = (await plot.boundingBox())!;
    await move(x + 0.7 * width, y + height / 2); // the axis is from 0 to 10
    expect(await values()).toEqual(["700", "70", "7"]);
    expect(await cursors()).toEqual([true, true, true]);
    await move(1, 1);
    expect(await values()).toEqual(["1000", "100", "10"]);
  }
  await page.evaluate("for (const figure of window.charts) figure.remove()");
});
