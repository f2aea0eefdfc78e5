import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { FASHION_MNIST_FILES, loadFashionMnist } from "../../src/data/fashionMnist";
import type { LabeledImages } from "../../src/data/labeledImages";
import { decompress } from "../../src/data/idx";

const FOLDER = new URL("../../demo/public/data/fashion-mnist/", import.meta.url);

const read = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(new URL(name, FOLDER)));

const sum = (values: Uint8Array): number => values.reduce((total, value) => total + value, 0);

const image = ({ images }: LabeledImages, index: number): Uint8Array => images.subarray(784 * index, 784 * (index + 1));

const countPerClass = ({ labels }: LabeledImages): number[] =>
  Array.from({ length: 10 }, (_, label) => labels.filter((other) => other === label).length);

test.each([
  // sha256 of the IDX files; those of the test files are of the published ones, decompressed.
  [FASHION_MNIST_FILES.trainImages, "ed2e37ed5a3a57d212141a69fe0a0de5a7126ffba14ac3f7e76f5f52cc04b1f0"],
  [FASHION_MNIST_FILES.trainLabels, "a69f2dad024ca220a8c4d85f621fdf929042d40c444abde2868903e9220ad517"],
  [FASHION_MNIST_FILES.testImages, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"],
  [FASHION_MNIST_FILES.testLabels, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"],
])("%s is unchanged", async (name, sha256) => {
  const bytes = await decompress(await read(name));
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
});

test("the embedded files are the first 10,000 training and all test images", async () => {
  const { train, test: heldOut } = await loadFashionMnist(read);
  const size = { count: 10_000, height: 28, width: 28, channels: 1 };
  expect(train).toMatchObject(size);
  expect(heldOut).toMatchObject(size);

  // Sums and counts by NumPy from Debian's files.
  expect([...train.labels.subarray(0, 10)]).toEqual([9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
  expect([...heldOut.labels.subarray(0, 10)]).toEqual([9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
  expect(countPerClass(train)).toEqual([942, 1027, 1016, 1019, 974, 989, 1021, 1022, 990, 1000]);
  expect(countPerClass(heldOut)).toEqual(new Array(10).fill(1000));
  expect([sum(image(train, 0)), sum(image(train, 9_999)), sum(train.images)]).toEqual([76_247, 79_936, 572_388_787]);
  expect([sum(image(heldOut, 0)), sum(image(heldOut, 9_999)), sum(heldOut.images)]).toEqual([
    33_456, 24_390, 573_469_082,
  ]);
});
