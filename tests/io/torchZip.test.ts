import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { readTorch } from "../../src/io";
import { crc32 } from "../../src/io/crc32";
import { readZip } from "../../src/io/torch/readZip";
import { writeZip, type ZipEntry } from "../../src/io/torch/writeZip";
import { bytes, op, pickle, storage, zipOf } from "../helpers/pickles";

const one: ZipEntry = { name: "a/data.pkl", bytes: pickle("N") };
const CENTRAL = bytes("PK", 1, 2);

/** The file with 16 bits changed in the n-th entry of the directory, or in its local header. */
function patched(file: Uint8Array, field: number, value: number, { entry = 0, isLocal = false } = {}): Uint8Array {
  const copy = file.slice();
  const view = new DataView(copy.buffer);
  let at = new DataView(file.buffer).getUint32(file.length - 6, true);
  for (let index = 0; index < entry; index++) at += 46 + view.getUint16(at + 28, true);
  view.setUint16((isLocal ? view.getUint32(at + 42, true) : at) + field, value, true);
  return copy;
}

/** Two entries, of which the second lies in the first one's bytes. */
function nested(): Uint8Array {
  const inner = writeZip([one]);
  const outer: ZipEntry = { name: "a/o", bytes: inner.slice(0, directoryAt(inner)) };
  return patched(writeZip([outer, one]), 42, 64, { entry: 1 }); // the first entry's bytes begin at 64
}

/** The file with the numbers of its only entry in a zip64 extra field; `take` of its bytes. */
function zip64(file: Uint8Array, take = 24): Uint8Array {
  const view = new DataView(file.buffer);
  const at = view.getUint32(file.length - 6, true);
  const [entry, end] = [file.slice(at, -22), file.slice(-22)];
  const [stored, length] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
  const extra = bytes(
    1,
    0,
    take,
    0,
    new Uint8Array(BigUint64Array.of(BigInt(length), BigInt(stored), 0n).buffer, 0, take),
  );
  const entryView = new DataView(entry.buffer);
  for (const field of [20, 24, 42]) entryView.setUint32(field, 0xffffffff, true);
  entryView.setUint16(30, extra.length, true);
  new DataView(end.buffer).setUint32(12, entry.length + extra.length, true);
  return bytes(file.subarray(0, at), entry, extra, end);
}

describe("zip files", () => {
  test("crc32 gives the check value of its polynomial", () => {
    expect(crc32(bytes("123456789"))).toBe(0xcbf43926);
    expect(crc32(bytes())).toBe(0);
    expect(crc32(bytes("6789"), crc32(bytes("12345")))).toBe(0xcbf43926);
  });

  test("read what was written, whatever the lengths", () => {
    const entries = [0, 1, 63, 64, 65, 1000].map((length) => ({
      name: `ü/${length}`,
      bytes: new Uint8Array(length).fill(7),
    }));
    const read = readZip(writeZip(entries));
    expect([...read].map(([name, each]) => ({ name, bytes: new Uint8Array(each) }))).toEqual(entries);
    expect(readZip(writeZip([]))).toEqual(new Map());
  });

  test("may have numbers of 64 bits", () => {
    expect(readTorch(zip64(writeZip([one])))).toBe(null);
  });

  const file = zipOf(pickle("N"));
  const storedTwice = writeZip([one, one]);
  test.each([
    ["a compressed entry", patched(file, 10, 8), "compression method 8"],
    ["an encrypted entry", patched(file, 8, 1), "must not be encrypted"],
    ["a comment of an entry", patched(file, 32, 1), "must have no comment"],
    ["a header that says compressed", patched(file, 8, 8, { isLocal: true }), "must say that it is stored"],
    ["a header with another name", patched(file, 30, 0x4141, { isLocal: true }), "must have its name"],
    ["a header with another size", patched(file, 22, 9, { isLocal: true }), "must tell what the directory does"],
    ["a header that is none", patched(file, 0, 0, { isLocal: true }), "must begin as torch.save"],
    ["an entry in another one's place", patched(file, 42, 0, { entry: 1 }), "must have its name"],
    [
      "an entry that reaches into the next",
      patched(patched(file, 24, 200), 20, 200),
      "must tell what the directory does",
    ],
    ["an entry longer than it is stored", patched(file, 24, 3), "must be stored as long as it is"],
    ["an offset beyond the file", patched(file, 44, 0x7fff), "a header where the directory says"],
    ["an entry within another one", nested(), "must lie one after the other"],
    ["one name twice", storedTwice, "a name of its own"],
    ["one entry too many", patched(file, file.length - 22 + 10 - directoryAt(file), 4), "only some"],
    ["numbers of 64 bits that are missing", zip64(writeZip([one]), 8), "must have its numbers of 64 bits"],
    ["bytes after the directory", bytes(file, 0), "must end with the directory"],
    [
      "bytes before the directory",
      bytes(file.subarray(0, directoryAt(file)), 0, file.subarray(directoryAt(file))),
      "must end with the directory",
    ],
    ["no pickle", writeZip([{ name: "a/version", bytes: bytes("3\n") }]), "must have one data.pkl, in a folder, got 0"],
    ["a pickle in no folder", writeZip([{ ...one, name: "data.pkl" }]), "in a folder, got 0"],
    ["two pickles", writeZip([one, { ...one, name: "b/data.pkl" }]), "in a folder, got 2"],
    ["a program", writeZip([one, { ...one, name: "a/constants.pkl" }]), "a program of torch.jit.save"],
    ["another byte order", writeZip([one, { name: "a/byteorder", bytes: bytes("big") }]), 'little-endian, got "big"'],
    [
      "a second pickle behind the first",
      zipOf(pickle("N", ".", 0x80, 2, "N")),
      "must hold one pickle, got 4 bytes more",
    ],
    [
      "a storage without its entry",
      writeZip([{ ...one, bytes: pickle(op.tuple(storage())) }]),
      "must have 16 bytes, as the pickle says, got none",
    ],
  ])("are refused with %s", (_, damaged, message) => {
    expect(() => readTorch(damaged)).toThrow(FormatError);
    expect(() => readTorch(damaged)).toThrow(message);
  });

  test("may say that they are little-endian", () => {
    expect(readTorch(writeZip([one, { name: "a/byteorder", bytes: bytes("little") }]))).toBe(null);
  });
});

function directoryAt(file: Uint8Array): number {
  const at = file.findIndex((_, start) => CENTRAL.every((byte, index) => file[start + index] === byte));
  expect(at).toBe(new DataView(file.buffer).getUint32(file.length - 6, true));
  return at;
}
