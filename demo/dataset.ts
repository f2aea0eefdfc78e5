/**
 * What a run trains on: from files, or from where the page has them, to bytes. Runs in workers. Images that were read from files are
 * packed: a blob goes from thread to thread without a copy, so a run can start anew as often as one likes.
 */

import { FormatError, ValueError } from "flywheel";
import {
  CIFAR10_CLASSES,
  type CifarFiles,
  EpochSampler,
  FASHION_MNIST_CLASSES,
  FASHION_MNIST_FILES,
  FASHION_MNIST_STATISTICS,
  type FetchProgress,
  fetchReader,
  imageSource,
  type ImageSource,
  type LabeledImages,
  type Labels,
  loadCifar10,
  loadFashionMnist,
  MOCO_CIFAR,
  openImages,
  selectImages,
  sourceStatistics,
  splitRows,
  writeImages,
} from "flywheel/data";
import type { OnProgress } from "./progress";
import type { ImagesKind, ImagesSource, ImagesSummary, PackedImages, PackedPart } from "./protocol";

interface Parts {
  readonly train: LabeledImages;
  readonly test: LabeledImages;
}

/** Images in memory, and what is known of them. */
export interface LoadedImages extends Parts {
  readonly summary: ImagesSummary;
}

/** Images that are read when they are needed, and their labels. */
export interface TrainingPart extends ImageSource {
  /** `[count]` */
  readonly labels: Labels;
}

/** What a run trains on, and is judged by. */
export interface TrainingData {
  readonly train: TrainingPart;
  readonly test: TrainingPart;
  readonly summary: ImagesSummary;
}

/** Files of CIFAR-10 that there are. */
export interface Cifar10Files extends CifarFiles {
  /** The one with the names of the classes; null: the usual names. */
  readonly names: string | null;
}

/** Part of one's own images that is not trained on. */
const TEST_PART = 1 / 6;

/** Fewest images of one's own: a batch must be left to train on. */
const LEAST_IMAGES = 16;

/**
 * The images of a run.
 *
 * @param onProgress hears how many bytes of all files are here, where they are fetched and all say how long they are
 */
export async function loadImages(source: ImagesSource, onProgress?: OnProgress): Promise<TrainingData> {
  if (source.kind !== "fashionMnist") return unpacked(source);
  const files = new Map<string, FetchProgress>();
  const heard = (file: FetchProgress): void => {
    const all = [...files.set(file.name, file).values()];
    if (all.length < Object.keys(FASHION_MNIST_FILES).length || all.some(({ total }) => total === null)) return;
    const sum = (of: "loaded" | "total"): number => all.reduce((bytes, each) => bytes + each[of]!, 0);
    onProgress?.(sum("loaded"), sum("total"));
  };
  const parts = await loadFashionMnist(fetchReader(source.dataUrl, { onProgress: heard }));
  return trainingData(dataOf("fashionMnist", parts, FASHION_MNIST_CLASSES, FASHION_MNIST_STATISTICS));
}

/** Images of memory as a run takes them. */
export function trainingData({ train, test, summary }: LoadedImages): TrainingData {
  const part = (images: LabeledImages): TrainingPart => ({ ...imageSource(images), labels: images.labels });
  return { train: part(train), test: part(test), summary };
}

/**
 * CIFAR-10, from the files that there are. It is normalised by the authors' numbers, whatever the recipe.
 *
 * @param read gives the bytes of a file by its name
 */
export async function cifar10Images(
  read: (name: string) => Promise<Uint8Array>,
  files: Cifar10Files,
): Promise<LoadedImages> {
  const parts = await loadCifar10(read, files);
  const names = files.names === null ? CIFAR10_CLASSES : namesIn(new TextDecoder().decode(await read(files.names)));
  return dataOf("cifar10", parts, names, MOCO_CIFAR.statistics);
}

/** A name a line. */
function namesIn(text: string): string[] {
  const names = text.split(/\s*\n\s*/).filter(Boolean);
  if (names.length === CIFAR10_CLASSES.length) return names;
  throw new FormatError(
    `batches.meta.txt must hold the names of ${CIFAR10_CLASSES.length} classes, one a line, got ${names.length}. Leave it out, or open the published one.`,
  );
}

/**
 * One's own images, in a training and a test part. Folders are classes where there are two of them or more: of one alone, nothing can
 * be told apart. Those to train on come in a random order, always the same: the first of them are asked for neighbours, and a folder
 * has its images class by class.
 *
 * @param file as `packImageFolder` makes it
 */
export async function ownImages(file: Blob): Promise<PackedImages> {
  const { count, labels, classNames, ...images } = await openImages(file);
  const hasClasses = classNames.length > 1;
  if (count < LEAST_IMAGES)
    throw new ValueError(`A training needs at least ${LEAST_IMAGES} images, got ${count}. Choose more.`);
  const rows = splitRows(hasClasses ? labels : new Uint8Array(count), { test: TEST_PART });
  if (rows.test.length === 0)
    throw new ValueError(
      "Some folder must hold two images or more, got one in each. Put those of a kind into one folder.",
    );
  const trainCount = rows.train.length;
  const order = new EpochSampler(trainCount, { batchSize: trainCount, seed: 0 }).next();
  const train = order.map((place) => rows.train[place]!);
  const statistics = await sourceStatistics(selectImages({ count, ...images }, rows.train)); // in order: fewer reads
  const { channels, height, width } = images;
  const summary = {
    ...{ kind: "own" as const, trainCount, testCount: rows.test.length, channels, height, width, statistics },
    classNames: hasClasses ? classNames.map((name) => name || "in no folder") : [],
  };
  return { kind: "own", summary, train: { file, rows: train }, test: { file, rows: rows.test } };
}

/** Images that stand for all in a fingerprint. */
const PRINTED_IMAGES = 64;

/** A number that other images hardly have: FNV-1a of all labels, and of the bytes of some images. */
export async function fingerprintOf(part: TrainingPart): Promise<number> {
  const labels = new Uint8Array(Int32Array.from(part.labels).buffer);
  const images = await part.read(spreadRows(part.count, PRINTED_IMAGES));
  let hash = 0x811c9dc5;
  for (const bytes of [labels, images]) for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** At most so many rows, evenly many from the first to the last. */
export function spreadRows(count: number, most: number): Int32Array {
  const length = Math.min(most, count);
  return Int32Array.from({ length }, (_, i) => Math.floor((i * count) / length));
}

function dataOf(
  kind: ImagesKind,
  { train, test }: Parts,
  classNames: readonly string[],
  statistics: ImagesSummary["statistics"],
): LoadedImages {
  const { channels, height, width } = train;
  const counts = { trainCount: train.count, testCount: test.count };
  return { train, test, summary: { kind, ...counts, channels, height, width, classNames, statistics } };
}

/** Images as they are sent. */
export function packed({ train, test, summary }: LoadedImages): PackedImages {
  const part = (images: LabeledImages): PackedPart => ({
    file: new Blob([writeImages(images) as Uint8Array<ArrayBuffer>]),
    rows: null,
  });
  return { kind: summary.kind as PackedImages["kind"], summary, train: part(train), test: part(test) };
}

async function unpacked({ train, test, summary }: PackedImages): Promise<TrainingData> {
  const part = async ({ file, rows }: PackedPart): Promise<TrainingPart> => {
    const images = await openImages(file);
    if (rows === null) return images;
    return { ...selectImages(images, rows), labels: Int32Array.from(rows, (row) => images.labels[row]!) };
  };
  return { train: await part(train), test: await part(test), summary };
}
