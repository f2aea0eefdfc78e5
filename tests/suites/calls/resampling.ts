import type { Calls } from "../call";
import type { Exempt } from "../coverage";

export const calls: Calls = {
  interpolate: [], // size is an option
  affineGrid: ["size"],
  pixelShuffle: ["upscaleFactor"],
  pixelUnshuffle: ["downscaleFactor"],
  channelShuffle: ["groups"],
};

export const exempt: Exempt = {
  affineGrid: { "size 0": "sizes must be positive, as in PyTorch" },
  pixelUnshuffle: { "size 0": "PyTorch keeps the shape of what is empty: see tests/ops/vision.test.ts" },
};
