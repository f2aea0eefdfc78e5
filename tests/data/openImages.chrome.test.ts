/** Images of the browser's own file system, read while a training runs. */

import { data, init, manualSeed, moco, models, tensor } from "flywheel";
import { expect, test } from "vitest";

const { imageSource, openImages, writeImages } = data;

const COUNT = 40;
const images: data.LabeledImages = {
  images: Uint8Array.from({ length: COUNT * 784 }, (_, i) => (i * i) % 251),
  labels: new Uint8Array(COUNT),
  ...{ count: COUNT, channels: 1, height: 28, width: 28 },
};

test("a file of the origin's private file system trains as a tensor does", async () => {
  await init({ device: "webgpu" });
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle("images.safetensors", { create: true });
  try {
    const writable = await handle.createWritable();
    await writable.write(writeImages(images) as Uint8Array<ArrayBuffer>);
    await writable.close();
    const recipe = { ...moco.RECIPES.fashionMnist, batchSize: 16, queueSize: 32, dim: 16 };
    const lossesOf = async (from: data.ImageSource | ReturnType<typeof tensor>): Promise<number[]> => {
      manualSeed(1);
      const trainer = new moco.MoCoTrainer(from, models.tinyGap, recipe, { steps: 5 });
      const losses: number[] = [];
      for (let step = 0; step < 5; step++) {
        await trainer.ready();
        losses.push(await trainer.step().loss.item());
      }
      return losses;
    };
    const held = await lossesOf(tensor(images.images, { shape: [COUNT, 1, 28, 28] }));
    expect(await lossesOf(await openImages(await handle.getFile()))).toEqual(held);
    expect(await lossesOf(imageSource(images))).toEqual(held);
  } finally {
    await folder.removeEntry("images.safetensors");
  }
});

test("a file that was written anew since it was opened is refused", async () => {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle("changed.safetensors", { create: true });
  const write = async (bytes: Uint8Array): Promise<void> => {
    const writable = await handle.createWritable();
    await writable.write(bytes as Uint8Array<ArrayBuffer>);
    await writable.close();
  };
  try {
    await write(writeImages(images));
    const opened = await openImages(await handle.getFile());
    await write(new Uint8Array(10));
    await expect(opened.read(Int32Array.of(39))).rejects.toThrow(/must be readable.*Open the file again/);
  } finally {
    await folder.removeEntry("changed.safetensors");
  }
});
