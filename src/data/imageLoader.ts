/** Batches of images from where they lie, read ahead of the training that needs them. */

import { ValueError } from "../errors";
import { checkOptionNames, describe } from "../options";
import { checkSource, type ImageSource, readRows } from "./imageSource";
import { EpochSampler } from "./sampler";

/** Options of `ImageLoader`. */
export interface ImageLoaderOptions {
  /** Batches that are read ahead of the next one, 0 or more; default 2. The bytes of `prefetchFactor + 1` batches are held by it. */
  readonly prefetchFactor?: number;
}

/** Some images. */
export interface ImageBatch {
  /** i32 `[n]`: which images they are. */
  readonly rows: Int32Array;
  /** `[n, channels, height, width]` */
  readonly images: Uint8Array;
}

/** A batch that is being read. */
interface Reading {
  /** Where the sampler is before it. */
  readonly place: string;
  /** Rejects as the source does. */
  readonly images: Promise<Uint8Array>;
  /** Once they are here. */
  bytes: Uint8Array | null;
}

/**
 * Reads batches, those to come while the last one is worked on. The sampler says which, and is moved by `next` alone: its state is that of
 * the batches that were given out, whatever has been read ahead, and fit for a checkpoint. Loaded with another state, it is followed
 * there.
 *
 * @throws ValueError for options or sizes outside their range, or a sampler of another number of images
 * @see torch.utils.data.DataLoader: prefetch_factor
 *
 * @example
 * const images = await openImages(file);
 * const loader = new ImageLoader(images, new EpochSampler(images.count, { batchSize: 256 }));
 * for await (const batch of loader) trainOn(tensor(batch.images, { shape: [256, 3, 64, 64] })); // an epoch
 */
export class ImageLoader implements AsyncIterable<ImageBatch> {
  private readonly prefetchFactor: number;
  /** Goes ahead of the sampler. */
  private readonly ahead: EpochSampler;
  /** In order; the first one is the next batch. */
  private readings: Reading[] = [];

  constructor(
    readonly images: ImageSource,
    readonly sampler: EpochSampler,
    options: ImageLoaderOptions = {},
  ) {
    checkOptionNames("ImageLoader", options, ["prefetchFactor"]);
    checkSource("ImageLoader", images);
    const { prefetchFactor = 2 } = options;
    if (!Number.isInteger(prefetchFactor) || prefetchFactor < 0) {
      throw new ValueError(
        `ImageLoader: prefetchFactor must be an integer of 0 or more, got ${describe(prefetchFactor)}. Pass a number of batches.`,
      );
    }
    if (sampler.count !== images.count) {
      throw new ValueError(
        `ImageLoader: the sampler must be of as many rows as there are images, got ${sampler.count} and ${images.count}. Write new EpochSampler(images.count, ...).`,
      );
    }
    this.prefetchFactor = prefetchFactor;
    const { batchSize, dropLast, shuffle, seed } = sampler.stateDict();
    this.ahead = new EpochSampler(images.count, { batchSize, dropLast, shuffle, seed });
  }

  /** Whether `next` can give the sampler's next batch: `ready` has waited for it. */
  get isReady(): boolean {
    const [head] = this.readings;
    return head !== undefined && head.bytes !== null && head.place === placeOf(this.sampler);
  }

  /**
   * Waits until the sampler's next batch is here, and starts to read those after it.
   *
   * @throws what the source throws, ShapeError if it gives other bytes than it was asked for; the next call reads the batch anew
   */
  async ready(): Promise<void> {
    while (!this.isReady) {
      const head = this.follow();
      try {
        head.bytes = await head.images;
      } catch (error) {
        if (head.place !== placeOf(this.sampler)) continue; // nobody wants it any more
        if (this.readings.includes(head)) this.restart();
        throw error;
      }
    }
    this.follow();
  }

  /**
   * The sampler's next batch, which `ready` has waited for.
   *
   * @throws ValueError if it has not been read yet; the sampler stays where it is
   */
  next(): ImageBatch {
    const [head, ...rest] = this.readings;
    if (!head?.bytes || !this.isReady) {
      throw new ValueError(
        "ImageLoader: the next batch must be here, got one that is still to be read. Write await loader.ready() in front of each next().",
      );
    }
    this.readings = rest;
    return { rows: this.sampler.next(), images: head.bytes };
  }

  /** The batches that are left of the current epoch. Who leaves the loop early goes on from there. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ImageBatch> {
    const { epoch } = this.sampler;
    while (this.sampler.epoch === epoch) {
      await this.ready();
      yield this.next();
    }
  }

  /** Reads on from where the sampler is; gives the next batch. */
  private follow(): Reading {
    const next = this.readings[0]?.place ?? placeOf(this.ahead);
    if (next !== placeOf(this.sampler)) this.restart();
    while (this.readings.length <= this.prefetchFactor) this.readings.push(this.read());
    return this.readings[0]!;
  }

  /** Forgets what was read. */
  private restart(): void {
    this.readings = [];
    this.ahead.loadStateDict(this.sampler.stateDict());
  }

  private read(): Reading {
    const place = placeOf(this.ahead);
    const images = readRows("ImageLoader", this.images, this.ahead.next());
    images.catch(() => {}); // who waits for it hears of it
    return { place, images, bytes: null };
  }
}

/** Where a sampler is, of all places it could be. */
function placeOf(sampler: EpochSampler): string {
  const { seed, epoch, position } = sampler.stateDict();
  return `${seed} ${epoch} ${position}`;
}
