/** Zip files as torch.save writes them: stored entries whose bytes begin at multiples of 64. */

import { ValueError } from "../../errors";
import { ByteWriter } from "./byteWriter";
import { crc32 } from "../crc32";

/** A file in the zip file. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const ALIGNMENT = 64;

/** Names are UTF-8. */
const FLAGS = 0x0800;

/** The first of January 1980, the first day of zip files: a file depends on its contents only. */
const DATE = 0x21;

/** Longest file without the numbers of 64 bits that this writer does not write. */
const MAX_BYTE_LENGTH = 2 ** 32 - 2;

/**
 * A zip file of entries in their order.
 *
 * @throws ValueError if it would have 4 GiB or more, or 65,535 entries
 */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array {
  const directory = new ByteWriter();
  const headers: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes } of entries) {
    const fields = fieldsOf(name, bytes);
    const header = headerOf(fields, at);
    directory
      .u32(0x02014b50)
      .u16(0)
      .append(fields.bytes)
      .u16(0)
      .u16(0)
      .u16(0)
      .u16(0)
      .u32(0)
      .u32(at)
      .append(fields.name);
    headers.push(header);
    at += header.length + bytes.length;
  }
  const byteLength = at + directory.byteLength + 22;
  if (byteLength > MAX_BYTE_LENGTH || entries.length >= 0xffff) {
    throw new ValueError(
      `writeTorch: a file must have less than 4 GiB and 65,000 storages, got ${byteLength} bytes and ${entries.length}. ` +
        "Write it in parts, or as safetensors.",
    );
  }
  const end = new ByteWriter().u32(0x06054b50).u16(0).u16(0).u16(entries.length).u16(entries.length);
  end.u32(directory.byteLength).u32(at).u16(0);
  const parts = [...entries.flatMap(({ bytes }, index) => [headers[index]!, bytes]), directory.bytes, end.bytes];
  return joined(parts, byteLength);
}

/** What both headers of an entry share, from the version to the length of the name. */
function fieldsOf(name: string, bytes: Uint8Array): { bytes: Uint8Array; name: Uint8Array } {
  const encoded = new TextEncoder().encode(name);
  const fields = new ByteWriter().u16(0).u16(FLAGS).u16(0).u16(0).u16(DATE);
  fields.u32(crc32(bytes)).u32(bytes.length).u32(bytes.length).u16(encoded.length);
  return { bytes: fields.bytes, name: encoded };
}

/** The header at a place of the file, filled up by an extra field ("FB", as PyTorch calls it) so that the bytes are aligned. */
function headerOf({ bytes, name }: ReturnType<typeof fieldsOf>, at: number): Uint8Array {
  const unpadded = at + 30 + name.length + 4;
  const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
  const header = new ByteWriter()
    .u32(0x04034b50)
    .append(bytes)
    .u16(4 + padding)
    .append(name);
  return header.text("FB").u16(padding).text("Z".repeat(padding)).bytes;
}

function joined(parts: readonly Uint8Array[], byteLength: number): Uint8Array {
  const file = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
