/**
 * Reads pickles of protocol 2, those opcodes that torch.save writes. A stack machine that builds plain data: it imports
 * nothing, calls nothing, and what a pickle wants called goes through the table of names in globals.ts.
 */

import { buildable, called } from "./globals";
import { malformed, quoted } from "./malformed";
import { PyDict, PyGlobal, PyList, type PyStorage, PyTuple } from "./python";

/** More opcodes are no checkpoint: a tensor takes about 40. Memory goes with them, whatever a file says. */
const MAX_OPCODES = 1 << 22;

/** What a persistent id stands for. @throws FormatError if for nothing */
export type PersistentLoad = (id: unknown) => PyStorage;

/**
 * The pickle at a place of a file.
 *
 * @returns its value, unconverted, and where it ends
 * @throws FormatError for a malformed pickle, or one that wants more than plain data and tensors
 * @see Python's pickletools.py (the opcodes)
 */
export function unpickle(bytes: Uint8Array, at: number, load: PersistentLoad): { value: unknown; end: number } {
  const machine = new Machine(bytes, at, load);
  return { value: machine.run(), end: machine.at };
}

const MARK = Symbol("mark");

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Machine {
  private readonly stack: unknown[] = [];
  /** Places of open marks in the stack. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, unknown>();
  private readonly view: DataView;

  /** What each opcode does; names are those of Python's pickle module. */
  private readonly opcodes: Readonly<Record<number, () => void>> = {
    0x28: () => this.mark(), // MARK
    0x4e: () => this.push(null), // NONE
    0x88: () => this.push(true), // NEWTRUE
    0x89: () => this.push(false), // NEWFALSE
    0x4b: () => this.push(this.byte()), // BININT1
    0x4d: () => this.push(this.view.getUint16(this.skip(2), true)), // BININT2
    0x4a: () => this.push(this.view.getInt32(this.skip(4), true)), // BININT
    0x8a: () => this.push(this.long(this.byte())), // LONG1
    0x47: () => this.push(this.view.getFloat64(this.skip(8), false)), // BINFLOAT
    0x58: () => this.push(this.text(this.view.getUint32(this.skip(4), true))), // BINUNICODE
    0x55: () => this.push(this.text(this.byte())), // SHORT_BINSTRING, of Python 2
    0x29: () => this.push(new PyTuple([])), // EMPTY_TUPLE
    0x85: () => this.push(new PyTuple(this.popSome(1))), // TUPLE1
    0x86: () => this.push(new PyTuple(this.popSome(2))), // TUPLE2
    0x87: () => this.push(new PyTuple(this.popSome(3))), // TUPLE3
    0x74: () => this.push(new PyTuple(this.popToMark())), // TUPLE
    0x5d: () => this.push(new PyList()), // EMPTY_LIST
    0x61: () => this.append([this.pop()]), // APPEND
    0x65: () => this.append(this.popToMark()), // APPENDS
    0x7d: () => this.push(new PyDict(false)), // EMPTY_DICT
    0x73: () => this.setItems(this.popSome(2)), // SETITEM
    0x75: () => this.setItems(this.popToMark()), // SETITEMS
    0x71: () => this.put(this.byte()), // BINPUT
    0x72: () => this.put(this.view.getUint32(this.skip(4), true)), // LONG_BINPUT
    0x68: () => this.get(this.byte()), // BINGET
    0x6a: () => this.get(this.view.getUint32(this.skip(4), true)), // LONG_BINGET
    0x63: () => this.push(new PyGlobal(`${this.line()}.${this.line()}`)), // GLOBAL
    0x51: () => this.push(this.load(this.pop())), // BINPERSID
    0x52: () => this.reduce(), // REDUCE
    0x62: () => this.build(), // BUILD
  };

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly load: PersistentLoad,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    if (this.byte() !== 0x80 || this.byte() !== 2) {
      throw malformed(
        "a pickle must begin with protocol 2",
        "other bytes",
        "Save it with torch.save and its default pickle_protocol.",
      );
    }
    for (let count = 0; count < MAX_OPCODES; count++) {
      const opcode = this.byte();
      if (opcode === 0x2e) return this.stop();
      this.execute(opcode);
    }
    throw malformed(`a pickle must have at most ${MAX_OPCODES} opcodes`, "more", "Save less beside the tensors.");
  }

  private stop(): unknown {
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) throw malformed("a pickle must end with one value", "several");
    return value;
  }

  private execute(opcode: number): void {
    const run = this.opcodes[opcode];
    if (run) {
      run();
      return;
    }
    throw malformed(
      "a pickle must have only the opcodes of plain data and tensors",
      `0x${opcode.toString(16)} at byte ${this.at - 1}`,
      "Save a dict of tensors, numbers, strings and lists with torch.save and its default pickle_protocol.",
    );
  }

  // ---- bytes ----

  /** Moves on by some bytes; gives where they begin. */
  private skip(count: number): number {
    const { at } = this;
    if (at + count > this.bytes.length)
      throw malformed("a pickle must end with its last opcode", "the end of its bytes");
    this.at += count;
    return at;
  }

  private byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  private text(byteLength: number): string {
    const at = this.skip(byteLength);
    try {
      return UTF_8.decode(this.bytes.subarray(at, at + byteLength));
    } catch (cause) {
      throw malformed("strings must be UTF-8", `other bytes (${String(cause)})`);
    }
  }

  /** Text up to a line break. */
  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    const text = this.text((end < 0 ? this.bytes.length : end) - this.at);
    this.skip(1);
    return text;
  }

  /** A little-endian integer in two's complement; a bigint where a number does not hold it. */
  private long(byteLength: number): number | bigint {
    const at = this.skip(byteLength);
    let value = 0n;
    for (let index = byteLength - 1; index >= 0; index--) value = (value << 8n) | BigInt(this.bytes[at + index]!);
    const signed = BigInt.asIntN(8 * byteLength, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  // ---- the stack ----

  private mark(): void {
    this.marks.push(this.stack.length);
    this.stack.push(MARK);
  }

  private push(value: unknown): void {
    this.stack.push(value);
  }

  private pop(): unknown {
    return this.popSome(1)[0];
  }

  /** The last values, which must lie above the last mark. */
  private popSome(count: number): unknown[] {
    const above = this.stack.length - (this.marks.length > 0 ? this.marks.at(-1)! + 1 : 0);
    if (above < count) throw malformed("an opcode must find its operands", `${above} of ${count} on the stack`);
    return this.stack.splice(-count);
  }

  private popToMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw malformed("an opcode must find its operands", "no mark on the stack");
    return this.stack.splice(mark).slice(1);
  }

  /** The value on top, which stays. */
  private top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  private append(items: readonly unknown[]): void {
    const list = this.top();
    if (!(list instanceof PyList)) throw malformed("items must be appended to a list", "something else");
    for (const item of items) list.items.push(item);
  }

  private setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof PyDict)) throw malformed("items must be set in a dict", "something else");
    if (items.length % 2 !== 0) throw malformed("every key must have a value", "one without");
    for (const item of items) dict.items.push(item);
  }

  private put(index: number): void {
    if (this.memo.has(index)) throw malformed("a place of the memo must be set once", `${index} again`);
    this.memo.set(index, this.top());
  }

  private get(index: number): void {
    if (!this.memo.has(index)) throw malformed("a place of the memo must be set before it is used", `${index}`);
    this.push(this.memo.get(index));
  }

  // ---- what Python would call ----

  private reduce(): void {
    const [callee, args] = this.popSome(2);
    if (!(callee instanceof PyGlobal) || !(args instanceof PyTuple))
      throw malformed("a pickle must make its objects of a name and a tuple", "something else");
    this.push(called(callee.name, args.items));
  }

  /** Attributes of an OrderedDict: state dicts have versions of their layers there, which nobody here reads. */
  private build(): void {
    const state = this.pop();
    const target = this.top();
    if (!buildable(target, state)) {
      throw malformed(
        "only OrderedDicts may be given attributes",
        target instanceof PyGlobal ? quoted(target.name) : "something else",
        "Save state dicts rather than objects.",
      );
    }
  }
}
