/** Features of images: what an encoder in evaluation mode makes of them, batch by batch. */

import { cat } from "../combine";
import { arange, tensor, zeros } from "../creation";
import { checkSource, type ImageSource, readRows } from "../data/imageSource";
import { defaultDevice, type Device } from "../device";
import { DTypeError, ShapeError } from "../errors";
import { noGrad } from "../gradient";
import { showShape } from "../graph/shape";
import { Buffer, type Layer, type Module } from "../nn";
import { checkCounts, checkIsFunction, checkOptionNames, describe } from "../options";
import { Tensor } from "../tensor";

/** Which features an encoder is asked for: `(encoder, x) => encoder.features(x)`, say. */
export type FeatureFunction<E extends Module> = (encoder: E, images: Tensor) => Tensor;

/** Options of `featuresOf`. */
export interface FeaturesOptions<E extends Module = Layer> {
  /** Images that are encoded at once; default 256. */
  readonly batchSize?: number;
  /** What becomes of a batch before it is encoded: bytes to normalised f32, say. Default: nothing. */
  readonly prepare?: (batch: Tensor) => Tensor;
  /** What is computed of a prepared batch; default `encoder.forward(x)`, the embedding behind the head. */
  readonly features?: FeatureFunction<E>;
  /** Hears how many images are done. What it throws ends the encoding. */
  readonly onProgress?: (done: number, count: number) => void;
}

/**
 * Embeddings or other features of images by an encoder in evaluation mode, without gradients. The encoder's mode comes back
 * afterwards.
 *
 * @shape images `[n, c, h, w]` -> `[n, dim]`
 * @param images a tensor; or an ImageSource, of which a batch is read while the one before is encoded
 * @param options see FeaturesOptions
 * @throws ShapeError if there are no images, ValueError for an unknown option or a batch size that is no count
 *
 * @example
 * const prepare = (x: Tensor) => augment.normalize(x.float().div(255), [0.286], [0.353]);
 * const bank = await featuresOf(model.encoderQ, images, { prepare });
 * const backbone = await featuresOf(encoder, images, { prepare, features: (e, x) => e.features(x) }); // before the head
 */
export async function featuresOf<E extends Layer>(
  encoder: E,
  images: Tensor | ImageSource,
  options: FeaturesOptions<E> = {},
): Promise<Tensor> {
  checkOptionNames("featuresOf", options, ["batchSize", "prepare", "features", "onProgress"]);
  const { batchSize = 256, prepare = asTheyAre, features = forwarded, onProgress = unheard } = options;
  checkCounts("featuresOf", { batchSize });
  if (images instanceof Tensor && images.size(0) === 0)
    throw new ShapeError("featuresOf: there must be images, got none. Pass those of which features are wanted.");
  return encoded(encoder, images, { batchSize, prepare, features, onProgress });
}

/** Where nobody listens. */
export const unheard = (): void => undefined;

/** What becomes of images that need no preparation. */
export const asTheyAre = (batch: Tensor): Tensor => batch;

const forwarded = (encoder: Layer, images: Tensor): Tensor => encoder.forward(images);

/** As `featuresOf`, for modules that need no `forward`. */
export async function encoded<E extends Module>(
  encoder: E,
  images: Tensor | ImageSource,
  options: Required<FeaturesOptions<E>>,
): Promise<Tensor> {
  return gathered(encodedParts(encoder, images, options));
}

/** Rows of all parts, realized. The parts are gone then, and if one cannot be made. */
export async function gathered(made: AsyncIterable<Tensor>): Promise<Tensor> {
  const parts: Tensor[] = [];
  let whole: Tensor | null = null;
  try {
    for await (const part of made) parts.push(part);
    whole = parts.length === 1 ? parts[0]! : await cat(parts).realize();
    return whole;
  } finally {
    for (const part of parts) if (part !== whole) part.dispose();
  }
}

/** What `encoded` gives, in state, written part by part: nothing of its size is held beside it. `freeStored` frees it. */
export async function storedFeatures<E extends Module>(
  encoder: E,
  images: Tensor | ImageSource,
  options: Required<FeaturesOptions<E>>,
): Promise<Buffer> {
  const count = countOf(images);
  let store: Buffer | null = null;
  let start = 0;
  try {
    for await (const part of encodedParts(encoder, images, options)) {
      store ??= new Buffer(zeros([count, ...part.shape.slice(1)], { device: part.device }), { name: "features" });
      store.assignRows(start, part);
      await store.realize();
      start += part.size(0);
      part.dispose();
    }
  } catch (error) {
    if (store) freeStored(store);
    throw error;
  }
  return store!;
}

