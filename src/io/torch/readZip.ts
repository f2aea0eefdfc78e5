/**
 * Zip files as torch.save writes them: entries stored, one after the other, with checksums. Compressed, encrypted, split or
 * overlapping entries and comments are errors, and so are names and sizes that an entry's header and the directory tell differently. Nobody
 * looks at the sizes that follow an entry or that its header has in 64 bits, or at bytes between entries: the directory's sizes and the
 * checksums hold.
 */

import { crc32 } from "../crc32";
import { malformed, quoted } from "./malformed";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;

const [LOCAL_BYTES, CENTRAL_BYTES, END_BYTES, END_64_BYTES, LOCATOR_64_BYTES] = [30, 46, 22, 56, 20];

/** What stands in 32 or 16 bits for a number that is in the zip64 part instead. */
const [ELSEWHERE_32, ELSEWHERE_16] = [0xffffffff, 0xffff];

/** An entry as the central directory tells it. */
interface Entry {
  readonly name: string;
  readonly crc: number;
  readonly byteLength: number;
  /** Of its local header. */
  readonly at: number;
}

/** Where the central directory lies. */
interface Directory {
  readonly count: number;
  readonly at: number;
  readonly end: number;
}

/** Whether a file begins as a zip file does. */
export const isZip = (file: Uint8Array): boolean => file.length >= 4 && viewOf(file).getUint32(0, true) === LOCAL;

/**
 * Entries of a zip file by name; their bytes lie in the file.
 *
 * @throws FormatError for whatever torch.save does not write
 * @see PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3
 */
export function readZip(file: Uint8Array): Map<string, Uint8Array> {
  const view = viewOf(file);
  const directory = directoryOf(view);
  const entries = entriesOf(file, view, directory).sort((a, b) => a.at - b.at);
  const contents = new Map<string, Uint8Array>();
  let free = 0; // the first byte that no entry has taken
  for (const entry of entries) {
    if (contents.has(entry.name))
      throw malformed("every entry must have a name of its own", `${quoted(entry.name)} twice`);
    const at = dataStart(file, view, entry);
    const end = at + entry.byteLength;
    if (entry.at < free || end > directory.at) {
      throw malformed(
        "entries must lie one after the other before the directory",
        `${quoted(entry.name)} at ${entry.at} to ${end}`,
      );
    }
    const bytes = file.subarray(at, end);
    if (crc32(bytes) !== entry.crc) {
      throw malformed(
        `the bytes of ${quoted(entry.name)} must have their checksum`,
        "another one",
        "The file is damaged: copy it again.",
      );
    }
    contents.set(entry.name, bytes);
    free = end;
  }
  return contents;
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

const truncated = (got: string): Error =>
  malformed("the file must end with the directory of a zip file", got, "The file is truncated: copy it again.");

function directoryOf(view: DataView): Directory {
  const end = view.byteLength - END_BYTES;
  if (end < 0 || view.getUint32(end, true) !== END || view.getUint16(end + 20, true) !== 0)
    throw truncated("other bytes");
  if (view.getUint32(end + 4, true) !== 0) throw malformed("the file must be on one disk", "several");
  const count = view.getUint16(end + 10, true);
  const byteLength = view.getUint32(end + 12, true);
  const at = view.getUint32(end + 16, true);
  if (view.getUint16(end + 8, true) !== count) throw malformed("the file must have all entries", "only some");
  const locator = end - LOCATOR_64_BYTES;
  const directory =
    locator >= 0 && view.getUint32(locator, true) === LOCATOR_64
      ? directory64Of(view, locator, { count, byteLength, at })
      : { count, at, byteLength, next: end };
  if (directory.at + directory.byteLength !== directory.next)
    throw truncated(`one of ${directory.byteLength} bytes at ${directory.at}`);
  return { count: directory.count, at: directory.at, end: directory.next };
}

/** The zip64 form: numbers of 64 bits, which those of 32 must agree with unless they say that they are elsewhere. */
function directory64Of(
  view: DataView,
  locator: number,
  short: { readonly count: number; readonly byteLength: number; readonly at: number },
): typeof short & { readonly next: number } {
  const record = u64(view, locator + 8);
  const isWhole =
    record + END_64_BYTES === locator &&
    view.getUint32(record, true) === END_64 &&
    u64(view, record + 4) === END_64_BYTES - 12 &&
    view.getUint32(locator + 4, true) === 0 &&
    view.getUint32(locator + 16, true) === 1 &&
    u64(view, record + 16) === 0 &&
    u64(view, record + 24) === u64(view, record + 32);
  if (!isWhole) throw truncated("a zip64 record that is not whole");
  const long = { count: u64(view, record + 32), byteLength: u64(view, record + 40), at: u64(view, record + 48) };
  const agrees =
    [ELSEWHERE_16, long.count].includes(short.count) &&
    [ELSEWHERE_32, long.byteLength].includes(short.byteLength) &&
    [ELSEWHERE_32, long.at].includes(short.at);
  if (!agrees) throw malformed("both directories must tell the same", "other numbers");
  return { ...long, next: record };
}

/** 64 bits; what no file is as long as becomes infinity. */
function u64(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : Infinity;
}

function entriesOf(file: Uint8Array, view: DataView, { count, at, end }: Directory): Entry[] {
  const entries: Entry[] = [];
  let next = at;
  while (entries.length < count) {
    if (next + CENTRAL_BYTES > end || view.getUint32(next, true) !== CENTRAL)
      throw malformed(`the directory must have ${count} entries`, `${entries.length}`);
    const nameAt = next + CENTRAL_BYTES;
    const extraAt = nameAt + view.getUint16(next + 28, true);
    const afterExtra = extraAt + view.getUint16(next + 30, true);
    if (afterExtra > end) throw malformed("an entry must lie in the directory", "one beyond it");
    const name = nameOf(file.subarray(nameAt, extraAt));
    checkPlain(name, view, next);
    const short = [24, 20, 42].map((field) => view.getUint32(next + field, true));
    const [byteLength, stored, offset] = fields64(name, view, short, extraAt, afterExtra) as [number, number, number];
    if (byteLength !== stored) throw malformed(`${quoted(name)} must be stored as long as it is`, `${stored} bytes`);
    entries.push({ name, crc: view.getUint32(next + 16, true), byteLength, at: offset });
    next = afterExtra;
  }
  if (next !== end) throw malformed("the directory must end after its entries", `${end - next} bytes more`);
  return entries;
}

function checkPlain(name: string, view: DataView, at: number): void {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  if (flags & 0x41) throw malformed("entries must not be encrypted", quoted(name), "Save it with torch.save.");
  if (method !== 0) {
    throw malformed(
      "entries must be stored",
      `compression method ${method} of ${quoted(name)}`,
      "Zip it without compression, as torch.save does.",
    );
  }
  if (view.getUint16(at + 32, true) !== 0 || view.getUint16(at + 34, true) !== 0)
    throw malformed("entries must have no comment and be on one disk", quoted(name));
}

/** Sizes and offset; those that 32 bits did not hold stand in the zip64 extra field, in this order. */
function fields64(name: string, view: DataView, short: readonly number[], at: number, end: number): number[] {
  const field = field64(name, view, at, end);
  return short.map((value) => {
    if (value !== ELSEWHERE_32) return value;
    if (field.at + 8 > field.end) throw malformed(`${quoted(name)} must have its numbers of 64 bits`, "none");
    field.at += 8;
    return u64(view, field.at - 8);
  });
}

/** Where the zip64 extra field lies among an entry's extra fields; an empty place if there is none. */
function field64(name: string, view: DataView, at: number, end: number): { at: number; end: number } {
  for (let next = at; next < end;) {
    const fieldEnd = next + 4 <= end ? next + 4 + view.getUint16(next + 2, true) : Infinity;
    if (fieldEnd > end) throw malformed(`extra fields of ${quoted(name)} must lie in their entry`, "one beyond it");
    if (view.getUint16(next, true) === 1) return { at: next + 4, end: fieldEnd };
    next = fieldEnd;
  }
  return { at: end, end };
}

function nameOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed("names of entries must be UTF-8", `other bytes (${String(cause)})`);
  }
}

