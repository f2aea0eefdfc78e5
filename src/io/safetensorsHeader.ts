/**
 * The JSON header of a safetensors file, read by a grammar of its own: JSON.parse would keep the last of two equal
 * keys, take 2.0 and 1e2 for integers, and nest as deep as the file likes. Takes the text; gives what it says, in its
 * order. Whether dtypes exist and byte ranges fit is checked by the caller.
 */

import { FormatError } from "../errors";

/** One entry, as it stands in the header. */
export interface TensorInfo {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/** The header's tensors and metadata by name. */
export interface Header {
  readonly tensors: Map<string, TensorInfo>;
  readonly metadata: Map<string, string>;
}

const METADATA = "__metadata__";

/** A reader with a position in the text; each method reads one construct and leaves the position after it. */
export class HeaderReader {
  private at = 0;

  /** @param op who reads, as errors begin */
  constructor(
    private readonly op: string,
    private readonly text: string,
  ) {}

  /** The whole header: an object that starts at the first character, padded with spaces. */
  read(): Header {
    const tensors = new Map<string, TensorInfo>();
    let metadata = new Map<string, string>();
    if (!this.text.startsWith("{")) this.fail("start with {");
    this.object((key) => {
      if (key === METADATA) metadata = this.strings();
      else tensors.set(key, this.tensorInfo(key));
    });
    const rest = this.text.slice(this.at);
    if (/[^ ]/.test(rest)) this.fail("be followed by nothing but spaces");
    return { tensors, metadata };
  }

  private tensorInfo(name: string): TensorInfo {
    const fields: { dtype?: string; shape?: number[]; data_offsets?: number[] } = {};
    this.object((key) => {
      if (key === "dtype") fields.dtype = this.string();
      else if (key === "shape") fields.shape = this.integers();
      else if (key === "data_offsets") fields.data_offsets = this.integers();
      else this.fail(`describe a tensor by dtype, shape and data_offsets only, not by ${show(key)}`);
    });
    const { dtype, shape, data_offsets: offsets } = fields;
    if (dtype === undefined || !shape || offsets?.length !== 2) {
      return this.fail(`give tensor ${show(name)} a dtype, a shape and two data_offsets`);
    }
    const [begin, end] = offsets as [number, number];
    return { dtype, shape, begin, end };
  }

  private strings(): Map<string, string> {
    const texts = new Map<string, string>();
    this.object((key) => texts.set(key, this.string()));
    return texts;
  }

  /** `{ "key": value, ... }` without duplicate keys; `value` reads what follows a colon. */
  private object(value: (key: string) => void): void {
    const keys = new Set<string>();
    this.list("{", "}", () => {
      const key = this.string();
      if (keys.has(key)) this.fail(`have every key once, not ${show(key)} twice`);
      keys.add(key);
      this.expect(":");
      value(key);
    });
  }

  /** `[0, 12, ...]`, integers from 0 to 2^53 - 1 only. */
  private integers(): number[] {
    const numbers: number[] = [];
    this.list("[", "]", () => numbers.push(this.integer()));
    return numbers;
  }

  private integer(): number {
    this.skipSpace();
    const digits = match(/(?:0|[1-9]\d*)(?![\d.eE])/y, this.text, this.at);
    const number = Number(digits || NaN);
    if (!Number.isSafeInteger(number)) this.fail("have integers from 0 to 2^53 - 1 as sizes and offsets");
    this.at += digits.length;
    return number;
  }

  private list(open: string, close: string, item: () => void): void {
    this.expect(open);
    if (this.skipIf(close)) return;
    do item();
    while (this.skipIf(","));
    this.expect(close);
  }

  /** A JSON string. Its end is searched by hand, since a regular expression may run out of stack on a long one. */
  private string(): string {
    this.expect('"');
    let end = this.at;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1;
    const text = parsedString(this.text.slice(this.at - 1, end + 1));
    if (text === undefined) return this.fail("have strings that are valid JSON and valid Unicode");
    this.at = end + 1;
    return text;
  }

  private expect(character: string): void {
    if (!this.skipIf(character)) this.fail(`be a JSON object, with ${character} here`);
  }

  private skipIf(character: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }

  private fail(what: string): never {
    const got = this.at < this.text.length ? show(this.text.slice(this.at, this.at + 24)) : "its end";
    throw new FormatError(
      `${this.op}: the header must ${what}, got ${got} at character ${this.at}. The file is damaged or not written as specified.`,
    );
  }
}

const show = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

/** The value of a JSON string, or undefined if it is none or holds half a surrogate pair. */
function parsedString(json: string): string | undefined {
  try {
    const text: unknown = JSON.parse(json);
    return typeof text === "string" && !/\p{Surrogate}/u.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
