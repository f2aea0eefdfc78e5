/** The page "Momentum" in a real browser: every control does something, by keyboard too, and it fits every screen. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ElementHandle, Page } from "puppeteer";
import { describe, expect, test } from "vitest";
import { build, preview } from "vite";
import { root } from "../../scripts/setup.mjs";
import { demoBrowser } from "./browserPage";

const demo = demoBrowser({ train: 8, test: 8 });
const DESKTOP = { width: 1360, height: 900 };
const PHONE = { width: 360, height: 780 };

let page: Page;

async function open(
  path = "momentum.html",
  { viewport = DESKTOP, features = {} }: { viewport?: typeof DESKTOP; features?: Record<string, string> } = {},
): Promise<void> {
  page = await demo.newPage(viewport);
  await page.emulateMediaFeatures(Object.entries(features).map(([name, value]) => ({ name, value })));
  await page.goto(new URL(path, demo.server.url).href);
  await settle();
}

/** Waits until all is computed and drawn. */
async function settle(): Promise<void> {
  await page.waitForFunction("window.flywheelMomentum");
  await page.evaluate(async () => {
    await window.flywheelMomentum.whenIdle();
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  });
}

const text = (selector: string): Promise<string> => page.$eval(selector, (element) => element.textContent);
const valueOf = (selector: string): Promise<string> =>
  page.$eval(selector, (field) => (field as HTMLInputElement).value);
const picturesOf = (figure: string): Promise<string> =>
  page.$$eval(`#${figure} canvas`, (all) => all.map((canvas) => canvas.toDataURL()).join());
const waitForSearch = (search: string): Promise<unknown> =>
  page.waitForFunction((wanted) => location.search === wanted, {}, search);

/** Opens what a figure folds away, by keyboard, and waits until its pictures have their new size. */
async function unfold(figure: string): Promise<void> {
  const summary = await page.$(`#${figure} summary`);
  if (!summary) return;
  await summary.focus();
  await page.keyboard.press("Enter");
  expect(await isOpen(figure)).toBe(true);
  await settle();
}

const isOpen = (figure: string): Promise<boolean> => page.$eval(`#${figure} details`, (details) => details.open);

/** Texts and values of what shows a figure's loss: title, formulas, and the numbers that its controls have. */
const lossOf = (figure: string): Promise<string[]> =>
  page.$$eval(`#${figure} :is(h2, h3, .about p:not([hidden]), .shape .control:not([hidden]) output)`, (all) =>
    all.map((each) => each.textContent.replaceAll(/\s+/g, " ").trim()),
  );

/** Changes a control as a user without a mouse does. */
async function nudge(control: ElementHandle<HTMLInputElement | HTMLSelectElement>): Promise<void> {
  const type = await control.evaluate((field) => field.type);
  await control.focus();
  if (type !== "select-one") await page.keyboard.press(type === "checkbox" ? "Space" : "ArrowRight");
  else await control.select(await control.evaluate((field) => (field as HTMLSelectElement).options[0]!.value));
  if (type === "select-one" && (await control.evaluate((field) => (field as HTMLSelectElement).name)) === "loss")
    await control.select("ravine");
}

