import { describe, expect, test } from "vitest";
import {
  CIFAR100_CLASSES,
  CIFAR100_FILES,
  CIFAR10_CLASSES,
  CIFAR10_FILES,
  loadCifar10,
  loadCifar100,
  parseCifar10,
  parseCifar100,
} from "../../src/data";
import { FormatError, ValueError } from "../../src/errors";

const PIXELS = 3072;

/** Records with these labels; pixel `i` of record `r` is `(seed + 7 * r + i) % 251`. */
function records(labels: readonly (readonly number[])[], seed = 0): Uint8Array {
  const bytes = labels.flatMap((label, r) => [
    ...label,
    ...Array.from({ length: PIXELS }, (_, i) => (seed + 7 * r + i) % 251),
  ]);
  return Uint8Array.from(bytes);
}

describe("CIFAR", () => {
  test("a record is a label and three planes", () => {
    const parsed = parseCifar10(records([[3], [9]]));
    expect(parsed).toMatchObject({ count: 2, channels: 3, height: 32, width: 32 });
    expect([...parsed.labels]).toEqual([3, 9]);
    expect(parsed.images).toHaveLength(2 * PIXELS);
    // red, green and blue of the first pixel; the first of the second image
    expect([0, 1024, 2048, PIXELS].map((at) => parsed.images[at])).toEqual([0, 1024 % 251, 2048 % 251, 7]);
  });

  test("CIFAR-100 has a coarse label in front, which is passed over", () => {
    const parsed = parseCifar100(
      records([
        [19, 99],
        [200, 0],
      ]),
    );
    expect([...parsed.labels]).toEqual([99, 0]);
    expect([...parsed.images.subarray(0, 3)]).toEqual([0, 1, 2]);
  });

  test("no files are no images", async () => {
    expect(() => parseCifar10()).toThrow("parseCifar10: there must be files, got none.");
    const parts = { train: [], test: ["test_batch.bin"] };
    await expect(loadCifar10(async () => records([[1]]), parts)).rejects.toThrow(ValueError);
  });

  test("names are as many as labels, each once", () => {
    expect(CIFAR10_CLASSES).toHaveLength(10);
    expect([CIFAR10_CLASSES[0], CIFAR10_CLASSES[9]]).toEqual(["airplane", "truck"]);
    expect(new Set(CIFAR100_CLASSES).size).toBe(100);
    expect(CIFAR100_CLASSES).toEqual(CIFAR100_CLASSES.toSorted());
    expect([0, 8, 47, 99].map((label) => CIFAR100_CLASSES[label])).toEqual(["apple", "bicycle", "maple_tree", "worm"]);
  });

  test("files come by their names, in their order", async () => {
    const asked: string[] = [];
    const names = [...CIFAR10_FILES.train, ...CIFAR10_FILES.test] as string[];
    const { train, test: heldOut } = await loadCifar10(async (name) => {
      asked.push(name);
      return records([[names.indexOf(name)]], names.indexOf(name));
    });
    expect(asked.toSorted()).toEqual(names.toSorted());
    expect([...train.labels]).toEqual([0, 1, 2, 3, 4]);
    expect(train.images[3 * PIXELS]).toBe(3);
    expect([...heldOut.labels]).toEqual([5]);

    const some = await loadCifar10(async (name) => records([[names.indexOf(name)]]), {
      train: ["data_batch_4.bin", "data_batch_2.bin"],
      test: CIFAR10_FILES.test,
    });
    expect([...some.train.labels, ...some.test.labels]).toEqual([3, 1, 5]);

    const hundred = await loadCifar100(async (name) => records([[0, name === CIFAR100_FILES.train[0] ? 7 : 8]]));
    expect([hundred.train.labels[0], hundred.test.labels[0]]).toEqual([7, 8]);
  });

  test("another length or label is an error that names the file", async () => {
    const good = records([[1]]);
    for (const bytes of [good.subarray(1), new Uint8Array(0), records([[1, 1]])]) {
      expect(() => parseCifar10(good, bytes)).toThrow(FormatError);
      expect(() => parseCifar10(good, bytes)).toThrow(`records of 3073 bytes, got ${bytes.length} bytes`);
    }
    expect(() => parseCifar10(records([[1], [10]]))).toThrow("labels must be below 10, got 10 in record 1.");
    expect(() => parseCifar100(records([[1, 100]]))).toThrow(
      "parseCifar100: labels must be below 100, got 100 in record 0.",
    );
    await expect(loadCifar10(async (name) => (name === "data_batch_2.bin" ? good.subarray(9) : good))).rejects.toThrow(
      "got 3064 bytes of data_batch_2.bin.",
    );
  });
});
