/** Writes pickles of protocol 2, with the opcodes that `unpickle` reads. */

import type { FileArray } from "../fileArray";
import { ByteWriter } from "./byteWriter";
import { STORAGES } from "./globals";
import { isTorchTensor, type TorchKey, type TorchValue } from "./values";

/** Where a tensor lies: a storage's place in the file, and its first element in there. */
export interface Placed {
  readonly storage: number;
  readonly storageCount: number;
  readonly offset: number;
}

const [MARK, STOP, NONE, TRUE, FALSE, TUPLE, REDUCE] = [0x28, 0x2e, 0x4e, 0x88, 0x89, 0x74, 0x52] as const;
const [EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, APPENDS, SETITEMS, PERSISTENT_ID] = [
  0x29, 0x5d, 0x7d, 0x65, 0x75, 0x51,
] as const;

/** Writes one value, which has been checked. */
export class Pickler {
  private readonly out = new ByteWriter();
  /** Places of names and strings in the memo. */
  private readonly memo = new Map<string, number>();

  constructor(private readonly placed: ReadonlyMap<FileArray, Placed>) {}

  pickle(value: TorchValue): Uint8Array {
    this.out.u8(0x80, 2);
    this.value(value);
    return this.out.u8(STOP).bytes;
  }

  private value(value: TorchValue): void {
    if (value === null) this.out.u8(NONE);
    else if (typeof value === "boolean") this.out.u8(value ? TRUE : FALSE);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "bigint") this.long(value);
    else if (typeof value === "string") this.text(value);
    else if (isTorchTensor(value)) this.tensor(value);
    else if (Array.isArray(value)) this.list(value as readonly TorchValue[]);
    else this.dict(value instanceof Map ? (value as ReadonlyMap<TorchKey, TorchValue>) : Object.entries(value));
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.out.u8(0x47).f64BigEndian(value);
    else if (value >= 0 && value < 256) this.out.u8(0x4b, value);
    else if (value === (value | 0)) this.out.u8(0x4a).u32(value >>> 0);
    else this.long(BigInt(value));
  }

  /** As few bytes as hold it in two's complement. */
  private long(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value; bytes.length === 0 || BigInt.asIntN(8 * bytes.length, value) !== value; rest >>= 8n)
      bytes.push(Number(rest & 0xffn));
    this.out.u8(0x8a, bytes.length, ...bytes);
  }

  private text(text: string): void {
    this.once(`text ${text}`, () => {
      const bytes = new TextEncoder().encode(text);
      this.out.u8(0x58).u32(bytes.length).append(bytes);
    });
  }

  private global(module: string, name: string): void {
    this.once(`global ${module} ${name}`, () => this.out.u8(0x63).text(`${module}\n${name}\n`));
  }

  /** Writes something once, and afterwards where it is in the memo. */
  private once(key: string, write: () => void): void {
    const known = this.memo.get(key);
    if (known !== undefined) {
      this.place(0x68, 0x6a, known);
      return;
    }
    write();
    this.place(0x71, 0x72, this.memo.size);
    this.memo.set(key, this.memo.size);
  }

  private place(short: number, long: number, index: number): void {
    if (index < 256) this.out.u8(short, index);
    else this.out.u8(long).u32(index);
  }

  private list(items: readonly TorchValue[]): void {
    this.out.u8(EMPTY_LIST, MARK);
    for (const item of items) this.value(item);
    this.out.u8(APPENDS);
  }

  private dict(items: Iterable<readonly [TorchKey, TorchValue]>): void {
    this.out.u8(EMPTY_DICT, MARK);
    for (const [key, item] of items) {
      this.value(key);
      this.value(item);
    }
    this.out.u8(SETITEMS);
  }

  /** `_rebuild_tensor_v2(storage, offset, sizes, strides, False, OrderedDict())` */
  private tensor(array: FileArray): void {
    const { storage, storageCount, offset } = this.placed.get(array)!;
    this.global("torch._utils", "_rebuild_tensor_v2");
    this.out.u8(MARK, MARK);
    this.text("storage");
    const [module, name] = nameOfStorage(array.dtype).split(".") as [string, string];
    this.global(module, name);
    this.text(String(storage));
    this.text("cpu");
    this.number(storageCount);
    this.out.u8(TUPLE, PERSISTENT_ID);
    this.number(offset);
    this.sizes(array.shape);
    this.sizes(stridesOf(array.shape));
    this.out.u8(FALSE);
    this.global("collections", "OrderedDict");
    this.out.u8(EMPTY_TUPLE, REDUCE, TUPLE, REDUCE);
  }

  private sizes(sizes: readonly number[]): void {
    this.out.u8(MARK);
    for (const size of sizes) this.number(size);
    this.out.u8(TUPLE);
  }
}

const nameOfStorage = (dtype: string): string => [...STORAGES].find(([, each]) => each === dtype)![0];

/** Strides of a tensor whose values lie in row-major order. */
function stridesOf(shape: readonly number[]): number[] {
  let step = 1;
  return shape
    .toReversed()
    .map((size) => {
      const stride = step;
      step *= Math.max(size, 1);
      return stride;
    })
    .reverse();
}
