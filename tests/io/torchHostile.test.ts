/** Checkpoints that want more than to be read: each is a FormatError, at once, and nothing is run. */

import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { readTorch } from "../../src/io";
import { bytes, legacyOf, op, pickle, storage, tensor, zipOf } from "../helpers/pickles";

/** As many lists as levels, each with the one before it, twice. */
const laughs = (levels: number): Uint8Array =>
  op.tuple(
    bytes(op.list, op.put(0)),
    ...Array.from({ length: levels }, (_, level) =>
      bytes(op.list, op.put(level + 1), "(", op.get(level), op.get(level), "e"),
    ),
  );

/** A byte many times. */
const many = (count: number, byte: number): Uint8Array => new Uint8Array(count).fill(byte);

/** A tensor of four numbers, with these arguments behind `requires_grad`. */
const rebuilt = (...rest: readonly Uint8Array[]): Uint8Array =>
  op.call(
    "torch._utils",
    "_rebuild_tensor_v2",
    storage(),
    op.int(0),
    op.tuple(op.int(4)),
    op.tuple(op.int(1)),
    op.false,
    ...rest,
  );

const HOSTILE: readonly [name: string, pickle: Uint8Array, message: string][] = [
  // ---- what Python would call ----
  ["os.system", pickle(op.call("os", "system", op.text("id"))), 'got "os.system"'],
  ["posix.system", pickle(op.call("posix", "system", op.text("id"))), 'got "posix.system"'],
  ["builtins.eval", pickle(op.call("builtins", "eval", op.text("1"))), 'got "builtins.eval"'],
  [
    "__builtin__.getattr",
    pickle(op.call("__builtin__", "getattr", op.none, op.text("x"))),
    'got "__builtin__.getattr"',
  ],
  ["subprocess.Popen", pickle(op.call("subprocess", "Popen", op.text("id"))), 'got "subprocess.Popen"'],
  [
    "a class through copyreg",
    pickle(
      op.call("copyreg", "_reconstructor", op.global("my.models", "Net"), op.global("builtins", "object"), op.none),
    ),
    'got "copyreg._reconstructor"',
  ],
  ["a pickle in a pickle", pickle(op.call("torch.storage", "_load_from_bytes", op.text("x"))), "_load_from_bytes"],
  ["torch.load", pickle(op.call("torch", "load", op.text("/etc/passwd"))), 'got "torch.load"'],
  ["an array of numpy", pickle(op.call("numpy.core.multiarray", "_reconstruct", op.none)), "_reconstruct"],
  ["options of argparse", pickle(op.call("argparse", "Namespace")), 'got "argparse.Namespace"'],
  ["a property of every object", pickle(op.call("constructor", "constructor")), 'got "constructor.constructor"'],
  ["a name within a class", pickle(op.call("collections", "OrderedDict.fromkeys", op.list)), "OrderedDict.fromkeys"],
  ["a function as a value", pickle(op.global("os", "system")), 'got "os.system"'],
  ["a storage's class as a value", pickle(op.global("torch", "FloatStorage")), 'got "torch.FloatStorage"'],
  ["a dtype that is called", pickle(op.call("torch", "float32")), 'got "torch.float32"'],
  ["something called that is no name", pickle(op.text("os.system"), ")R"), "make its objects of a name and a tuple"],
  ["arguments that are no tuple", pickle(op.global("collections", "OrderedDict"), "]R"), "of a name and a tuple"],
  ["an OrderedDict of an iterator", pickle(op.call("collections", "OrderedDict", op.list)), "must have the arguments"],
  ["the class of an instance (INST)", pickle("(ios\nsystem\n"), "0x69 at byte"],
  ["OBJ", pickle("(", op.global("os", "system"), "o"), "0x6f"],
  ["NEWOBJ", pickle(op.global("os", "system"), ")", 0x81), "0x81"],
  ["NEWOBJ_EX", pickle(op.global("os", "system"), ")}", 0x92), "0x92"],
  ["STACK_GLOBAL", pickle(op.text("os"), op.text("system"), 0x93), "0x93"],
  ["EXT1", pickle(0x82, 1), "0x82"],
  ["EXT2", pickle(0x83, 1, 1), "0x83"],
  ["EXT4", pickle(0x84, 1, 1, 1, 1), "0x84"],
  ["NEXT_BUFFER", pickle(0x97), "0x97"],
  ["an id as text (PERSID)", pickle("P0\n"), "0x50"],
  ["INT, whose text Python parses", pickle("I1\n"), "0x49"],
  ["STRING, whose text Python parses", pickle("S'a'\n"), "0x53"],
  // ---- attributes ----
  ["attributes of a dict", pickle(op.dict, op.dict, "b"), "only OrderedDicts may be given attributes"],
  ["attributes of a function", pickle(op.global("os", "system"), op.dict, "b"), 'got "os.system"'],
  ["attributes of a tensor", pickle(tensor(0, [4], [1]), op.dict, "b"), "only OrderedDicts"],
  ["attributes that are no dict", pickle(op.ordered, op.list, "b"), "only OrderedDicts"],
  // ---- the stack and the memo ----
  ["an empty pickle", pickle(), "0 of 1 on the stack"],
  ["a call of nothing", pickle("R"), "0 of 2 on the stack"],
  ["a tuple below a mark", pickle("NN(", 0x86), "0 of 2 on the stack"],
  ["a tuple without a mark", pickle("Nt"), "no mark on the stack"],
  ["a mark that stays", pickle("(N"), "must end with one value, got several"],
  ["two values", pickle("NN"), "must end with one value"],
  ["a place of the memo that is empty", pickle(op.get(7)), "before it is used, got 7"],
  ["a place of the memo that changes", pickle("N", op.put(1), "N", op.put(1), "t"), "set once, got 1 again"],
  ["nothing put in the memo", pickle(op.put(0)), "0 of 1 on the stack"],
  ["items of a tuple", pickle(")Na"), "appended to a list"],
  ["items of a list", pickle("]NNs"), "set in a dict"],
  ["a key without a value", pickle("}(Nu"), "every key must have a value"],
  ["a tuple as a key", pickle("})Ns"), "keys of dicts must be strings"],
  // ---- sizes ----
  ["a string of 4 GiB", pickle(bytes("X", 255, 255, 255, 255), "a"), "must end with its last opcode"],
  ["a name without an end", pickle("cos"), "readTorch: "],
  ["a list that contains itself", pickle(op.list, op.put(0), op.get(0), "a"), "must not contain itself"],
  ["a dict that contains itself", pickle("}", op.put(0), op.text("a"), op.get(0), "s"), "must not contain itself"],
  [
    "a wide list that contains itself last",
    pickle(op.list, op.put(0), "(", many(100_000, 0x4e), op.get(0), "e"),
    "must not contain itself",
  ],
  ["a hundred levels of sharing", pickle(laughs(100)), "at most 4194304 values, got more, some of them shared"],
  ["a million levels", pickle(")", many(1_000_000, 0x85)), "nested at most 256 deep"],
  ["five million marks", pickle(many(5_000_000, 0x28)), "at most 4194304 opcodes"],
  ["protocol 4", bytes(0x80, 4, "N."), "must begin with protocol 2"],
  ["no protocol", bytes("N."), "must begin with protocol 2"],
  // ---- tensors ----
  ["an id that is a number", pickle(op.int(1), "Q"), "persistent id must be a storage's"],
  ["an id of a module", pickle(op.tuple(op.text("module"), op.none, op.none, op.none), "Q"), "must be a storage's"],
  ["a storage as a value", pickle(storage()), "a storage"],
  ["a storage with more elements than bytes", pickle(tensor(0, [4], [1], storage(5))), "must have 20 bytes"],
  ["a storage with fewer elements", pickle(tensor(0, [2], [1], storage(3))), "must have 12 bytes"],
  ["a storage of another dtype", pickle(tensor(0, [4], [1], storage(4, "DoubleStorage"))), "must have 32 bytes"],
  [
    "a storage of two dtypes",
    pickle(op.tuple(storage(), storage(4, "IntStorage"))),
    "must have one dtype and size, got two",
  ],
  ["a storage that is not there", pickle(tensor(0, [4], [1], storage(4, "FloatStorage", "1"))), "got none"],
  ["a storage outside its folder", pickle(storage(4, "FloatStorage", "../version")), "got none"],
  ["a storage of complex numbers", pickle(storage(4, "ComplexFloatStorage")), "ComplexFloatStorage"],
  ["a storage of -1 elements", pickle(storage(-1)), "must be a storage's"],
  [
    "a part of a storage",
    pickle(
      op.tuple(
        op.text("storage"),
        op.global("torch", "FloatStorage"),
        op.text("0"),
        op.text("cpu"),
        op.int(4),
        op.tuple(op.text("1"), op.int(0), op.int(2)),
      ),
      "Q",
    ),
    "no part of another",
  ],
  ["a tensor longer than its storage", pickle(tensor(0, [5], [1])), "must lie in its storage of 4 elements"],
  ["a tensor that begins behind its storage", pickle(tensor(4, [1], [1])), "must lie in its storage"],
  ["an empty tensor far behind it", pickle(tensor(5, [0], [1])), "must lie in its storage"],
  ["strides out of the storage", pickle(tensor(0, [2, 2], [3, 1])), "must lie in its storage"],
  ["negative strides", pickle(tensor(3, [4], [-1])), "must have the arguments"],
  [
    "a negative offset",
    pickle(tensor(-1, [4], [1])),
    "_rebuild_tensor_v2 must have the arguments that torch.save writes, got (a storage, -1, a tuple of 1, a tuple of 1).",
  ],
  [
    "an older tensor of no arguments",
    pickle(op.call("torch._utils", "_rebuild_tensor")),
    "torch._utils._rebuild_tensor must have the arguments that torch.save writes, got ().",
  ],
  ["more sizes than strides", pickle(tensor(0, [2, 2], [2])), "must have the arguments"],
  [
    "65 dimensions",
    pickle(
      tensor(
        0,
        Array.from({ length: 65 }, () => 1),
        Array.from({ length: 65 }, () => 1),
      ),
    ),
    "must have the arguments",
  ],
  ["2^62 elements of one", pickle(tensor(0, [2 ** 31 - 1, 2 ** 31 - 1], [0, 0])), "must lie in its storage"],
  ["2^30 elements of one", pickle(tensor(0, [2 ** 30], [0])), "must not take more memory than maxByteLength"],
  ["a tensor of no storage", pickle(tensor(0, [4], [1], op.list)), "must have the arguments"],
  ["a tensor with hooks", pickle(rebuilt(op.list)), "must have the arguments"],
  [
    "a tensor with metadata",
    pickle(rebuilt(op.ordered, bytes("}", op.text("conj"), 0x88, "s"))),
    "must have no metadata",
  ],
  [
    "a parameter of a number",
    pickle(op.call("torch._utils", "_rebuild_parameter", op.int(1), op.false, op.ordered)),
    "must have the arguments",
  ],
  ["sizes that are no numbers", pickle(op.call("torch", "Size", op.tuple(op.text("2")))), "must have the arguments"],
];

describe.each([
  ["zip", zipOf],
  ["legacy", legacyOf],
] as const)("readTorch, %s", (form, fileOf) => {
  test.each(HOSTILE)("refuses %s", (_, hostile, message) => {
    const file = fileOf(hostile);
    const read = (): unknown => readTorch(file);
    expect(read).toThrow(FormatError);
    // what is wrong with a storage that lies elsewhere is told in other words
    const isSame = form === "zip" || !/must have \d+ bytes$|^got none$/.test(message);
    expect(read).toThrow(isSame ? message : /must have \d elements|list of storages/);
  });

  test("takes the like where it is harmless", () => {
    const harmless = pickle(op.tuple(tensor(0, [2, 2], [1, 2]), laughs(15), many(0, 0), bytes(")", many(200, 0x85))));
    const [read, lists] = readTorch(fileOf(harmless)) as [unknown, unknown[]];
    expect(read).toEqual({ dtype: "f32", shape: [2, 2], data: Float32Array.of(1, 3, 2, 4) });
    expect(lists[3]).toEqual([
      [
        [[], []],
        [[], []],
      ],
      [
        [[], []],
        [[], []],
      ],
    ]);
  });
});
