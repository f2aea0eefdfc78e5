import { expect, test } from "vitest";
import { tensor } from "../../src/creation";
import { DTypeError, IndexError, ShapeError } from "../../src/errors";
import { readNpy, readSafetensors } from "../../src/io";
import { exportFeatures } from "../../src/moco";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

const features = tensor([[1, 2], [3, -4.5], [0, 1e-3]]); // prettier-ignore
const labels = tensor(Uint8Array.of(2, 0, 1));
const classNames = ["shoe", "T-shirt/top", "Ürün"];

const expected = {
  features: { shape: [3, 2], dtype: "f32", data: Float32Array.of(1, 2, 3, -4.5, 0, 1e-3) },
  labels: { shape: [3], dtype: "i32", data: Int32Array.of(2, 0, 1) },
};

test("a safetensors file holds features, labels and what they are", async () => {
  const files = await exportFeatures({ features, labels, classNames, metadata: { model: "tinyFlat" } });
  const { tensors, metadata } = readSafetensors(files.safetensors());
  expect(tensors).toEqual(expected);
  expect(metadata).toEqual({ model: "tinyFlat", class_names: JSON.stringify(classNames) });
});

test("npy files hold an array each", async () => {
  const npy = (await exportFeatures({ features, labels })).npy();
  expect(readNpy(npy.features)).toEqual(expected.features);
  expect(readNpy(npy.labels!)).toEqual(expected.labels);
});

test("labels and names may be left out", async () => {
  const files = await exportFeatures({ features });
  expect(readSafetensors(files.safetensors())).toEqual({ tensors: { features: expected.features }, metadata: {} });
  expect(files.npy().labels).toBeNull();
});

test("what does not fit is an error", async () => {
  const two = tensor([0, 1]);
  await expect(exportFeatures({ features: two })).rejects.toThrow(ShapeError);
  await expect(exportFeatures({ features, labels: two })).rejects.toThrow("got [3, 2] and [2].");
  await expect(exportFeatures({ features: [[1]] as never })).rejects.toThrow(DTypeError);
  await expect(exportFeatures({ features, labels, classNames: ["a", "b"] })).rejects.toThrow(IndexError);
  for (const label of [1.7, NaN, 2 ** 31])
    await expect(exportFeatures({ features, labels: tensor([0, label, 1]) })).rejects.toThrow(IndexError);
  expect((await exportFeatures({ features, labels: tensor([2, 0, -1]) })).npy().labels).not.toBeNull();
});
