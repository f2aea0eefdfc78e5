/** The choice of images and recipe, in a real browser: files are opened and dropped as users do, and trained on. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CDPSession, ElementHandle, Page } from "puppeteer";
import { beforeAll, describe, expect, test } from "vitest";
import { presetFor } from "../../demo/recipes";
import type { RecipeName } from "../../demo/recipePresets.mjs";
import { demoBrowser, textsOf } from "./browserPage";
import { cifarFile } from "./tinyData";

const demo = demoBrowser({ train: 400, test: 200 });

let page: Page;
let client: CDPSession;

async function open(search = "", viewport = { width: 1360, height: 1200 }): Promise<void> {
  page = await demo.newPage(viewport);
  client = await page.createCDPSession();
  await page.goto(`${demo.server.url}?${search}`);
  await page.waitForFunction("window.flywheelDemo");
}

const text = (id: string): Promise<string> =>
  page.$eval(`#${id}`, (element) => element.textContent.replace(/\s+/g, " ").trim());
const form = (): Promise<Record<string, string>> =>
  page.$eval("#options", (element) => Object.fromEntries(new FormData(element as HTMLFormElement)) as never);
const state = (): Promise<string> => page.evaluate(() => window.flywheelDemo.session.state);
const losses = (): Promise<[number, number][]> => page.evaluate(() => window.flywheelDemo.losses());
const waitForText = (id: string, part: string): Promise<unknown> =>
  page.waitForFunction(
    (place, wanted) => document.getElementById(place)!.textContent.includes(wanted),
    { timeout: 60_000 },
    id,
    part,
  );
const done = (): Promise<unknown> =>
  page.waitForFunction(() => window.flywheelDemo.session.state === "done", { timeout: 120_000 });

/** Drops files and folders on the page, as from the desktop. */
async function drop(...paths: string[]): Promise<void> {
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await client.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
}

async function upload(field: string, ...paths: string[]): Promise<void> {
  await ((await page.$(`#${field}`)) as ElementHandle<HTMLInputElement>).uploadFile(...paths);
}

/** Types into the form. */
async function fill(values: Readonly<Record<string, string | number>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await page.$eval(
      `#options [name=${name}]`,
      (field, given) => {
        (field as HTMLInputElement).value = String(given);
        field.dispatchEvent(new Event("input", { bubbles: true }));
      },
      value,
    );
  }
}

/** A run that takes no time. */
const SMALL = { encoder: "tinyGap", batchSize: 8, queueSize: 16, dim: 16, device: "cpu" };

const cifarLabels = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 10);

