/** Checkpoints that the browser keeps: the last one stays readable whatever becomes of the next. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keepCheckpoint, lastCheckpoint } from "../../demo/checkpoints";

type Part = "createWritable" | "write" | "close";

/** A folder as browsers keep it: what is written is there once it is closed. `failing` throws, as where there is no room. */
function fakeFolder(): { failing: Part | null; storage: object } {
  const files = new Map<string, Blob>();
  const check = (part: Part): void => {
    if (folder.failing === part) throw new DOMException("No room.", "QuotaExceededError");
  };
  const handleOf = (name: string): object => ({
    getFile: async () => files.get(name)!,
    createWritable: async () => {
      check("createWritable");
      const written: Uint8Array<ArrayBuffer>[] = [];
      return {
        write: async (bytes: Uint8Array<ArrayBuffer>) => {
          written.push(bytes.slice(0, 1)); // some of it
          check("write");
          written.splice(-1, 1, bytes);
        },
        abort: async () => void written.splice(0),
        close: async () => {
          check("close");
          files.set(name, new Blob(written));
        },
      };
    },
  });
  const getFileHandle = async (name: string, { create = false } = {}): Promise<object> => {
    if (!files.has(name) && !create) throw new DOMException("No file.", "NotFoundError");
    if (!files.has(name)) files.set(name, new Blob([]));
    return handleOf(name);
  };
  const folder = { failing: null as Part | null, storage: { getDirectory: async () => ({ getFileHandle }) } };
  return folder;
}

const last = async (): Promise<number[] | null> => {
  const file = await lastCheckpoint();
  return file && [...new Uint8Array(await file.arrayBuffer())];
};

let folder: ReturnType<typeof fakeFolder>;

beforeEach(() => {
  folder = fakeFolder();
  vi.stubGlobal("navigator", { storage: folder.storage });
});
afterEach(() => vi.unstubAllGlobals());

describe.each<Part>(["createWritable", "write", "close"])("where %s fails", (failing) => {
  test("the checkpoint before stays, and the next one takes its place", async () => {
    await keepCheckpoint(Uint8Array.of(1, 2));
    folder.failing = failing;
    await expect(keepCheckpoint(Uint8Array.of(3, 4, 5))).rejects.toThrow("No room.");
    expect(await last()).toEqual([1, 2]);
    folder.failing = null;
    await keepCheckpoint(Uint8Array.of(6));
    expect(await last()).toEqual([6]);
  });

  test("the first one is not there, not even as an empty file", async () => {
    folder.failing = failing;
    await expect(keepCheckpoint(Uint8Array.of(1))).rejects.toThrow("No room.");
    expect(await last()).toBeNull();
  });
});

test("a browser that keeps no files has no last checkpoint", async () => {
  vi.stubGlobal("navigator", {});
  expect(await lastCheckpoint()).toBeNull();
  await expect(keepCheckpoint(Uint8Array.of(1))).rejects.toThrow(TypeError);
});
