/** Pickles put together by hand, and the files around them: what torch.save never wrote. */

import { writeZip } from "../../src/io/torch/writeZip";

type Part = string | number | Uint8Array;

/** Bytes of characters, numbers and bytes. */
export const bytes = (...parts: readonly Part[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number"
        ? [part]
        : typeof part === "string"
          ? Array.from(part, (character) => character.charCodeAt(0))
          : [...part],
    ),
  );

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** Opcodes of protocol 2. */
export const op = {
  global: (module: string, name: string) => bytes("c", module, "\n", name, "\n"),
  text: (text: string) => bytes("X", u32(text.length), text),
  int: (value: number) => bytes("J", u32(value >>> 0)),
  tuple: (...items: readonly Uint8Array[]) => bytes("(", ...items, "t"),
  put: (index: number) => bytes("r", u32(index)),
  get: (index: number) => bytes("j", u32(index)),
  call: (module: string, name: string, ...args: readonly Uint8Array[]) =>
    bytes(op.global(module, name), op.tuple(...args), "R"),
  none: bytes("N"),
  false: bytes(0x89),
  dict: bytes("}"),
  list: bytes("]"),
  ordered: bytes("ccollections\nOrderedDict\n)R"),
};

/** A persistent id of a storage: by default as many floats as `zipOf` gives it. */
export const storage = (count = 4, kind = "FloatStorage", key = "0"): Uint8Array =>
  bytes(op.tuple(op.text("storage"), op.global("torch", kind), op.text(key), op.text("cpu"), op.int(count)), "Q");

/** A tensor over that storage. */
export const tensor = (
  offset: number,
  sizes: readonly number[],
  strides: readonly number[],
  over = storage(),
): Uint8Array =>
  op.call(
    "torch._utils",
    "_rebuild_tensor_v2",
    over,
    op.int(offset),
    op.tuple(...sizes.map(op.int)),
    op.tuple(...strides.map(op.int)),
    op.false,
    op.ordered,
  );

export const pickle = (...parts: readonly Part[]): Uint8Array => bytes(0x80, 2, ...parts, ".");

/** A zip file with this data.pkl and a storage of 16 bytes. */
export const zipOf = (pickle: Uint8Array): Uint8Array =>
  writeZip([
    { name: "archive/data.pkl", bytes: pickle },
    { name: "archive/data/0", bytes: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
    { name: "archive/version", bytes: bytes("3\n") },
  ]);

/** A legacy file with this pickle, and that storage if it is used. */
export function legacyOf(value: Uint8Array): Uint8Array {
  const hasStorage = new TextDecoder("latin1").decode(value).includes("cpu");
  return bytes(
    pickle(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19),
    pickle("M", 0xe9, 0x03),
    pickle("}", op.text("little_endian"), 0x88, "s"),
    value,
    pickle("]", ...(hasStorage ? [op.text("0"), "a"] : [])),
    ...(hasStorage ? [bytes(4, 0, 0, 0, 0, 0, 0, 0), new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)] : []),
  );
}
