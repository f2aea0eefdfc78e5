/** Images that are read when they are needed: those of a file or an array that is larger than a GPU's memory, a batch at a time. */

import { DTypeError, IndexError, ShapeError } from "../errors";
import { showShape } from "../graph/shape";
import { checkCounts, describe } from "../options";
import { ChannelSums, type ChannelStatistics, type LabeledImages } from "./labeledImages";

/** Where images come from, one of one's own too. `MoCoTrainer`, `featuresOf` and others take it in place of a tensor of all images. */
export interface ImageSource {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /**
   * Bytes of some images, `[rows.length, channels, height, width]`, in the order of the row numbers: an array of its own each time, which is
   * not written to any more. It may be called again before it has answered.
   */
  read(rows: Int32Array): Promise<Uint8Array>;
}

/** Whether something is no tensor, but a place to read images from. */
export const isImageSource = (images: unknown): images is ImageSource =>
  typeof images === "object" && images !== null && typeof (images as { read?: unknown }).read === "function";

/**
 * Images of the host's memory, for a device that cannot hold them all.
 *
 * @throws ShapeError if there are not as many bytes as images have
 *
 * @example
 * const { train } = await loadCifar10(read); // 146 MiB, more than a binding of WebGPU's default limits
 * const trainer = new MoCoTrainer(imageSource(train), resnet18, RECIPES.cifar);
 */
export function imageSource(data: LabeledImages): ImageSource {
  const { images, count, channels, height, width } = data;
  checkCounts("imageSource", { count, channels, height, width });
  const byteLength = channels * height * width;
  if (images.length !== count * byteLength) {
    throw new ShapeError(
      `imageSource: there must be bytes for ${showShape([count, channels, height, width])}, got ${images.length}. Pass images as the loaders give them.`,
    );
  }
  const source: ImageSource = {
    ...{ count, channels, height, width },
    read: async (rows) => {
      checkRows("imageSource", source, rows);
      const bytes = new Uint8Array(rows.length * byteLength);
      rows.forEach((row, place) =>
        bytes.set(images.subarray(row * byteLength, (row + 1) * byteLength), place * byteLength),
      );
      return bytes;
    },
  };
  return source;
}

/**
 * Some images of a source, in an order of one's own: a training part of them, say.
 *
 * @param rows which images; row `i` of the result is row `rows[i]` of the source
 * @throws IndexError for images that are not there, DTypeError or ValueError if the source is none
 *
 * @example
 * const bank = selectImages(images, Array.from({ length: 10_000 }, (_, row) => row));
 */
export function selectImages(images: ImageSource, rows: ArrayLike<number>): ImageSource {
  checkSource("selectImages", images);
  checkRows("selectImages", images, rows);
  const chosen = Int32Array.from(rows);
  const { channels, height, width } = images;
  const source: ImageSource = {
    ...{ count: chosen.length, channels, height, width },
    read: async (places) => {
      checkRows("selectImages", source, places);
      return images.read(places.map((place) => chosen[place]!));
    },
  };
  return source;
}

/** About as many bytes are counted at once. */
const COUNTED_BYTE_LENGTH = 2 ** 22;

/**
 * Mean and standard deviation of each channel, in 0 to 1, as `channelStatistics`. All images are read, some at a time.
 *
 * @throws DTypeError, ValueError or ShapeError if it is no source or gives other bytes than it is asked for; what the source throws
 *
 * @example
 * const { mean, std } = await sourceStatistics(selectImages(images, rows.train));
 */
export async function sourceStatistics(images: ImageSource): Promise<ChannelStatistics> {
  checkSource("sourceStatistics", images);
  const { count, channels, height, width } = images;
  const sums = new ChannelSums(channels, height * width);
  const atOnce = Math.ceil(COUNTED_BYTE_LENGTH / (channels * height * width));
  for (let start = 0; start < count; start += atOnce) {
    const rows = Int32Array.from({ length: Math.min(atOnce, count - start) }, (_, row) => start + row);
    sums.add(await readRows("sourceStatistics", images, rows));
  }
  return sums.statistics();
}

/** Checks that a source is one, and its sizes. */
export function checkSource(op: string, images: ImageSource): void {
  if (!isImageSource(images)) {
    throw new DTypeError(
      `${op}: images must be a tensor or have a method read(rows), got ${describe(images)}. Pass imageSource(data) or await openImages(file).`,
    );
  }
  const { count, channels, height, width } = images;
  const sizes = Object.entries({ count, channels, height, width }).map(([name, value]) => [`${name} of the images`, value] as const); // prettier-ignore
  checkCounts(op, Object.fromEntries(sizes), "Say how many images there are, and their size.");
}

/**
 * Reads some images, and checks that they came.
 *
 * @throws IndexError for rows that are not there; ShapeError if the source gives other bytes than were asked for; what the source throws
 */
export async function readRows(op: string, images: ImageSource, rows: Int32Array): Promise<Uint8Array> {
  checkRows(op, images, rows);
  const bytes: unknown = await images.read(rows);
  const shape = [rows.length, images.channels, images.height, images.width];
  const length = shape.reduce((product, size) => product * size, 1);
  if (bytes instanceof Uint8Array && bytes.length === length) return bytes;
  const got = bytes instanceof Uint8Array ? `${bytes.length} bytes` : describe(bytes);
  throw new ShapeError(
    `${op}: read(rows) of the images must give ${length} bytes for ${showShape(shape)}, got ${got}. Give all rows that are asked for.`,
  );
}

function checkRows(op: string, { count }: ImageSource, rows: ArrayLike<number>): void {
  const wrong = Array.from(rows).find((row) => !(Number.isInteger(row) && row >= 0 && row < count));
  if (wrong === undefined) return;
  throw new IndexError(`${op}: rows must be in 0..${count - 1}, got ${wrong}. Check the row numbers.`);
}
