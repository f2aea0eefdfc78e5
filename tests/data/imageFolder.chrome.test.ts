/** Folders of images, drawn on the page: what is decoded, cut, numbered, and what is not read. */

import { data, ValueError } from "flywheel";
import { describe, expect, test, vi } from "vitest";

const { loadImageFolder, openImages, packImageFolder, writeImages } = data;

/** A PNG; `paint` fills rectangles `[left, top, width, height]` with colours, on nothing. */
async function png(
  width: number,
  height: number,
  paint: [string, number, number, number, number][],
  type = "image/png",
): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  for (const [colour, ...rectangle] of paint) {
    context.fillStyle = colour;
    context.fillRect(...rectangle);
  }
  return canvas.convertToBlob({ type, quality: 1 });
}

const plain = (colour: string, type?: string): Promise<Blob> => png(6, 6, [[colour, 0, 0, 6, 6]], type);

const bytesOf = async (file: Blob): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

/** Colours of pixel 0 of each image. */
const firstPixels = ({ images, count, height, width, channels }: data.LabeledImages): number[][] =>
  Array.from({ length: count }, (_, image) =>
    Array.from({ length: channels }, (_, channel) => images[(image * channels + channel) * height * width]!),
  );

describe("loadImageFolder", () => {
  test("reads images in the order of their paths, with the folder as the class", async () => {
    const files = [
      { path: "set/zebra/1.png", file: await plain("#ff0000") },
      { path: "set/ant/b.jpeg", file: await plain("#00ff00", "image/jpeg") },
      { path: "set/ant/a.png", file: await plain("#0102ff") },
      { path: "set/ant/.DS_Store", file: new Blob(["x"]) },
    ];
    const progress: number[] = [];
    const options = { size: 2, parallel: 2, onProgress: (done: number, of: number) => progress.push(done / of) };
    const found = await loadImageFolder(files, options);
    expect(found).toMatchObject({
      count: 3,
      channels: 3,
      height: 2,
      width: 2,
      classNames: ["ant", "zebra"],
      unread: [],
    });
    expect(found.paths).toEqual(["set/ant/a.png", "set/ant/b.jpeg", "set/zebra/1.png"]);
    expect([...found.labels]).toEqual([0, 0, 1]);
    expect(found.images).toHaveLength(3 * 3 * 4);
    const [blue, green, red] = firstPixels(found) as [number[], number[], number[]];
    expect(blue).toEqual([1, 2, 255]);
    expect(red).toEqual([255, 0, 0]);
    green.forEach((value, channel) => expect(Math.abs(value - [0, 255, 0][channel]!)).toBeLessThan(4)); // JPEG
    expect(progress.toSorted((a, b) => a - b)).toEqual([1 / 3, 2 / 3, 1]);

    const again = await loadImageFolder(files.toReversed(), { size: 2, parallel: 1 });
    expect(again).toEqual(found);
  });

  test("takes what a directory input gives", async () => {
    const file = new File([await plain("#ffffff")], "x.png");
    Object.defineProperty(file, "webkitRelativePath", { value: "mine/cats/x.png" });
    const { classNames, paths } = await loadImageFolder([file, new File([await plain("#000")], "y.png")], { size: 4 });
    expect(classNames).toEqual(["", "cats"]);
    expect(paths).toEqual(["mine/cats/x.png", "y.png"]);
  });

  test.each([
    ["wide", 12, 4],
    ["tall", 4, 12],
  ])("cuts the middle out of a %s image", async (_, width, height) => {
    const [left, top] = [(width - 4) / 2, (height - 4) / 2];
    // white all around; the middle has a row of red above blue
    const file = await png(width, height, [
      ["#ffffff", 0, 0, width, height],
      ["#ff0000", left, top, 4, 2],
      ["#0000ff", left, top + 2, 4, 2],
    ]);
    const { images } = await loadImageFolder([{ file, path: "a/b.png" }], { size: 4 });
    const rows = (first: number, last: number): number[] =>
      [first, first, last, last].flatMap((value) => new Array<number>(4).fill(value));
    expect([...images]).toEqual([...rows(255, 0), ...rows(0, 0), ...rows(0, 255)]);
  });

  test("scales down by what lies there, not by single pixels", async () => {
    const stripes = Array.from({ length: 32 }, (_, i): [string, number, number, number, number] => [
      i % 2 === 0 ? "#000000" : "#ffffff",
      i,
      0,
      1,
      32,
    ]);
    const { images } = await loadImageFolder([{ file: await png(32, 32, stripes), path: "a/b.png" }], { size: 4 });
    for (const value of images) expect(Math.abs(value - 127.5)).toBeLessThan(40);
  });

  test("grey is a plane, and transparency lies on black", async () => {
    const files = [
      { path: "a/1.png", file: await plain("#ff8000") },
      { path: "a/2.png", file: await png(4, 4, []) },
    ];
    const found = await loadImageFolder(files, { size: 3, channels: 1 });
    // 0.299 * 255 + 0.587 * 128
    expect(firstPixels(found)).toEqual([[151], [0]]);
    expect(found.images).toHaveLength(2 * 9);
  });

  test("tells which files it could not read, and why", async () => {
    const files = [
      { path: "a/good.png", file: await plain("#123456") },
      { path: "a/broken.png", file: (await plain("#123456")).slice(0, 40) },
      { path: "a/notes.txt", file: new Blob(["hello"]) },
    ];
    const { count, unread, paths } = await loadImageFolder(files, { size: 2 });
    expect([count, paths]).toEqual([1, ["a/good.png"]]);
    expect(unread.map(({ path }) => path)).toEqual(["a/broken.png", "a/notes.txt"]);
    for (const { reason } of unread) expect(reason).toMatch(/decode/);
    await expect(loadImageFolder(files.slice(2), { size: 2 })).rejects.toThrow(/got none of 1; a\/notes.txt: .*decode/);
    await expect(loadImageFolder([], { size: 2 })).rejects.toThrow("got none of 0. Pick another folder.");
  });

  test("what the browser cannot draw is a file that was not read", async () => {
    const files = ["a/1.png", "a/2.png", "a/3.png"].map(async (path) => ({ path, file: await plain("#123456") }));
    // the first of each is that of a canvas which is tried before any file
    const own = new OffscreenCanvas(2, 2).getContext("2d")!;
    const context = vi
      .spyOn(OffscreenCanvas.prototype, "getContext")
      .mockReturnValueOnce(own as never)
      .mockReturnValueOnce(null);
    const white = new ImageData(new Uint8ClampedArray(4).fill(255), 1, 1);
    const pixels = vi.spyOn(OffscreenCanvasRenderingContext2D.prototype, "getImageData");
    pixels.mockReturnValueOnce(white).mockImplementationOnce(() => {
      throw new RangeError("Out of memory at ImageData creation");
    });
    try {
      const { count, paths, unread } = await loadImageFolder(await Promise.all(files), { size: 2, parallel: 1 });
      expect([count, paths]).toEqual([1, ["a/3.png"]]);
      expect(unread.map(({ path }) => path)).toEqual(["a/1.png", "a/2.png"]);
      expect(unread[0]!.reason).toContain("must give a canvas of 2 by 2, got none.");
      expect(unread[1]!.reason).toBe("Out of memory at ImageData creation");
    } finally {
      context.mockRestore();
      pixels.mockRestore();
    }
    // no canvas is as large as that
    await expect(loadImageFolder(await Promise.all(files), { size: 100_000 })).rejects.toThrow(
      /^loadImageFolder: size must be one that the browser draws, got 100000/,
    );
  });

  test("decodes no image that says it has too many pixels", async () => {
    const types = ["image/png", "image/jpeg", "image/webp"];
    const files = await Promise.all(
      types.map(async (type, i) => ({ path: `a/${i}`, file: await png(6, 7, [["#ff0000", 0, 0, 6, 7]], type) })),
    );
    const head = Uint8Array.from([
      ...(await bytesOf(files[0]!.file)).subarray(0, 16),
      0,
      0,
      0x75,
      0x30,
      0,
      0,
      0x75,
      0x30,
    ]);
    const bomb = { path: "a/bomb.png", file: new Blob([head]) };
    const decode = vi.spyOn(globalThis, "createImageBitmap");
    try {
      const { paths, unread } = await loadImageFolder([...files, bomb], { size: 2 });
      expect(paths).toEqual(["a/0", "a/1", "a/2"]);
      const reason = "an image must have at most 178956970 pixels, got 30000 by 30000. Scale it down.";
      expect(unread).toEqual([{ path: "a/bomb.png", reason }]);
      expect(decode).toHaveBeenCalledTimes(3);
      const small = await plain("#0000ff"); // 36 pixels
      const most = { size: 2, maxPixels: 41 };
      const found = await packImageFolder([...files, { path: "b/3", file: small }], most);
      expect(found.paths).toEqual(["b/3"]);
      for (const each of found.unread) expect(each.reason).toMatch(/at most 41 pixels, got 6 by 7/);
    } finally {
      decode.mockRestore();
    }
  });

  test("says what cannot be", async () => {
    await expect(loadImageFolder([], { size: 0 })).rejects.toThrow(ValueError);
    await expect(loadImageFolder([], { size: 2, channels: 2 as never })).rejects.toThrow(
      "channels must be 1 or 3, got 2.",
    );
  });
});

