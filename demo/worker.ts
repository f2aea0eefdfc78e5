/** The worker: opens a device, gets the images, trains, and tells the page all about it. One run, then the page ends it. */

import {
  DeviceError,
  DeviceLostError,
  FormatError,
  init,
  OutOfMemoryError,
  StateDictError,
  ValueError,
} from "flywheel";
import { adapterName } from "./adapterName";
import { loadImages } from "./dataset";
import { Gate } from "./gate";
import { Loop, Requests } from "./loop";
import { following } from "./progress";
import type { Command, TrainingEvent } from "./protocol";
import { Training } from "./training";
import { tuningStore } from "./tuningStore";

const gate = new Gate();
const requests = new Requests();

// Structured by hand: TypeScript's library for pages does not know a worker's scope.
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Command>) => void;
  postMessage: (event: TrainingEvent, transfer: Transferable[]) => void;
};

/** A checkpoint may be large, and is not needed here any more: it is not copied. */
const emit = (event: TrainingEvent): void =>
  scope.postMessage(event, event.type === "checkpoint" ? [event.bytes.buffer as ArrayBuffer] : []);

scope.onmessage = ({ data: command }) => {
  if (command.type === "pause") gate.close();
  if (command.type === "resume") gate.open();
  if (command.type === "step") gate.openOnce();
  if (command.type === "ask") requests.ask(command.what);
  if (command.type === "start") void run(command).catch(fail);
};

async function run({
  options,
  features,
  linearProbe,
  images,
  tuningUrl,
  resume,
  checkpoints,
  watch,
}: Extract<Command, { type: "start" }>): Promise<void> {
  emit({ type: "phase", phase: "loading" });
  const device = await init({ device: options.device });
  const adapter = adapterName(device.adapterInfo());
  emit({ type: "adapter", adapter, device: device.kind });
  const data = await loadImages(images, following("fetching", emit));
  emit({ type: "images", images: data.summary });
  const store = options.tune === "on" ? tuningStore(tuningUrl) : null;
  const given = {
    device,
    training: await Training.make(data, options),
    trainCount: data.train.count,
    options,
    wantsFeatures: features,
    wantsProbe: linearProbe,
    gate,
    requests,
    store,
    resume,
    checkpoints,
    watch,
    emit,
  };
  const result = await new Loop(given).run();
  emit({ type: "done", result: { adapter, device: device.kind, ...result } });
}

function fail(error: unknown): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  // No device, no data, options that do not fit; all else broke on the way.
  const kinds = [DeviceError, FormatError, StateDictError, ValueError];
  const isBroken = error instanceof DeviceLostError || error instanceof OutOfMemoryError;
  emit({ type: "error", name, message, isUsage: !isBroken && kinds.some((kind) => error instanceof kind) });
}
