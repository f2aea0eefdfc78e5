import { expect, test } from "vitest";
import { tensor } from "../../src/creation";
import { augmentViews, IMAGENET_STATISTICS, MOCO_FASHION_MNIST, MOCO_V1, MOCO_V2 } from "../../src/data";
import { realize } from "../../src/tensor";
import { gpuCallsOf } from "../helpers/gpuCalls";
import { augmentedViews } from "../suites/augmentViews";
import { openTestDevice } from "../suites/device";

const device = await openTestDevice("webgpu");
augmentedViews();

test.each([
  ["v1 of squares", MOCO_V1, [32, 32]],
  ["v2 of squares", MOCO_V2, [32, 32]],
  ["ours, whose boxes lie between pixels", { ...MOCO_FASHION_MNIST, statistics: IMAGENET_STATISTICS }, [28, 28]],
  // of which some boxes do not fit, and are the centre
  ["v2 of long images", { ...MOCO_V2, scale: [0.9, 1] }, [20, 60]],
] as const)(
  "both views of a batch take a dispatch each, and two for their parameters: %s",
  async (_name, options, sides) => {
    const length = 64 * 3 * sides[0] * sides[1];
    const images = await tensor(new Uint8Array(length).fill(7), { shape: [64, 3, ...sides] }).realize();
    const index = await tensor(Int32Array.from({ length: 16 }, (_, i) => i)).realize();
    const step = async (): Promise<void> => {
      const views = augmentViews(images, index, options);
      await realize(...views);
      for (const view of views) view.dispose();
    };
    for (let i = 0; i < 5; i++) await step(); // the table of crops stays on the device from some run on
    const { bytesUploaded } = device.counters();
    const calls = await gpuCallsOf(step);
    expect(calls.kernels.map((label) => label.replace(/:.*/, ""))).toEqual([
      "elementwise",
      "elementwise",
      "augment",
      "augment",
    ]);
    expect(calls).toMatchObject({ submits: 1, copies: 0, buffers: 0, pipelines: 0 });
    expect(device.counters().bytesUploaded! - bytesUploaded!).toBeLessThanOrEqual(1024); // sizes and counters, no images
  },
);