/** Where an entry's bytes begin. Its own header must say what the directory says. */
function dataStart(file: Uint8Array, view: DataView, { name, at, crc, byteLength }: Entry): number {
  const nameAt = at + LOCAL_BYTES;
  if (!(nameAt <= file.length) || view.getUint32(at, true) !== LOCAL)
    throw malformed(`${quoted(name)} must have a header where the directory says`, `other bytes at ${at}`);
  checkPlainHeader(name, view, at);
  const extraAt = nameAt + view.getUint16(at + 26, true);
  const start = extraAt + view.getUint16(at + 28, true);
  if (!(start <= file.length) || nameOf(file.subarray(nameAt, extraAt)) !== name)
    throw malformed(`the header of ${quoted(name)} must have its name`, "another one");
  // with bit 3 they follow the bytes, and are 0 here
  const isLater = (view.getUint16(at + 6, true) & 8) !== 0;
  const told = [14, 18, 22].map((field) => view.getUint32(at + field, true));
  const expected = isLater ? [0, 0, 0] : [crc, byteLength, byteLength];
  if (told.some((value, index) => value !== expected[index] && !(index > 0 && value === ELSEWHERE_32)))
    throw malformed(`the header of ${quoted(name)} must tell what the directory does`, "other sizes");
  return start;
}

function checkPlainHeader(name: string, view: DataView, at: number): void {
  if (view.getUint16(at + 6, true) & 0x41 || view.getUint16(at + 8, true) !== 0)
    throw malformed(`the header of ${quoted(name)} must say that it is stored`, "another method");
}