describe("the figures", () => {
  test("show the text's numbers", async () => {
    await open();
    expect(await text("#weights-sum")).toBe("(1 − 0.9) · (1 + 0.9 + … + 0.999) = 0.9999734386 = 1 − 0.9100"); // exponents
    expect(await page.$$eval("#sgd tbody tr", (rows) => rows.map((row) => row.textContent))).toEqual([
      "lr 0.01, μ 0.9−0.009713.77e−4100",
      "lr 0.032.41e−122.33e−2320",
      "lr 0.014.78e−49.16e−764",
    ]);
    expect(await text("#forms tbody tr:first-child")).toMatch(
      /^up to iteration 30\d\.\d+e−1[5-7]$|^up to iteration 300$/,
    );
    expect(await text("#forms .says")).toBe("The same way up to iteration 30; then they part by up to 0.43.");
    expect(await text("#hill .says")).toMatch(/^Plain .* shallow valley.*Momentum .* deep valley/);
    expect(await text("#surface .says")).toMatch(/^Plain descent ends at \(0\.9.*Momentum ends at \(−1\.1/);
  });

  test.each([
    ["sgd.lr=0.2&sgd.momentum=0", "#sgd", "With μ 0, x swings across 0 in these 100 iterations."],
    ["sgd.lr=0.26&sgd.momentum=0", "#sgd", "With μ 0, x diverges: it swings ever wider, to 4400 at iteration 100."],
    [
      "sgd.lr=0.02&sgd.momentum=0.5&sgd.dampening=0.9",
      "#sgd",
      "With μ 0.5, x stays on one side of 0 in these 100 iterations.",
    ],
    [
      "sgd.lr=0.05&sgd.momentum=0.2",
      "#sgd",
      "x swings across 0 in these 100 iterations. At this rate swings begin above μ = (1 − √(8 lr))² = 0.135.",
    ],
    [
      "sgd.a=3&sgd.lr=0.02&sgd.momentum=0.2",
      "#sgd",
      "x swings across 0 in these 100 iterations. At this rate swings begin above μ = (1 − √(18 lr))² = 0.16.",
    ],
    ["hill.tilt=-0.3", "#hill", "Plain descent ends at w = 1.48, in the deep valley; its loss is −1.43."],
    ["hill.walls=0.5&hill.top=0&hill.tilt=1", "#hill", "in the only valley"],
    [
      "hill.lr=0.001&hill.start=2.4&hill.iterations=20",
      "#hill",
      "Plain descent ends at w = 2.24, still on the slope; its loss is 1.93.",
    ],
  ])("say of ?%s what %s shows", async (search, figure, words) => {
    await open(`momentum.html?${search}`);
    const says = await text(`${figure} .says`);
    expect(says).toContain(words);
    if (figure === "#sgd") expect(says.endsWith(words)).toBe(true); // and no border beside it
  });

  test.each(["averages", "sgd", "forms", "hill", "surface"])(
    "%s: every control changes the picture and the address, and Reset takes it back",
    async (figure) => {
      await open();
      await unfold(figure);
      const before = { pictures: await picturesOf(figure), says: await text(`#${figure} .says`) };
      const controls = await page.$$(`#${figure} .controls :is(input, select)`);
      expect(controls.length).toBeGreaterThan(3);
      for (const control of controls) {
        const name = await control.evaluate((field) => field.name);
        const handle = control;
        const isOther = await control.evaluate((field) => field.closest<HTMLElement>(".control")!.hidden);
        if (isOther) await page.select("#surface-loss", "ravine");
        await settle();
        const pictures = isOther ? await picturesOf(figure) : before.pictures;
        const loss = await lossOf(figure);
        const outputs = await page.$$eval(`#${figure} .controls output`, (all) => all.map((each) => each.textContent));
        await nudge(handle);
        await settle();
        expect(await picturesOf(figure), `pictures after ${name}`).not.toBe(pictures);
        if (await control.evaluate((field) => field.closest("details") !== null))
          expect((await lossOf(figure)).filter((each, i) => each !== loss[i]).length, name).toBeGreaterThan(1);
        await page.waitForFunction((part) => location.search.includes(part), {}, `${figure}.${name}=`);
        if ((await handle.evaluate((field) => field.type)) === "range") {
          const now = await page.$$eval(`#${figure} .controls output`, (all) => all.map((each) => each.textContent));
          expect(now, `values after ${name}`).not.toEqual(outputs);
        }
        await page.click(`#${figure} .reset`);
        await settle();
        await waitForSearch("");
        expect(await text(`#${figure} .says`), `words after Reset of ${name}`).toBe(before.says);
      }
      await page.mouse.move(0, 0);
      await page.focus(`#${figure} .reset`);
      await settle();
      expect(await picturesOf(figure)).toBe(before.pictures);
    },
  );

  test("take their settings from the address, and what is none is left out", async () => {
    await open(
      "momentum.html?sgd.lr=0.02&sgd.dampening=0.5&sgd.nesterov=true&forms.change=9999&hill.start=x&surface.loss=toString#surface",
    );
    expect(await valueOf("#sgd-lr")).toBe("0.02");
    expect(await page.$eval("#sgd-nesterov", (field) => (field as HTMLInputElement).checked)).toBe(true);
    expect(await page.$eval("#sgd-dampening", (field) => (field as HTMLInputElement).disabled)).toBe(true);
    expect(await text("#sgd tbody th")).toBe("lr 0.02, μ 0.9");
    expect(await valueOf("#forms-change")).toBe("150"); // its end
    expect(await text("#forms .says")).toBe("The rate stays as it is: both forms go the same way.");
    expect(await valueOf("#hill-start")).toBe("2.2");
    expect(await valueOf("#surface-loss")).toBe("dents");
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(1000);
  });

  test.each([
    ["sgd", "", ["a"]],
    ["forms", "", ["a"]],
    ["hill", "", ["walls", "top", "tilt"]],
    ["surface", "", ["bowl", "depth1", "width1", "x1", "y1", "depth2", "width2", "x2", "y2"]],
    ["surface", "?surface.loss=ravine", ["along", "across"]],
  ])("%s%s: shapes of the loss are in the link, and come back from it", async (figure, search, names) => {
    await open(`momentum.html${search}`);
    expect(await isOpen(figure)).toBe(false);
    await unfold(figure);
    const shown = await page.$$eval(`#${figure} .shape .control:not([hidden]) input`, (all) =>
      all.map((input) => input.name),
    );
    expect(shown).toEqual(names);
    const first = await lossOf(figure);
    for (const [i, name] of names.entries()) {
      await page.focus(`#${figure}-${name}`);
      for (let press = 0; press < 3 + i; press++) await page.keyboard.press(i % 2 ? "ArrowLeft" : "ArrowRight");
    }
    await settle();
    const kept = { name: `${figure}.${names.at(-1)!}`, value: await valueOf(`#${figure}-${names.at(-1)!}`) };
    await page.waitForFunction(({ name, value }) => new URLSearchParams(location.search).get(name) === value, {}, kept);
    const seen = async (): Promise<unknown> => ({
      loss: await lossOf(figure),
      spoken: await page.$$eval(`#${figure} .shape input`, (all) => all.map((input) => input.ariaValueText)),
      says: await text(`#${figure} .says`),
      pictures: await picturesOf(figure),
    });
    const wanted = await seen();
    const changed = await lossOf(figure);
    expect(changed.filter((each, i) => each !== first[i]).length).toBeGreaterThan(names.length);
    await open(page.url());
    expect(await isOpen(figure)).toBe(true);
    expect(await seen()).toEqual(wanted);
    await page.click(`#${figure} .reset`);
    if (search) await page.select("#surface-loss", "ravine");
    expect(await lossOf(figure)).toEqual(first);
    await settle();
  });

  test("have no shapes that their sliders have not", async () => {
    await open(
      "momentum.html?sgd.a=99&forms.a=x&hill.walls=0&hill.tilt=NaN&hill.top=0.51" +
        "&surface.depth1=-3&surface.width2=0.453&surface.across=&surface.x1=1e400",
    );
    const values = { "sgd-a": "4", "forms-a": "2", "hill-walls": "0.2", "hill-tilt": "0.3", "hill-top": "0.5" };
    const surface = { "surface-depth1": "0", "surface-width2": "0.46", "surface-across": "15", "surface-x1": "-1.2" };
    for (const [id, value] of Object.entries({ ...values, ...surface }))
      expect(await valueOf(`#${id}`), id).toBe(value);
    expect(await Promise.all(["sgd", "forms", "hill", "surface"].map(isOpen))).toEqual([true, false, true, true]);
    expect(await text("#sgd h2")).toBe("SGD on y = (4x)2");
    expect(await text("#sgd .about p")).toContain("The gradient, 32x, comes");
    expect(await text("#forms h3")).toBe("w by iteration, on (2w)2");
  });

  test.each(["true", "false"])("stay whole where x leaves all numbers, log scale: %s", async (log) => {
    await open(
      `momentum.html?sgd.a=4&sgd.lr=0.26&sgd.momentum=0.99&sgd.nesterov=true&sgd.iterations=300&sgd.log=${log}`,
    );
    expect(await text("#sgd .says")).toMatch(
      /^First within .* With μ 0.99, x diverges: at iteration 26\d it is beyond/,
    );
    expect(await page.$$eval("#sgd tbody tr", (rows) => rows.map((row) => row.textContent))).toEqual([
      "lr 0.26, μ 0.99too largetoo largenot yet",
      "lr 0.03002", // 0.04^300 is 0
      "lr 0.264.51e259too largenot yet", // (1 - 32 * 0.26)^300
    ]);
    const before = await picturesOf("sgd");
    await page.focus("#sgd-lr");
    await page.keyboard.press("Home");
    await settle();
    expect(await picturesOf("sgd")).not.toBe(before);
  });

  test("draw both ways of a ravine that throws them out of the picture", async () => {
    await open("momentum.html?surface.loss=ravine&surface.across=30&surface.lr=0.07");
    const counts = await page.$eval("#surface canvas", (element) => {
      const canvas = element;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const colors = Array.from({ length: data.length / 4 }, (_, i) => [...data.subarray(4 * i, 4 * i + 3)]);
      const most = (strong: number, others: readonly number[]): number =>
        colors.filter((color) => others.every((other) => color[strong]! > color[other]! + 60)).length;
      return { red: most(0, [1, 2]), green: most(1, [0]) };
    });
    expect(counts.red, "momentum").toBeGreaterThan(500);
    expect(counts.green, "plain descent").toBeGreaterThan(500);
  });

  test.each([
    "",
    "hill.walls=0.5&hill.top=0",
    "hill.walls=0.5&hill.top=0&hill.tilt=1",
    "hill.walls=0.2&hill.top=1.5",
    "hill.walls=0.2&hill.top=1.5&hill.tilt=-1",
    "hill.walls=0.2&hill.top=1.5&hill.tilt=0",
  ])("show the whole hill that a ball may start from: ?%s", async (search) => {
    await open(`momentum.html?${search}`);
    const [highest, lowest] = await page.$eval("#hill canvas", (element) => {
      const canvas = element;
      const { data, width, height } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const tops: number[] = []; // where the ground begins, by column, as a share of the height
      for (let x = Math.round(0.02 * width); x < 0.98 * width; x++) {
        let y = height;
        while (y > 0 && data[4 * ((y - 1) * width + x) + 3]! > 0) y--;
        tops.push(y / height);
      }
      return [Math.min(...tops), Math.max(...tops)];
    });
    expect(highest).toBeGreaterThan(0.02);
    expect(highest).toBeLessThan(0.12);
    expect(lowest).toBeGreaterThan(0.85);
    expect(lowest).toBeLessThan(0.95);
  });

  test("are shared by a link", async () => {
    await open("momentum.html?sgd.lr=0.02");
    const { origin } = new URL(demo.server.url);
    await demo.browser
      .defaultBrowserContext()
      .setPermission(
        origin,
        ...["clipboard-read", "clipboard-write"].map((name) => ({ permission: { name }, state: "granted" as const })),
      );
    await page.bringToFront();
    await page.focus("#forms-factor");
    await page.keyboard.press("End");
    await page.click("#forms .share");
    await page.waitForFunction(() => document.querySelector("#forms .share")!.textContent === "Copied");
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toBe(`${origin}/momentum.html?forms.factor=3#forms`);
  });
});

describe.each([
  ["hill", 150],
  ["surface", 120],
])("the balls of %s", (figure, length) => {
  const iteration = (): Promise<string> => text(`#${figure} .player output`);
  const state = (): Promise<string | undefined> => page.evaluate(() => document.body.dataset["state"]);

  test("play, pause and step", async () => {
    await open();
    expect(await iteration()).toBe(`${length} / ${length}`);
    const atEnd = await picturesOf(figure);

    await page.click(`#${figure} .play`);
    expect(await text(`#${figure} .play`)).toBe("Pause");
    expect(await state()).toBe("running");
    await page.waitForFunction(
      (selector) => {
        const now = parseInt(document.querySelector(selector)!.textContent);
        return now > 3 && now < 100;
      },
      {},
      `#${figure} .player output`,
    );
    await page.focus(`#${figure} .play`);
    await page.keyboard.press("Enter");
    expect(await text(`#${figure} .play`)).toBe("Play");
    expect(await state()).toBe("done");
    await settle();
    const paused = { at: parseInt(await iteration()), picture: await picturesOf(figure) };
    expect(paused.picture).not.toBe(atEnd);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(parseInt(await iteration())).toBe(paused.at);

    await page.click(`#${figure} .step`);
    await settle();
    expect(await iteration()).toBe(`${paused.at + 1} / ${length}`);
    expect(await picturesOf(figure)).not.toBe(paused.picture);

    await page.focus(`#${figure} .player input`);
    await page.keyboard.press("End");
    await page.mouse.move(0, 0);
    await settle();
    expect(await picturesOf(figure)).toBe(atEnd);
    await page.click(`#${figure} .step`);
    expect(await iteration()).toBe(`1 / ${length}`);
  });

  test("start where the user clicks, or moves them with arrow keys", async () => {
    await open();
    const canvas = (await page.$(`#${figure} canvas`))!;
    await canvas.scrollIntoView();
    const { x, y, width, height } = (await canvas.boundingBox())!;
    await page.mouse.click(x + width / 4, y + height / 4);
    await settle();
    const start = figure === "hill" ? ["-1.25"] : ["-1.5", "1.15"]; // a quarter in from the left and from the top
    const names = figure === "hill" ? ["start"] : ["x", "y"];
    const values = (): Promise<string[]> => Promise.all(names.map((name) => valueOf(`#${figure}-${name}`)));
    expect(await values()).toEqual(start);
    const clicked = await picturesOf(figure);

    await page.focus(`#${figure} canvas`);
    await page.keyboard.press("ArrowRight");
    if (figure === "surface") await page.keyboard.press("ArrowDown");
    await settle();
    expect(await values()).toEqual(figure === "hill" ? ["-1.2"] : ["-1.45", "1.1"]);
    expect(await picturesOf(figure)).not.toBe(clicked);
  });

  test("take the arrow keys that move them, and leave the page those that do not", async () => {
    await open();
    await page.focus(`#${figure} canvas`);
    await page.evaluate(() => {
      const taken: string[] = [];
      addEventListener("keydown", (event) => event.defaultPrevented && taken.push(event.key));
      Object.assign(window, { taken });
    });
    for (const key of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"] as const) await page.keyboard.press(key);
    const sideways = ["ArrowLeft", "ArrowRight"];
    expect(await page.evaluate("window.taken")).toEqual(
      figure === "hill" ? sideways : ["ArrowUp", "ArrowDown", ...sideways],
    );
    await page.keyboard.down("Shift");
    for (let press = 0; press < 12; press++) await page.keyboard.press("ArrowRight");
    await page.keyboard.up("Shift");
    await page.evaluate("window.taken.length = 0");
    await page.keyboard.press("ArrowRight"); // at the end there is nothing to move
    expect(await page.evaluate("window.taken")).toEqual([]);
    await settle();
  });

  test("can be dragged by touch in each direction that moves them", async () => {
    await open();
    expect(await page.$eval(`#${figure} canvas`, (canvas) => getComputedStyle(canvas).touchAction)).toBe(
      figure === "hill" ? "pan-y" : "none",
    );
  });

  test("do not move where the user wants no motion", async () => {
    await open("momentum.html", { features: { "prefers-reduced-motion": "reduce" } });
    await page.click(`#${figure} .step`);
    expect(await iteration()).toBe(`1 / ${length}`);
    await page.click(`#${figure} .play`);
    expect(await iteration()).toBe(`${length} / ${length}`);
    expect(await text(`#${figure} .play`)).toBe("Play");
    expect(await state()).toBe("done");
  });
});

describe("the page", () => {
  test("stays responsive while sliders move", async () => {
    await open();
    await page.focus("#averages-noise");
    const gaps = page.evaluate(
      () =>
        new Promise<number[]>((resolve) => {
          const found: number[] = [];
          let last = performance.now();
          const tick = (): void => {
            const now = performance.now();
            found.push(now - last);
            last = now;
            if (found.length < 150) setTimeout(tick, 10);
            else resolve(found);
          };
          setTimeout(tick, 10);
        }),
    );
    for (let i = 0; i < 20; i++) await page.keyboard.press(i % 2 === 0 ? "ArrowRight" : "ArrowLeft");
    const sorted = (await gaps).sort((a, b) => a - b);
    expect(sorted[Math.floor(0.95 * sorted.length)], "19 of 20 gaps in ms").toBeLessThan(100);
    expect(sorted.at(-1), "longest gap in ms").toBeLessThan(500);
  });

  test.each([
    ["desktop", DESKTOP, "light"],
    ["desktop", DESKTOP, "dark"],
    ["tablet", { width: 820, height: 1100 }, "light"],
    ["phone", PHONE, "light"],
    ["phone", PHONE, "dark"],
    ["desktop-unfolded", DESKTOP, "light"],
    ["phone-unfolded", PHONE, "light"],
    ["phone-unfolded", PHONE, "dark"],
  ])("fits a %s without scrolling sideways", async (name, viewport, scheme) => {
    const search = name.endsWith("unfolded")
      ? "sgd.a=3.3&forms.a=1.7&hill.walls=0.31&hill.top=1.25&hill.tilt=-0.35&surface.bowl=0.12&surface.width2=0.98&surface.x2=1.35"
      : "surface.loss=ravine&surface.lr=0.06&surface.momentum=0.6&surface.x=-2.6&surface.y=1.4";
    await open(`momentum.html?${search}`, {
      viewport,
      features: { "prefers-color-scheme": scheme },
    });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
    const cut = await page.$$eval("main :is(p, h2, h3, label, summary, button, output, td, th, select)", (elements) =>
      elements
        .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
        .map((each) => each.outerHTML),
    );
    expect(cut, "texts wider than their boxes").toEqual([]);
    await demo.screenshot(page, `momentum-${name}-${scheme}`, { fullPage: true });
  });

  test("follows the system's light and dark, pictures too", async () => {
    await open();
    const light = await picturesOf("surface");
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    await settle();
    expect(await picturesOf("surface")).not.toBe(light);
  });

  test("names every control, and each name once a figure", async () => {
    await open();
    const names = await page.$$eval("button, input, select, [role=img], canvas[role], form, nav", (elements) =>
      elements.map((element) => {
        const label = (element as HTMLInputElement).labels?.[0]?.textContent;
        const own = element.matches("button") ? element.textContent : null;
        const figure = element.closest("section")?.id ?? "";
        return `${figure}: ${(element.ariaLabel ?? label ?? own ?? "").trim()}`;
      }),
    );
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => /: $/.test(name))).toEqual([]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test("and the first one lead to each other", async () => {
    await open();
    expect(await text(".pages [aria-current]")).toBe("Momentum");
    await Promise.all([page.waitForNavigation(), page.click(".pages a:first-child")]);
    await page.waitForFunction("window.flywheelDemo");
    expect(await text(".pages [aria-current]")).toBe("MoCo");
    await Promise.all([page.waitForNavigation(), page.click(".pages a:nth-child(2)")]);
    await settle();
    expect(await page.title()).toBe("flywheel: momentum, live");
  });

  test("is in the build", async () => {
    const outDir = join(demo.folder, "dist");
    const configFile = join(root, "vite.config.ts");
    await build({ configFile, logLevel: "error", build: { outDir, copyPublicDir: false } });
    expect(readFileSync(join(outDir, "index.html"), "utf8")).toContain("MoCo in the browser");
    const built = await preview({ configFile, logLevel: "error", build: { outDir }, preview: { host: "127.0.0.1" } });
    try {
      await open(new URL("momentum.html", built.resolvedUrls!.local[0]).href);
      expect(await text("#weights-sum b")).toBe("0.9999734386");
    } finally {
      await built.close();
    }
  });
});
