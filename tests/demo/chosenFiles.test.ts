/** What files are taken for, what is said of those that are none, and of images. */

import { describe, expect, test } from "vitest";
import { missingText, parallelFor, readingOf, summaryNotes, summaryText } from "../../demo/chosenFiles";
import type { ImagesSummary } from "../../demo/protocol";

const placed = (...paths: string[]): { file: Blob; path: string }[] =>
  paths.map((path) => {
    const type = /\.(png|jpeg|webp)$/.exec(path)?.[1];
    return { file: new Blob([], { type: type ? `image/${type}` : "" }), path };
  });

describe("files", () => {
  test("are CIFAR-10 by their names, in any folder", () => {
    const files = placed("c/test_batch.bin", "c/data_batch_2.bin", "c/batches.meta.txt", "c/readme.html");
    expect(readingOf(files, 32)).toEqual({
      kind: "cifar10",
      files: files.slice(0, 3),
      parts: { train: ["data_batch_2.bin"], test: ["test_batch.bin"], names: "batches.meta.txt" },
    });
    expect(readingOf(files.slice(0, 2), 32)).toMatchObject({ parts: { names: null } });
  });

  test("are images by their types, whatever lies beside them", () => {
    const files = placed("a/1.png", "b/2.jpeg", "c.webp", "notes.txt", "a/._1.png");
    expect(readingOf(files, 48)).toEqual({ kind: "own", files: files.slice(0, 3), size: 48 });
  });

  test.each([
    [["data_batch_1.bin"], "test_batch.bin, together; got data_batch_1.bin."],
    [["test_batch.bin", "batches.meta.txt"], "together; got test_batch.bin, batches.meta.txt."],
    [
      ["a/data_batch_1.bin", "b/data_batch_1.bin", "test_batch.bin"],
      "once each, got a/data_batch_1.bin, b/data_batch_1.bin, test_batch.bin.",
    ],
    [[], "Got no file."],
    [
      ["cifar-10-binary.tar.gz"],
      "unpacked: data_batch_1.bin to data_batch_5.bin and test_batch.bin. Got cifar-10-binary.tar.gz.",
    ],
    [["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"], "Got a.txt, b.txt, c.txt and 2 more."],
    [["a/.png", "b/._1.png"], "Got .png, ._1.png."],
  ])("%j are refused in a sentence", (paths, sentence) => {
    expect(readingOf(placed(...paths), 32)).toMatch(sentence);
  });

  test("are not more than a device holds", () => {
    const many = (count: number): ReturnType<typeof placed> =>
      Array<ReturnType<typeof placed>[number]>(count).fill(placed("a.png")[0]!);
    expect(readingOf(many(349_525), 64)).toMatchObject({ kind: "own" });
    expect(readingOf(many(349_526), 64)).toBe(
      "At 64 by 64 there may be at most 349,525 images, got 349,526: choose a smaller size, or fewer of them.",
    );
  });
});

describe("large files", () => {
  const large = (path: string, size: number): ReturnType<typeof placed>[number] => {
    const [{ file }] = placed(path) as [ReturnType<typeof placed>[number]];
    Object.defineProperty(file, "size", { value: size });
    return { file, path };
  };

  test("are decoded a few at once", () => {
    expect(parallelFor(placed("a.png", "b.png"))).toBe(8);
    expect(parallelFor([...placed("a.png"), large("b.jpeg", 12e6)])).toBe(2);
  });

  test("beyond reason are refused in a sentence", () => {
    const images = [...placed("a.png"), large("b/c.png", 2 ** 26 + 1)];
    expect(readingOf(images, 32)).toBe("An image may be a file of at most 64 MiB, which these are not: b/c.png.");
    expect(readingOf([large("a.png", 2 ** 26)], 32)).toMatchObject({ kind: "own" });
    const batches = [1, 2, 3, 4, 5].map((i) => large(`data_batch_${i}.bin`, 30_730_000));
    expect(readingOf([...batches, large("test_batch.bin", 30_730_000)], 32)).toMatchObject({ kind: "cifar10" });
    expect(readingOf([...batches, large("test_batch.bin", 2 ** 28)], 32)).toBe(
      "CIFAR-10's files may be of at most 268,435,456 bytes together, got 422,085,456: open the published ones.",
    );
  });
});

describe("what is said of images", () => {
  test("that an address asks for is that they must be opened", () => {
    expect(missingText("cifar10")).toBe("The address asks for CIFAR-10: open or drop them, or take those of the page.");
    expect(missingText("own")).toMatch(/^The address asks for your own images: open/);
    expect(missingText("mnist")).toMatch(/must ask for one of fashionMnist, cifar10, own as data, got "mnist": open/);
  });

  const own: ImagesSummary = {
    ...{ kind: "own", trainCount: 10_000, testCount: 2000, channels: 3, height: 32, width: 32 },
    classNames: ["cat", "dog"],
    statistics: { mean: [0.5, 0.456, 0.4], std: [0.2, 0.25, 0.3] },
  };

  test("is how many, how large, and which classes", () => {
    expect(summaryText(own)).toBe(
      "Your own: 12,000 images, 32 by 32, colour, 2 classes; 10,000 to train on, 2,000 to test with.",
    );
    const grey = { ...own, kind: "fashionMnist", channels: 1, classNames: [] } as const;
    expect(summaryText(grey)).toMatch(/^Fashion-MNIST: 12,000 images, 32 by 32, grey, no classes;/);
  });

  test("is what they are normalised by, what they cannot be used for, and what was left out", () => {
    expect(summaryNotes(own, [])).toBe(
      "They are normalised by their own mean (0.50, 0.46, 0.40) and standard deviation (0.20, 0.25, 0.30).",
    );
    expect(summaryNotes({ ...own, classNames: [] }, [])).toMatch(/^Without classes .* no kNN accuracy/);
    expect(summaryNotes({ ...own, kind: "cifar10" }, [])).toBe("");
    expect(summaryNotes(own, [{ path: "a/b.png", reason: "broken" }])).toMatch(
      /Left out, as this browser cannot draw them: a\/b\.png\.$/,
    );
  });
});
