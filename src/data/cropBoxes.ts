/** The boxes of random crops, drawn on the device: from a table by random words, so that every device draws the same ones. */

import { tensor } from "../creation";
import type { Device } from "../device";
import { where } from "../functions";
import { type Generator, randomBits } from "../random";
import type { Tensor } from "../tensor";
import { type CropOptions, type CropSize, cropTable, FIXED_ONE, subpixelCropTable } from "./cropTable";

/** What all random transformations take. */
export interface Drawn {
  /** Default: the device's own. */
  readonly generator?: Generator;
}

interface SubpixelOption {
  /** Whether boxes start and end anywhere, in units of 1/65536 pixel; default false. */
  readonly subpixel?: boolean;
}

/** Boxes in pixels, or in 1/65536 pixel with `subpixel`; i32 `[n]` each. */
export interface CropBoxes {
  readonly top: Tensor;
  readonly left: Tensor;
  readonly height: Tensor;
  readonly width: Tensor;
}

/**
 * The boxes that `randomResizedCrop` crops: a size from a table by 16 random bits, and a corner by an exact integer
 * multiplication, so that they are the same on every device.
 *
 * @shape images `[m, c, h, w]` -> `[n]` each
 * @throws ValueError if scale or ratio are no ranges of positive numbers
 *
 * @example
 * const { top, left, height, width } = drawBoxes(images, 64, { scale: [0.2, 1], generator });
 */
export function drawBoxes(
  images: Tensor,
  n: number,
  { generator, ...options }: CropOptions & SubpixelOption & Drawn = {},
): CropBoxes {
  const bits = randomBits([3, n], { device: images.device, ...(generator && { generator }) });
  const { table, ...rest } = cropsOf(images, options);
  const sizes = table.indexSelect(0, entriesOf(bits)); // [n, 3]
  const columns = [sizes.select(1, 0), sizes.select(1, 1)] as const;
  const isCentre = rest.hasCentres ? sizes.select(1, 2).ne(0) : null;
  return boxesOf(bits, rest, (column) => (column === 2 ? isCentre! : columns[column]));
}

/**
 * The boxes that three rows of random words draw, u32 `[3 or more, n]`, for a kernel that also makes something else of these words: each
 * use of a size looks it up anew, so that no launch has to keep it.
 */
export function boxesInPlace(images: Tensor, bits: Tensor, options: CropOptions & SubpixelOption): CropBoxes {
  const { table, ...rest } = cropsOf(images, options);
  return boxesOf(bits, rest, (column) => {
    const found = table.select(1, column).gather(0, entriesOf(bits)); // [n]
    return column === 2 ? found.ne(0) : found;
  });
}

/** Which entries of a crop table are drawn. */
const entriesOf = (bits: Tensor): Tensor => bits.select(0, 0).bitwiseRightShift(16).int();

/** A table of crops, and the sides of images in its unit. */
function cropsOf(images: Tensor, { scale, ratio, subpixel = false }: CropOptions & SubpixelOption): Crops {
  const [height, width] = images.shape.slice(2) as [number, number];
  const unit = subpixel ? FIXED_ONE : 1;
  const options = { subpixel, ...(scale && { scale }), ...(ratio && { ratio }) };
  return { ...tableOn(images.device, height, width, options), height: unit * height, width: unit * width };
}

interface Crops extends DeviceTable {
  readonly height: number;
  readonly width: number;
}

/** @param drawn height, width, and whether a box is the centre, by the table's column */
function boxesOf(
  bits: Tensor,
  { height, width, hasCentres }: Omit<Crops, "table">,
  drawn: (column: 0 | 1 | 2) => Tensor,
): CropBoxes {
  const room = (column: 0 | 1): Tensor =>
    drawn(column)
      .neg()
      .add(column === 0 ? height : width);
  const corner = (column: 0 | 1): Tensor => {
    const word = bits.select(0, column + 1);
    const anywhere = word.mulHigh(room(column).add(1).to("u32")).int();
    return hasCentres ? where(drawn(2), room(column).bitwiseRightShift(1), anywhere) : anywhere;
  };
  return { top: corner(0), left: corner(1), height: drawn(0), width: drawn(1) };
}

/** A crop table on a device, and whether some of its entries are the image's centre. */
interface DeviceTable {
  readonly table: Tensor;
  readonly hasCentres: boolean;
}

/** Tables by device and by what they are made for. */
const tables = new WeakMap<Device, Map<string, DeviceTable>>();

function tableOn(
  device: Device,
  height: number,
  width: number,
  options: CropOptions & { subpixel: boolean },
): DeviceTable {
  const known = tables.get(device) ?? new Map<string, DeviceTable>();
  tables.set(device, known);
  const key = JSON.stringify([height, width, options]);
  let table = known.get(key);
  if (!table) {
    const sizes: CropSize[] = (options.subpixel ? subpixelCropTable : cropTable)(height, width, options);
    table = {
      table: tensor(Int32Array.from(sizes.flat()), { shape: [sizes.length, 3], device }),
      hasCentres: sizes.some(([, , isCentre]) => isCentre === 1),
    };
    known.set(key, table);
  }
  return table;
}