/** Writes a file below the tests' folder. */
function write(path: string, bytes: Uint8Array | string): string {
  const file = join(demo.folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

/** Images of 20x10, as the browser makes them: a class each of reds and blues. */
async function writeImages(): Promise<void> {
  const blank = await demo.newPage({ width: 100, height: 100 });
  await blank.goto(demo.server.url);
  const files = await blank.evaluate(async () => {
    const made: [string, number[]][] = [];
    for (const [name, hue] of [
      ["red", 0],
      ["blue", 230],
    ] as const) {
      for (let i = 0; i < 12; i++) {
        const canvas = new OffscreenCanvas(20, 10);
        const context = canvas.getContext("2d")!;
        context.fillStyle = `hsl(${hue + 2 * i} 90% ${30 + 3 * i}%)`;
        context.fillRect(0, 0, 20, 10);
        const type = ["png", "jpeg", "webp"][i % 3]!;
        const blob = await canvas.convertToBlob({ type: `image/${type}` });
        made.push([`pets/${name}/${i}.${type}`, [...new Uint8Array(await blob.arrayBuffer())]]);
      }
    }
    return made;
  });
  for (const [path, bytes] of files) {
    write(path, Uint8Array.from(bytes));
    write(path.replace(/pets\/(\w+)\//, "loose/$1-"), Uint8Array.from(bytes));
  }
  await blank.close();
}

beforeAll(async () => {
  write("cifar/data_batch_1.bin", cifarFile(cifarLabels(40)));
  write("cifar/test_batch.bin", cifarFile(cifarLabels(20)));
  write("notes.txt", "no image");
  for (let i = 0; i < 16; i++) write(`broken/${i}.png`, "no image either");
  write("cut/data_batch_1.bin", cifarFile([1]).subarray(1));
  write("cut/test_batch.bin", cifarFile([1]));
  await writeImages();
});

/** Holds what folders list and what readers are told, until a test lets it go on. */
const HOLDING = `
  window.held = { lists: [], reads: [] };
  const { webkitGetAsEntry } = DataTransferItem.prototype;
  DataTransferItem.prototype.webkitGetAsEntry = function () {
    const entry = webkitGetAsEntry.call(this);
    if (!entry.isDirectory) return entry;
    const reader = entry.createReader();
    const readEntries = (...callbacks) => reader.readEntries(...callbacks);
    let isHeld = false;
    const readHeldEntries = (...callbacks) => {
      if (isHeld) return readEntries(...callbacks);
      isHeld = true;
      held.lists.push(() => readEntries(...callbacks));
    };
    return { isFile: false, createReader: () => ({ readEntries: readHeldEntries }) };
  };
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (...message) {
    held.reads.push(() => postMessage.apply(this, message));
  };
`;

/** Red, green and blue of the first pixel of each picture. */
const firstPixels = (selector: string): Promise<number[][]> =>
  page.$$eval(selector, (canvases) =>
    canvases.map((canvas) => [...(canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, 1, 1).data]),
  );

describe("images", () => {
  test("of CIFAR-10 are dropped, trained on in colour, and a run goes on with them only", async () => {
    await open();
    expect(await text("images-chosen")).toMatch(/^Fashion-MNIST, which comes with the page/);
    await drop(join(demo.folder, "cifar"));
    await waitForText("images-chosen", "CIFAR-10: 60 images, 32 by 32, colour, 10 classes; 40 to train on, 20 to test");
    expect(await form()).toMatchObject({ recipe: "cifar", encoder: "resnet8", batchSize: "40", queueSize: "40" });
    await fill({ ...SMALL, steps: 6, batchSize: 48, queueSize: 48 });
    expect(await text("status")).toBe("The batch size must be at most the 40 images to train on, got 48.");
    await fill({ batchSize: 8, queueSize: 16 });
    await page.click("#start");
    await done();
    expect(await text("status")).toMatch(/^Done: kNN accuracy went from/);
    expect(await text("explain-neighbours"), "no more than there are").toBe("40 nearest training images");
    expect(await page.$eval("#knn-title", (place) => (place as HTMLElement).title)).toContain(
      "by their 40 nearest training images",
    );
    const [first] = await firstPixels("#views canvas");
    expect(first, "label 0 in place 0").toEqual([0, 255, 0, 255]);
    expect(await page.$$eval("#neighbours th.query", (cells) => cells.map((cell) => cell.textContent))).toEqual([
      ...["airplane", "automobile", "bird", "cat", "deer", "dog"],
    ]);
    const whole = await losses();
    expect(whole).toHaveLength(6);

    await page.click("#start"); // again, with the same images; held in the middle
    await page.waitForFunction(() => window.flywheelDemo.lossPoints() >= 2, { timeout: 60_000 });
    await page.click("#start");
    await waitForText("status", "Paused.");
    await page.click("#save");
    await page.waitForFunction(() => document.querySelector("#saved a"), { timeout: 60_000 });
    await page.click("#reset");
    const bytes = await page.$eval("#saved a", async (link) => {
      const response = await fetch(link.href);
      return [...new Uint8Array(await response.arrayBuffer())];
    });
    const save = write("save.safetensors", Uint8Array.from(bytes));
    const saved = Number(/^Step (\d+)/.exec(await text("saved"))![1]);
    await page.click("#images-embedded");
    expect((await form())["recipe"], "the page's images have their own").toBe("fashionMnist");
    expect(await text("explain-neighbours")).toBe("200 nearest training images");
    await upload("open", save);
    await waitForText(
      "status",
      "a run on CIFAR-10 (40 to train on and 20 others, 32 by 32, colour), but the page has Fash",
    );
    expect(await state()).toBe("idle");

    await drop(join(demo.folder, "cifar/test_batch.bin"), join(demo.folder, "cifar/data_batch_1.bin"));
    await waitForText("images-chosen", "CIFAR-10: 60 images");
    await upload("open", save);
    await done();
    expect(await losses()).toEqual(whole.slice(saved));
    expect(await form()).toMatchObject({ recipe: "cifar", steps: "6" });
  });

  test("of a folder have its folders as classes, the size that is chosen, and every recipe trains on them", async () => {
    await open();
    await upload("images-folder", join(demo.folder, "pets"));
    const words = "24 images, 32 by 32, colour, 2 classes; 20 to train on, 4 to test with.";
    await waitForText("images-chosen", `Your own: ${words}`);
    expect(await text("images-told")).toMatch(/^They are normalised by their own mean \(0\.\d\d, 0\.\d\d, 0\.\d\d\)/);
    expect((await form())["recipe"]).toBe("v2");
    await page.select("#images-size", "48");
    await waitForText("images-chosen", words.replaceAll("32", "48"));
    await page.select("#images-size", "28");
    await waitForText("images-chosen", words.replaceAll("32", "28"));
    for (const recipe of ["v2", "v1", "cifar", "fashionMnist"] as RecipeName[]) {
      await page.select("#recipe", recipe);
      const filled = Object.entries(presetFor(recipe, 20, 8)).map(([name, value]) => [name, String(value)]);
      expect(await form()).toMatchObject(Object.fromEntries(filled));
      expect(await text("recipe-line")).not.toBe("");
      await fill({ ...SMALL, steps: 2 });
      await page.click("#start");
      await done();
      expect(await text("status"), recipe).toMatch(/^Done: kNN accuracy went from/);
      for (const [, loss] of await losses()) expect(loss).toBeGreaterThan(0);
    }
    expect(await page.$$eval("#neighbours tr", (rows) => rows.length), "all test images there are").toBe(4);
    await page.click("#probe");
    await waitForText("status", "The linear probe of step 2 classifies");
    await demo.screenshot(page, "own-images", { fullPage: true });
  });

  test("tell how far their reading is, and how long it will take", async () => {
    await open();
    const isShown = (): Promise<boolean> => page.$eval("#images-left", (place) => place.checkVisibility());
    expect(await isShown()).toBe(false);
    const texts = await textsOf(page, "#images-left");
    await upload("images-folder", join(demo.folder, "pets"));
    expect(await isShown()).toBe(true);
    await waitForText("images-chosen", "24 images");
    expect(await texts()).toEqual(expect.arrayContaining(["Reading", "Reading, about 0 s left"]));
    expect(await isShown()).toBe(false);
  });

  test("that the address asks for are opened first", async () => {
    await open("data=cifar10&recipe=v2");
    expect(await form()).toMatchObject({ recipe: "v2", temperature: "0.2" });
    await page.click("#start");
    expect(await text("status")).toMatch(/^The address asks for CIFAR-10: open or drop them/);
    expect(await text("images-told")).toBe(await text("status"));
    expect(await state()).toBe("idle");
    await page.focus("#images-embedded");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement!.id)).toBe("images-files");
    expect(await text("status")).toBe("Ready.");
    expect(await text("images-told")).toBe("");
  });

  test("without classes are trained on and shown, and not judged", async () => {
    await open();
    await drop(join(demo.folder, "loose"), join(demo.folder, "notes.txt"));
    await waitForText("images-chosen", "24 images, 32 by 32, colour, no classes; 20 to train on, 4 to test with.");
    expect(await text("images-told")).toMatch(/^Without classes \(a folder for each\) there is no kNN accuracy/);
    await fill({ ...SMALL, steps: 2 });
    await page.click("#start");
    await done();
    expect(await text("status")).toMatch(/^Done: the loss of the last steps is \d/);
    expect(await text("stat-knn")).toBe("–");
    expect(await page.$eval("#probe", (button) => (button as HTMLButtonElement).disabled)).toBe(true);
    expect(await page.$$eval("#neighbours tr", (rows) => rows.length)).toBe(4);
    expect(await page.$$eval("#neighbours .same, #neighbours .other, #neighbours small", (all) => all.length)).toBe(0);
  });

  test("leave what was typed or is in the address, and another recipe does not", async () => {
    await open("data=cifar10&steps=200");
    expect(await text("recipe-line")).toMatch(/^Ours for small grey images/);
    await page.select("#recipe", "v1");
    expect(await text("recipe-line"), "before there are images").toMatch(/^The first paper's/);
    expect(await text("status")).toMatch(/^The address asks for CIFAR-10/);

    await open("data=cifar10&recipe=fashionMnist");
    await drop(join(demo.folder, "cifar"));
    await waitForText("images-chosen", "CIFAR-10: 60 images");
    expect(await form()).toMatchObject({ recipe: "fashionMnist", encoder: "tinyFlat", steps: "300" });

    await open("data=cifar10&steps=200");
    await drop(join(demo.folder, "cifar"));
    await waitForText("images-chosen", "CIFAR-10: 60 images");
    expect(await form()).toMatchObject({ recipe: "cifar", encoder: "resnet8", batchSize: "40", steps: "200" });
    await fill({ lr: 0.5 });
    await drop(join(demo.folder, "pets"));
    await waitForText("images-chosen", "24 images, 32 by 32");
    await page.select("#images-size", "48");
    await waitForText("images-chosen", "24 images, 48 by 48");
    expect(await form()).toMatchObject({ recipe: "v2", batchSize: "16", temperature: "0.2", lr: "0.5", steps: "200" });
    await page.select("#recipe", "v1");
    expect(await form(), "its own numbers").toMatchObject({ temperature: "0.07", lr: "0.03", steps: "1000" });
    await page.click("#images-embedded");
    expect(await form()).toMatchObject({ recipe: "v1" });
  });

  test("are those that were chosen last, however long listing and reading take", async () => {
    page = await demo.newPage({ width: 1360, height: 1200 });
    client = await page.createCDPSession();
    await page.evaluateOnNewDocument(HOLDING);
    await page.goto(demo.server.url);
    await page.waitForFunction("window.flywheelDemo");
    const isReading = (): Promise<boolean> =>
      page.$eval("#images-progress", (progress) => !(progress as HTMLElement).hidden);
    const release = (what: "lists" | "reads", which: number): Promise<unknown> =>
      page.evaluate(`held.${what}.splice(${which}, 1)[0]()`);
    const heldUntil = (what: "lists" | "reads", count: number): Promise<unknown> =>
      page.waitForFunction(`held.${what}.length === ${count}`);

    await drop(join(demo.folder, "pets"));
    await heldUntil("lists", 1);
    expect(await isReading()).toBe(true);
    await page.click("#start");
    expect(await text("status")).toBe("Images are being read: wait until they are there.");
    await drop(join(demo.folder, "cifar"));
    await heldUntil("lists", 2);
    await release("lists", 1); // the later one is listed first
    await heldUntil("reads", 1);
    await release("lists", 0);
    await upload("images-files", join(demo.folder, "notes.txt"));
    await waitForText("images-told", "Got notes.txt.");
    expect(await isReading(), "a wrong file ends no reading").toBe(true);
    await page.select("#images-size", "48");
    await release("reads", 0);
    await waitForText("images-chosen", "CIFAR-10: 60 images, 32 by 32");
    expect(await isReading()).toBe(false);

    await upload("images-folder", join(demo.folder, "pets"));
    await heldUntil("reads", 1);
    await page.select("#images-size", "64"); // before they are read
    await heldUntil("reads", 2);
    await release("reads", 1);
    await waitForText("images-chosen", "Your own: 24 images, 64 by 64");
    await upload("images-folder", join(demo.folder, "loose"));
    await heldUntil("reads", 2);
    await page.select("#images-size", "28");
    await heldUntil("reads", 3);
    await release("reads", 2);
    await waitForText("images-chosen", "24 images, 28 by 28, colour, no classes");

    await drop(join(demo.folder, "cifar"));
    await heldUntil("lists", 1);
    await page.evaluate(() => window.flywheelDemo.session.start({} as never)); // by a script, which asks nobody
    await release("lists", 0);
    await waitForText("images-told", "press Reset first");
    expect(await text("images-chosen")).toMatch(/24 images/);
  });

  test("that are none change nothing, and are told", async () => {
    await open("recipe=v1");
    await upload(
      "images-files",
      join(demo.folder, "cifar/test_batch.bin"),
      join(demo.folder, "cifar/data_batch_1.bin"),
    );
    await waitForText("images-chosen", "CIFAR-10: 60 images");
    expect((await form())["recipe"], "it is the user's").toBe("v1");
    const chosen = await text("images-chosen");
    const refused = async (sentence: string, ...paths: string[]): Promise<void> => {
      await drop(...paths.map((path) => join(demo.folder, path)));
      await waitForText("images-told", sentence);
      expect(await text("images-chosen")).toBe(chosen);
    };
    await refused("and test_batch.bin. Got notes.txt.", "notes.txt");
    await refused("test_batch.bin, together; got data_batch_1.bin.", "cifar/data_batch_1.bin");
    await refused("got 3072 bytes of data_batch_1.bin.", "cut");
    await refused("some file must be an image, got none of 16", "broken");
    await refused("A training needs at least 16 images, got 2.", "loose/red-0.png", "loose/red-1.jpeg");
    await fill({ ...SMALL, steps: 100_000 });
    await page.click("#start");
    await page.waitForFunction(() => window.flywheelDemo.session.state === "running");
    await refused("press Reset first", "loose");
    expect(await page.$eval("#images-folder", (field) => field.matches(":disabled"))).toBe(true);
  });

  test.each([
    ["desktop", 1360],
    ["phone", 390],
  ])("fit a %s, in light and dark", async (name, width) => {
    await open("", { width, height: 900 });
    await drop(join(demo.folder, "pets"));
    await waitForText("images-chosen", "24 images");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await demo.screenshot(page, `images-${name}-${scheme}`, { fullPage: true });
    }
  });
});