/** Frees stored features now. State waits for the garbage collector elsewhere, as others may have it; these nobody has. */
export function freeStored(store: Buffer): void {
  store.device.engine.dropState(store.variable);
}

/** Features of some images at a time, realized one by one: no more than one batch of activations is held. */
export async function* encodedParts<E extends Module>(
  encoder: E,
  images: Tensor | ImageSource,
  { batchSize, prepare, features, onProgress }: Required<FeaturesOptions<E>>,
): AsyncGenerator<Tensor> {
  const count = countOf(images);
  let done = 0;
  const encode = async (batch: () => Tensor): Promise<Tensor> => {
    const part = await evaluating(encoder, () => features(encoder, prepare(batch()))).realize();
    done += part.size(0);
    onProgress(done, count);
    return part;
  };
  if (images instanceof Tensor) {
    for (const rows of rowsOf(images, batchSize)) yield await encode(() => images.indexSelect(0, rows));
    return;
  }
  checkSource("featuresOf", images);
  for await (const batch of batchesOf(images, batchSize, deviceOf(encoder))) {
    using bytes = batch;
    yield await encode(() => bytes);
  }
}

/** Some images at a time, in order, each read while the ones before are worked on. */
async function* batchesOf(images: ImageSource, batchSize: number, device: Device): AsyncGenerator<Tensor> {
  const { count, channels, height, width } = images;
  const readFrom = (start: number): Promise<Uint8Array> | null => {
    if (start >= count) return null;
    const length = Math.min(batchSize, count - start);
    const bytes = readRows(
      "featuresOf",
      images,
      Int32Array.from({ length }, (_, row) => start + row),
    );
    bytes.catch(() => {}); // who waits for it hears of it
    return bytes;
  };
  let next = readFrom(0);
  for (let start = 0; next; start += batchSize) {
    const bytes: Uint8Array = await next;
    next = readFrom(start + batchSize);
    yield tensor(bytes, { shape: [Math.min(batchSize, count - start), channels, height, width], device });
  }
}

/** How many images there are. */
export const countOf = (images: Tensor | ImageSource): number =>
  images instanceof Tensor ? images.size(0) : images.count;

/** Where a module is. */
const deviceOf = (module: Module): Device => module.parameters()[0]?.device ?? defaultDevice();

/** Rows `0, 1, ...` of `x`, some at a time. Where they start is data, so all of one length share a plan. */
export function rowsOf(x: Tensor, length: number): Tensor[] {
  const count = x.size(0);
  const starts = Array.from({ length: Math.ceil(count / length) }, (_, part) => part * length);
  return starts.map((start) => arange(start, Math.min(start + length, count), { device: x.device }));
}

/** Runs `body` in evaluation mode and puts every module's mode back. */
export function evaluating(encoder: Module, body: () => Tensor): Tensor {
  const modes = [...encoder.modules()].map((module) => ({ module, training: module.training }));
  encoder.eval();
  try {
    return noGrad(body);
  } finally {
    for (const { module, training } of modes) module.training = training;
  }
}

/** The features that are asked for, or those of a backbone: what comes before the head, `[n, dim]`. */
export function backboneOf<E extends Module>(
  op: string,
  encoder: E,
  given: FeatureFunction<E> | undefined,
): FeatureFunction<E> {
  if (given !== undefined) checkIsFunction(op, "features", given);
  else if (typeof (encoder as { features?: unknown }).features !== "function") {
    throw new DTypeError(
      `${op}: the encoder must have a method features(x), what comes before its head, got ${describe(encoder)} without one. ` +
        "Pass features: (encoder, x) => ... beside it.",
    );
  }
  const features: FeatureFunction<E> =
    given ?? ((each, x) => (each as unknown as { features(images: Tensor): Tensor }).features(x));
  return (each, x) => {
    const found = features(each, x);
    if (found.ndim === 2) return found;
    throw new ShapeError(
      `${op}: features must be [n, dim], got ${showShape(found.shape)}. Flatten them: x.flatten(1).`,
    );
  };
}
