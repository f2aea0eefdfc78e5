/** A run as files for other programs: the encoder, features, and the authors' checkpoint. Makes bytes, keeps nothing. */

import { type Tensor, tensor } from "flywheel";
import type { Labels } from "flywheel/data";
import { writeSafetensors } from "flywheel/io";
import { exportFeatures, type MoCo, writeOfficialCheckpoint } from "flywheel/moco";
import { readState } from "flywheel/nn";
import type { Optimizer } from "flywheel/optim";
import type { ExportedFile, ExportKind } from "../protocol";

/** The run as it is. */
export interface Exported {
  readonly model: MoCo;
  readonly optimizer: Optimizer;
  /** Steps done. */
  readonly step: number;
  /** Epochs that are over. */
  readonly epoch: number;
  /** Name of the encoder. */
  readonly arch: string;
  /** Features of all test images, `[n, dim]`, each of length 1. */
  readonly testFeatures: () => Promise<Tensor>;
  /** Of the test images, `[n]`; null where they have none. */
  readonly labels: Labels | null;
  readonly classes: readonly string[];
}

/** @throws ValueError where a file cannot hold the run */
export async function exportedFiles(what: ExportKind, run: Exported): Promise<ExportedFile[]> {
  const { step } = run;
  switch (what) {
    case "encoder":
      return [{ name: `moco-encoder-${step}.safetensors`, bytes: await encoderFile(run) }];
    case "pytorch":
      return [{ name: `moco-${step}.pth.tar`, bytes: await officialFile(run) }];
    case "features":
      return [{ name: `moco-features-${step}.safetensors`, bytes: (await featureFiles(run)).safetensors() }];
    case "arrays": {
      const { features, labels } = (await featureFiles(run)).npy();
      return [
        { name: `moco-features-${step}.npy`, bytes: features },
        ...(labels ? [{ name: `moco-labels-${step}.npy`, bytes: labels }] : []),
      ];
    }
  }
}

async function encoderFile({ model, arch, step }: Exported): Promise<Uint8Array> {
  return writeSafetensors(await readState(model.encoderQ.stateDict()), { arch, step: String(step) });
}

async function featureFiles({
  testFeatures,
  labels,
  classes,
  arch,
  step,
}: Exported): ReturnType<typeof exportFeatures> {
  using features = await testFeatures();
  return await exportFeatures({
    features,
    ...(labels && { labels: tensor(Int32Array.from(labels)), classNames: classes }),
    metadata: { arch, step: String(step) },
  });
}

function officialFile({ model, optimizer, epoch, arch }: Exported): Promise<Uint8Array> {
  return writeOfficialCheckpoint({ model, optimizer, epoch, arch });
}
