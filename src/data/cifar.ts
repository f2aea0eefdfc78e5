/**
 * CIFAR-10 and CIFAR-100 in their binary versions: a record is one label (two for CIFAR-100, the coarse one first) and
 * 3 x 32 x 32 bytes, all red ones, then green, then blue. Where files come from is the caller's.
 */

import { FormatError, ValueError } from "../errors";
import type { LabeledImages } from "./labeledImages";
import { CIFAR10_CLASSES, CIFAR100_CLASSES } from "./cifarClasses";

/** Names of the files of cifar-10-binary.tar.gz. */
export const CIFAR10_FILES = {
  train: ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
  test: ["test_batch.bin"],
} as const;

/** Names of the files of cifar-100-binary.tar.gz. */
export const CIFAR100_FILES = { train: ["train.bin"], test: ["test.bin"] } as const;

/** Mean and standard deviation of each channel of CIFAR-10's training images, in 0 to 1. */
export const CIFAR10_STATISTICS = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] } as const;

/** As `CIFAR10_STATISTICS`. */
export const CIFAR100_STATISTICS = { mean: [0.5071, 0.4866, 0.4409], std: [0.2673, 0.2564, 0.2762] } as const;

/** Names of the files of each part. */
export interface CifarFiles {
  readonly train: readonly string[];
  readonly test: readonly string[];
}

const SIDE = 32;
const IMAGE_BYTE_LENGTH = 3 * SIDE * SIDE;

/** How the records of a file are laid out. */
interface Layout {
  readonly op: string;
  /** Bytes in front of an image. */
  readonly labelBytes: number;
  /** Which of them is the label. */
  readonly labelAt: number;
  readonly numClasses: number;
}

const CIFAR10: Layout = { op: "parseCifar10", labelBytes: 1, labelAt: 0, numClasses: CIFAR10_CLASSES.length };
const CIFAR100: Layout = { op: "parseCifar100", labelBytes: 2, labelAt: 1, numClasses: CIFAR100_CLASSES.length };

/**
 * Reads one file of CIFAR-10's binary version, or several as one.
 *
 * @param files bytes of each
 * @returns images `[count, 3, 32, 32]`; labels index CIFAR10_CLASSES
 * @throws FormatError if a file is no whole number of records of 3073 bytes, or a label is not below 10; ValueError without any file
 * @see Krizhevsky 2009; torchvision.datasets.CIFAR10
 *
 * @example
 * const { images, labels } = parseCifar10(new Uint8Array(await file.arrayBuffer()));
 */
export const parseCifar10 = (...files: readonly Uint8Array[]): LabeledImages => parse(CIFAR10, files);

/** As `parseCifar10`, for CIFAR-100: 3074 bytes a record, and the fine labels, which index CIFAR100_CLASSES. */
export const parseCifar100 = (...files: readonly Uint8Array[]): LabeledImages => parse(CIFAR100, files);

/**
 * Loads the training and the test part of CIFAR-10.
 *
 * @shape images `[count, 3, 32, 32]`: 50,000 and 10,000 of all files
 * @param read gives the bytes of a file by its name
 * @param files which files are of which part; default all, CIFAR10_FILES
 * @throws FormatError as `parseCifar10`, with the name of the file; ValueError if a part has no files
 *
 * @example
 * const { train, test } = await loadCifar10(fetchReader("data/cifar-10-batches-bin/"));
 */
export const loadCifar10 = (
  read: (name: string) => Promise<Uint8Array>,
  files: CifarFiles = CIFAR10_FILES,
): Promise<Parts> => load(CIFAR10, files, read);

/** As `loadCifar10`; the files are CIFAR100_FILES. */
export const loadCifar100 = (
  read: (name: string) => Promise<Uint8Array>,
  files: CifarFiles = CIFAR100_FILES,
): Promise<Parts> => load(CIFAR100, files, read);

interface Parts {
  readonly train: LabeledImages;
  readonly test: LabeledImages;
}

async function load(layout: Layout, files: CifarFiles, read: (name: string) => Promise<Uint8Array>): Promise<Parts> {
  const part = async (names: readonly string[]): Promise<LabeledImages> =>
    parse(layout, await Promise.all(names.map((name) => read(name))), names);
  const [train, test] = await Promise.all([part(files.train), part(files.test)]);
  return { train, test };
}

function parse(layout: Layout, files: readonly Uint8Array[], names: readonly string[] = []): LabeledImages {
  if (files.length === 0)
    throw new ValueError(`${layout.op}: there must be files, got none. Pass one at least for each part.`);
  const record = layout.labelBytes + IMAGE_BYTE_LENGTH;
  files.forEach((file, index) => checkFile(layout, file, nameOf(names, index)));
  const count = files.reduce((total, { length }) => total + length / record, 0);
  const images = new Uint8Array(count * IMAGE_BYTE_LENGTH);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const file of files) {
    for (let start = 0; start < file.length; start += record, at++) {
      labels[at] = file[start + layout.labelAt]!;
      images.set(file.subarray(start + layout.labelBytes, start + record), at * IMAGE_BYTE_LENGTH);
    }
  }
  return { images, labels, count, height: SIDE, width: SIDE, channels: 3 };
}

/** Checks length and labels before anything is copied. */
function checkFile({ op, labelBytes, labelAt, numClasses }: Layout, file: Uint8Array, name: string): void {
  const record = labelBytes + IMAGE_BYTE_LENGTH;
  if (file.length === 0 || file.length % record !== 0) {
    throw new FormatError(
      `${op}: a file must be a whole number of records of ${record} bytes, got ${file.length} bytes${name}. Pass a file of the binary version, unpacked.`,
    );
  }
  for (let start = 0; start < file.length; start += record) {
    const label = file[start + labelAt]!;
    if (label < numClasses) continue;
    throw new FormatError(
      `${op}: labels must be below ${numClasses}, got ${label} in record ${start / record}${name}. Pass a file of the binary version, unpacked.`,
    );
  }
}

const nameOf = (names: readonly string[], index: number): string => (names[index] ? ` of ${names[index]}` : "");
