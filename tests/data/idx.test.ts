import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  FASHION_MNIST_CLASSES,
  FASHION_MNIST_FILES,
  type FetchProgress,
  fetchReader,
  loadFashionMnist,
} from "../../src/data/fashionMnist";
import { decompress, parseIdx, readIdx } from "../../src/data/idx";
import { FormatError, ValueError } from "../../src/errors";

/** An IDX file of single bytes. */
function idxBytes(
  shape: readonly number[],
  values: readonly number[] | Uint8Array,
  code = 0x08,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, code, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, dim) => view.setUint32(4 + 4 * dim, size));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const chunked = (...chunks: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

describe("parseIdx", () => {
  const types = [
    { dtype: "u8", code: 0x08, values: Uint8Array.of(0, 1, 255) },
    { dtype: "i8", code: 0x09, values: Int8Array.of(-128, 0, 127) },
    { dtype: "i16", code: 0x0b, values: Int16Array.of(-32768, 258, 32767) },
    { dtype: "i32", code: 0x0c, values: Int32Array.of(-(2 ** 31), 0x01020304, 2 ** 31 - 1) },
    { dtype: "f32", code: 0x0d, values: Float32Array.of(-1.5, Infinity, NaN) },
    { dtype: "f64", code: 0x0e, values: Float64Array.of(Math.PI, -0, 1e300) },
  ];
  test.each(types)("reads big-endian $dtype", ({ dtype, code, values }) => {
    const bigEndian = new Uint8Array(values.buffer.slice(0)).reverse(); // reverses the values' order too
    expect(parseIdx(idxBytes([3], bigEndian, code))).toEqual({ shape: [3], dtype, data: values.slice().reverse() });
  });

  test("reads shapes of every rank, empty ones and bytes inside a larger buffer", () => {
    expect(parseIdx(idxBytes([2, 1, 3], [1, 2, 3, 4, 5, 6])).shape).toEqual([2, 1, 3]);
    expect(parseIdx(idxBytes([0, 28, 28], [])).data).toHaveLength(0);
    expect(parseIdx(idxBytes([4294967295, 4294967295, 4294967295, 0], [])).data).toHaveLength(0);
    const padded = new Uint8Array([9, 9, 9, ...idxBytes([2], [7, 8]), 9]);
    expect(parseIdx(padded.subarray(3, -1)).data).toEqual(Uint8Array.of(7, 8));
  });

  test("copies, so that the file may be overwritten", () => {
    const bytes = idxBytes([2], [7, 8]);
    const { data } = parseIdx(bytes);
    bytes.fill(0);
    expect(data).toEqual(Uint8Array.of(7, 8));
  });

  test.each([
    ["nothing", new Uint8Array(0), "must start with 0, 0, a type code (8, 9, 11 to 14) and a rank, got an empty file"],
    ["two bytes", Uint8Array.of(0, 0), "got bytes [0, 0]"],
    ["an HTML page", new TextEncoder().encode("<!doctype html>"), "This looks like an HTML page"],
    ["an unknown type code", idxBytes([1], [1], 0x0a), "got bytes [0, 0, 10, 1]"],
    ["no dimensions", Uint8Array.of(0, 0, 8, 0, 1), "must have at least 1 dimension, got 0"],
    ["a header cut short", idxBytes([2, 2], []).subarray(0, 9), "must have 12 bytes, got 9"],
    ["values cut short", idxBytes([2, 2], [1, 2, 3]), "u8 file of shape [2, 2] must have 16 bytes, got 15"],
    ["bytes after the end", idxBytes([2], [1, 2, 3]), "followed by other bytes"],
    ["dimensions beyond every memory", idxBytes([4294967295, 4294967295, 4294967295], []), "truncated"],
  ])("rejects %s", (_, bytes, message) => {
    expect(() => parseIdx(bytes)).toThrow(FormatError);
    expect(() => parseIdx(bytes)).toThrow(message);
  });

  test("returns or throws FormatError, whatever the bytes", () => {
    const file = idxBytes([3, 2], [1, 2, 3, 4, 5, 6]);
    const mutation = fc.record({ at: fc.nat(file.length - 1), byte: fc.nat(255), length: fc.nat(file.length + 4) });
    fc.assert(
      fc.property(mutation, ({ at, byte, length }) => {
        const bytes = new Uint8Array(length);
        bytes.set(file.subarray(0, length));
        if (at < length) bytes[at] = byte;
        try {
          const { shape, data } = parseIdx(bytes);
          return data.length === shape.reduce((product, size) => product * size, 1);
        } catch (error) {
          return error instanceof FormatError;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("decompress", () => {
  test("round trips any bytes", async () => {
    const anyBytes = fc.uint8Array({ maxLength: 2000 }).map((bytes) => new Uint8Array(bytes));
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        expect(await decompress(await gzip(bytes))).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  test("passes through what is not gzip", async () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0x1f), idxBytes([1], [1])]) {
      expect(await decompress(bytes)).toBe(bytes);
    }
  });

  test("rejects data that is cut, flipped or followed by other bytes", async () => {
    const intact = await gzip(new Uint8Array(1000).map((_, i) => (i * i) % 251));
    const flipped = intact.slice();
    flipped[intact.length - 8]! ^= 1; // the checksum
    const second = await gzip(Uint8Array.of(1, 2, 3));
    const broken = [
      intact.subarray(0, 2),
      intact.subarray(0, intact.length >> 1),
      intact.subarray(0, -1),
      flipped,
      new Uint8Array([...intact, 1, 2, 3]),
      new Uint8Array([...intact, ...second]),
    ];
    for (const bytes of broken) await expect(decompress(bytes)).rejects.toThrow(FormatError);
  });

  test("returns the same bytes or rejects with FormatError, whichever byte is changed", async () => {
    const original = new Uint8Array(300).map((_, i) => (i * 7) % 13);
    const intact = await gzip(original);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: intact.length - 1 }), fc.nat(255), async (at, byte) => {
        const bytes = intact.slice();
        bytes[at] = byte;
        try {
          expect(await decompress(bytes)).toEqual(original); // header fields such as the time may change freely
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("readIdx", () => {
  const plain = idxBytes([2, 2], [1, 2, 3, 4]);
  const expected = { shape: [2, 2], dtype: "u8", data: Uint8Array.of(1, 2, 3, 4) };

  test("reads every kind of source, gzipped or not", async () => {
    for (const bytes of [plain, await gzip(plain)]) {
      expect(await readIdx(bytes)).toEqual(expected);
      expect(await readIdx(bytes.buffer)).toEqual(expected);
      expect(await readIdx(new Response(bytes))).toEqual(expected);
      expect(await readIdx(new Blob([bytes]))).toEqual(expected);
      expect(await readIdx(chunked(bytes.slice(0, 5), bytes.slice(5)))).toEqual(expected);
    }
  });

  test("rejects a response that is not ok", async () => {
    await expect(readIdx(new Response("gone", { status: 404 }))).rejects.toThrow(ValueError);
    await expect(readIdx(new Response("gone", { status: 404 }))).rejects.toThrow("the response must be ok, got 404");
  });
});

describe("loadFashionMnist", () => {
  const files = (changes: Record<string, Uint8Array> = {}): ((name: string) => Promise<Uint8Array>) => {
    const images = idxBytes([2, 28, 28], new Uint8Array(2 * 784).fill(5));
    const labels = idxBytes([2], [0, 9]);
    const { trainImages, trainLabels, testImages, testLabels } = FASHION_MNIST_FILES;
    const all: Record<string, Uint8Array> = {
      [trainImages]: images,
      [trainLabels]: labels,
      [testImages]: images,
      [testLabels]: labels,
      ...changes,
    };
    return async (name) => all[name]!;
  };

  test("gives both parts as bytes", async () => {
    const part = { labels: Uint8Array.of(0, 9), count: 2, height: 28, width: 28, channels: 1 };
    const { train, test: heldOut } = await loadFashionMnist(files());
    expect(train).toEqual({ images: new Uint8Array(2 * 784).fill(5), ...part });
    expect(heldOut).toEqual(train);
    expect(FASHION_MNIST_CLASSES).toHaveLength(10);
  });

  test.each([
    ["images of another size", "testImages", idxBytes([2, 28, 27], new Uint8Array(2 * 28 * 27)), "got u8 [2, 28, 27]"],
    ["images of another dtype", "trainImages", idxBytes([2, 28, 28], new Uint8Array(2 * 784), 9), "got i8 [2, 28, 28]"],
    ["images without a count", "trainImages", idxBytes([28, 28], new Uint8Array(784)), "got u8 [28, 28]"],
    ["labels of rank 2", "trainLabels", idxBytes([2, 1], [0, 1]), "must hold u8 [count], got u8 [2, 1]"],
    [
      "other counts",
      "testLabels",
      idxBytes([3], [0, 1, 2]),
      "must be as many, got 2 in t10k-images-idx3-ubyte.gz and 3",
    ],
    ["a label of 10", "trainLabels", idxBytes([2], [3, 10]), "labels must be below 10, got 10 at 1"],
    ["a page in place of a file", "testLabels", new TextEncoder().encode("<html>"), "(file t10k-labels-idx1-ubyte.gz)"],
  ] as const)("rejects %s", async (_, file, bytes, message) => {
    const read = files({ [FASHION_MNIST_FILES[file]]: bytes });
    await expect(loadFashionMnist(read)).rejects.toThrow(FormatError);
    await expect(loadFashionMnist(read)).rejects.toThrow(message);
  });

  test.each([
    ["tells how far a file is", { "content-length": "7" }, [7, 7, 7]],
    ["does not know how long a file is without a word of it", {}, [null, null, null]],
    ["sees when more arrives than was said", { "content-length": "5" }, [5, 5, null]],
    ["does not take what is compressed on the way for the file", { "content-length": "5", "content-encoding": "gzip" }, [null, null, null]], // prettier-ignore
  ] as const)("fetchReader %s", async (_what, headers, totals) => {
    const parts = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6, 7)];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const part = parts.shift();
        if (part) controller.enqueue(part);
        else controller.close();
      },
    });
    vi.stubGlobal("fetch", async () => new Response(body, { headers }));
    const heard: FetchProgress[] = [];
    const bytes = await fetchReader("data", { onProgress: (progress) => heard.push(progress) })("b");
    vi.unstubAllGlobals();
    expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(heard).toEqual([0, 3, 7].map((loaded, i) => ({ name: "b", loaded, total: totals[i] })));
  });

  test("fetchReader reads below its address, and names one that cannot be read", async () => {
    expect(await fetchReader("data:,a")("b")).toEqual(new TextEncoder().encode("a/b"));
    expect(await fetchReader("data:,a/")("b")).toEqual(new TextEncoder().encode("a/b"));
    const cut = new ReadableStream({
      pull: (controller) => {
        controller.error(new TypeError("terminated"));
      },
    });
    vi.stubGlobal("fetch", async () => new Response(cut));
    await expect(fetchReader("data")("b")).rejects.toThrow(
      "fetchReader: data/b must be reachable, got TypeError: terminated.",
    );
    vi.unstubAllGlobals();
    const thrower = fetchReader("data", {
      onProgress: ({ loaded }) => {
        if (loaded > 0) throw new RangeError("mine");
      },
    });
    let wasCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Uint8Array.of(1)),
      cancel: () => void (wasCancelled = true),
    });
    vi.stubGlobal("fetch", async () => new Response(endless));
    await expect(thrower("b")).rejects.toThrow(new RangeError("mine"));
    expect(wasCancelled).toBe(true);
    vi.unstubAllGlobals();
    const broken = fetchReader("data", { onProgress: () => undefined });
    vi.stubGlobal("fetch", async () => new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError("terminated")) }))); // prettier-ignore
    await expect(broken("b")).rejects.toThrow("fetchReader: data/b must be reachable, got TypeError: terminated.");
    vi.unstubAllGlobals();
    const unreachable = fetchReader("no-such-scheme:a")("b");
    await expect(unreachable).rejects.toThrow(ValueError);
    await expect(unreachable).rejects.toThrow("fetchReader: no-such-scheme:a/b must be reachable");
  });
});
