/**
 * Fashion-MNIST: four IDX files in, labelled images as bytes out. Where the files come from is the caller's: a
 * `read` function gets a file name and gives its bytes. Normalising and augmenting happen elsewhere.
 */

import { FormatError, ValueError } from "../errors";
import { readIdx } from "./idx";
import type { IdxArray } from "./idx";
import type { LabeledImages } from "./labeledImages";

/** Names of the classes; a label is an index into this list. */
export const FASHION_MNIST_CLASSES: readonly string[] = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** Names of the four files, as published. */
export const FASHION_MNIST_FILES = {
  trainImages: "train-images-idx3-ubyte.gz",
  trainLabels: "train-labels-idx1-ubyte.gz",
  testImages: "t10k-images-idx3-ubyte.gz",
  testLabels: "t10k-labels-idx1-ubyte.gz",
} as const;

/** Height and width of an image in pixels. */
const SIDE = 28;

/**
 * Loads the training and the test part. How many images each has is up to the files: all 60,000 or the first 10,000.
 *
 * @shape images `[count, 1, 28, 28]`, labels `[count]`
 * @param read gives the bytes of a file by its name (FASHION_MNIST_FILES), gzipped or not
 * @returns both parts as bytes, 0 to 255; labels index FASHION_MNIST_CLASSES
 * @throws FormatError if a file is no IDX file of the right shape, the counts of images and labels differ, or a label
 *   is not below 10
 * @see torchvision.datasets.FashionMNIST; Xiao et al. 2017 (arXiv:1708.07747)
 *
 * @example
 * const { train, test } = await loadFashionMnist(fetchReader("data/fashion-mnist/"));
 * train.count; // 10000
 */
export async function loadFashionMnist(
  read: (name: string) => Promise<Uint8Array>,
): Promise<{ train: LabeledImages; test: LabeledImages }> {
  const { trainImages, trainLabels, testImages, testLabels } = FASHION_MNIST_FILES;
  const [train, test] = await Promise.all([
    loadPart(read, trainImages, trainLabels),
    loadPart(read, testImages, testLabels),
  ]);
  return { train, test };
}

/** How far a file is. */
export interface FetchProgress {
  readonly name: string;
  /** Bytes that are here. */
  readonly loaded: number;
  /** Bytes in all; null where the server does not say, or sends other bytes than those of the file: of another address that may show later. */
  readonly total: number | null;
}

/**
 * A `read` function that fetches files below an address.
 *
 * @param baseUrl folder of the files, with or without a slash at its end
 * @param options.onProgress hears of every file: when it begins, and as its parts arrive
 * @returns for `loadFashionMnist`; its promise rejects with a ValueError if a file cannot be fetched, or not all of it
 *
 * @example
 * const read = fetchReader("data/fashion-mnist", { onProgress: ({ name, loaded }) => console.log(name, loaded) });
 */
export function fetchReader(
  baseUrl: string,
  { onProgress }: { readonly onProgress?: (progress: FetchProgress) => void } = {},
): (name: string) => Promise<Uint8Array> {
  const folder = baseUrl === "" || baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
  return async (name) => {
    const url = folder + name;
    const unreachable = (got: string, cause?: unknown): ValueError =>
      new ValueError(`fetchReader: ${url} must be reachable, got ${got}. Check the address and the connection.`, {
        cause,
      });
    const arriving = <T>(promise: Promise<T>): Promise<T> =>
      promise.catch((cause: unknown) => {
        throw unreachable(String(cause), cause);
      });
    const response = await arriving(fetch(url));
    if (!response.ok) throw unreachable(`status ${response.status}`);
    if (!onProgress || !response.body) return new Uint8Array(await arriving(response.arrayBuffer())); // the connection may break here, too
    return followed(response, arriving, (loaded, total) => onProgress({ name, loaded, total }));
  };
}

/** The bytes of a body, of which one hears as they arrive. */
async function followed(
  response: Response,
  arriving: <T>(promise: Promise<T>) => Promise<T>,
  heard: (loaded: number, total: number | null) => void,
): Promise<Uint8Array> {
  const reader = response.body!.getReader();
  const total = lengthOf(response);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  try {
    for (;;) {
      heard(loaded, total !== null && loaded <= total ? total : null);
      const { done, value } = await arriving(reader.read());
      if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
      chunks.push(value);
      loaded += value.byteLength;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // where somebody threw: nobody listens any more
  }
}

/** Bytes of a body, where they are those that are sent. Another address hides its encoding from pages. */
function lengthOf({ headers }: Response): number | null {
  const length = Number(headers.get("content-length") ?? NaN);
  return headers.has("content-encoding") || !Number.isSafeInteger(length) ? null : length;
}

async function loadPart(
  read: (name: string) => Promise<Uint8Array>,
  imagesName: string,
  labelsName: string,
): Promise<LabeledImages> {
  const [images, labels] = await Promise.all([readFile(read, imagesName), readFile(read, labelsName)]);
  const [count = 0, height, width] = images.shape;
  if (!(images.data instanceof Uint8Array) || images.shape.length !== 3 || height !== SIDE || width !== SIDE) {
    throw new FormatError(
      `loadFashionMnist: ${imagesName} must hold u8 [count, ${SIDE}, ${SIDE}], got ${describe(images)}. Pass the published file.`,
    );
  }
  if (!(labels.data instanceof Uint8Array) || labels.shape.length !== 1) {
    throw new FormatError(
      `loadFashionMnist: ${labelsName} must hold u8 [count], got ${describe(labels)}. Pass the published file.`,
    );
  }
  if (labels.data.length !== count) {
    throw new FormatError(
      `loadFashionMnist: images and labels must be as many, got ${count} in ${imagesName} and ${labels.data.length} in ` +
        `${labelsName}. Take both from the same place.`,
    );
  }
  const wrong = labels.data.findIndex((label) => label >= FASHION_MNIST_CLASSES.length);
  if (wrong >= 0) {
    throw new FormatError(
      `loadFashionMnist: labels must be below ${FASHION_MNIST_CLASSES.length}, got ${labels.data[wrong]} at ${wrong} in ` +
        `${labelsName}. Pass the published file.`,
    );
  }
  return { images: images.data, labels: labels.data, count, height, width, channels: 1 };
}

/** An IDX file, its name added to the message if it is broken. */
async function readFile(read: (name: string) => Promise<Uint8Array>, name: string): Promise<IdxArray> {
  const bytes = await read(name);
  return readIdx(bytes).catch((cause: unknown) => {
    throw cause instanceof FormatError ? new FormatError(`${cause.message} (file ${name})`, { cause }) : cause;
  });
}

const describe = ({ dtype, shape }: IdxArray): string => `${dtype} [${shape.join(", ")}]`;