describe("packImageFolder", () => {
  test("makes the file of what loadImageFolder reads, in pieces", { timeout: 120_000 }, async () => {
    const colours = ["#ff0000", "#00ff00", "#0102ff"];
    const files = await Promise.all(
      // 26 images of 786 kB at this size: the first 22 are a piece
      Array.from({ length: 26 }, async (_, i) => ({
        path: `${"bca"[i % 3]!}/${i}.png`,
        file: await plain(colours[i % 3]!),
      })),
    );
    const broken = { path: "b/broken.png", file: new Blob(["x"]) };
    const options = { size: 512, parallel: 3 };
    const folder = await loadImageFolder([...files, broken], options);
    const progress: number[] = [];
    const packed = await packImageFolder([broken, ...files], { ...options, onProgress: (done) => progress.push(done) });
    expect(packed.paths).toEqual(folder.paths);
    expect(packed.unread).toEqual(folder.unread);
    expect(progress).toEqual(Array.from({ length: 27 }, (_, i) => i + 1));
    const [bytes, expected] = [new Uint8Array(await packed.file.arrayBuffer()), writeImages(folder, folder.classNames)];
    expect(bytes.length).toBe(expected.length);
    expect(bytes.findIndex((byte, i) => byte !== expected[i])).toBe(-1); // a list of 20 MB is no message
    const opened = await openImages(packed.file);
    expect(opened.classNames).toEqual(["a", "b", "c"]);
    expect([...(await opened.read(Int32Array.of(25))).subarray(0, 3)]).toEqual([0, 0, 0]); // class c: the green's red
  });

  test("tells more than 256 folders apart", async () => {
    const file = await plain("#000000");
    const names = Array.from({ length: 300 }, (_, i) => String(i).padStart(3, "0"));
    const files = names.map((name) => ({ file, path: `${name}/a.png` }));
    const folder = await loadImageFolder(files, { size: 1 });
    expect(folder.labels).toEqual(Int32Array.from(names, Number));
    const packed = await packImageFolder(files, { size: 1 });
    expect(new Uint8Array(await packed.file.arrayBuffer())).toEqual(writeImages(folder, folder.classNames));
    expect(await openImages(packed.file)).toMatchObject({ labels: folder.labels, classNames: names });
  });

  test("refuses what loadImageFolder refuses", async () => {
    await expect(packImageFolder([], { size: 2 })).rejects.toThrow(/^packImageFolder: some file must be an image/);
    await expect(packImageFolder([], { size: 0 })).rejects.toThrow(/^packImageFolder: size must be/);
    const stop = new Error("stop");
    const file = await plain("#000000");
    const stopped = packImageFolder([{ file, path: "a/1.png" }], {
      size: 2,
      onProgress: () => {
        throw stop;
      },
    });
    await expect(stopped).rejects.toBe(stop);
  });
});
