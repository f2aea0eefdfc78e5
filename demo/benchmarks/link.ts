/**
 * A result in an address: `#result=1.` and base64url of a list in JSON. A link comes from anybody: all of it is checked, and what
 * is not as it should be is an error with a sentence.
 */

import { BENCHMARK_IDS, type BenchmarkId } from "./catalogue";
import type { BenchResult, ResultRow } from "./result";

/** Of the format; a page knows its own only. */
const VERSION = "1";
const PREFIX = "#result=";
/** Some 2000 characters are a full result. */
const MAX_LENGTH = 8000;
const MAX_TEXT = 160;
const MINUTE_MS = 60_000;
/** Digits of a number. */
const DIGITS = 4;

/** A link that holds no result. */
export class LinkError extends Error {
  override name = "LinkError";

  constructor(reason: string, cause?: unknown) {
    super(`This link holds no result that can be shown: ${reason}. Ask for it anew, or measure here.`, { cause });
  }
}

/** The fragment that holds a result, `#` included. Times keep four digits. */
export function fragmentOf(result: BenchResult): string {
  const { version, date, adapter, isSoftware, browser, cores, rounds, wasHidden, peak, memory, rows } = result;
  const packed = [
    ...[textFor(version), Date.parse(date) / MINUTE_MS],
    ...[textFor(adapter), Number(isSoftware), textFor(browser), cores],
    ...[rounds, Number(wasHidden), short(peak), short(memory), rows.map(packRow)],
  ];
  return `${PREFIX}${VERSION}.${toBase64Url(JSON.stringify(packed))}`;
}

const packRow = ({ id, q1, median, q3, share, gain, dispatches, submits, buffers }: ResultRow): unknown[] => [
  id,
  ...[q1, median, q3].map(short),
  ...[share, gain].map((value) => value && short(value)),
  ...[dispatches, submits, buffers],
];

const short = (value: number): number => Number(value.toPrecision(DIGITS));

/** A text of this machine, without what a link may not hold. */
const textFor = (text: string): string => text.replace(new RegExp(UNSEEN, "gu"), " ").slice(0, MAX_TEXT);

/** Control characters, and others that show nothing but change how the rest is shown. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * The result that an address holds; null if it is not about one.
 *
 * @throws LinkError with a sentence for the user
 */
export function resultFrom(fragment: string): BenchResult | null {
  if (!fragment.startsWith(PREFIX)) return null;
  if (fragment.length > MAX_LENGTH) throw new LinkError("it is too long");
  const [, version, text] = /^([^.]*)\.([\w-]+)$/.exec(fragment.slice(PREFIX.length)) ?? [];
  if (version === undefined || text === undefined) throw new LinkError("a part of it is missing");
  if (version !== VERSION) throw new LinkError(`it is of another version of this page`);
  return unpack(listIn(text));
}

function listIn(text: string): unknown {
  try {
    return JSON.parse(fromBase64Url(text));
  } catch (error) {
    throw new LinkError("a part of it is missing or damaged", error);
  }
}

function unpack(packed: unknown): BenchResult {
  const [version, minutes, adapter, isSoftware, browser, cores, rounds, wasHidden, peak, memory, rows] = list(
    packed,
    11,
  );
  const found = list(rows).map(unpackRow);
  const ids = new Set(found.map(({ id }) => id));
  if (ids.size === 0 || ids.size < found.length)
    throw new LinkError("it must have each benchmark once, and one at least");
  return {
    version: words(version),
    date: new Date(MINUTE_MS * number(minutes, { max: 1e8, isWhole: true })).toISOString(),
    adapter: words(adapter),
    isSoftware: flag(isSoftware),
    browser: words(browser),
    cores: number(cores, { max: 4096, isWhole: true }),
    rounds: number(rounds, { max: 1000, isWhole: true }),
    wasHidden: flag(wasHidden),
    peak: positive(peak),
    memory: positive(memory),
    rows: found,
  };
}

function unpackRow(packed: unknown): ResultRow {
  const [id, q1, median, q3, share, gain, dispatches, submits, buffers] = list(packed, 9);
  const row = {
    id: benchmarkId(id),
    ...{ q1: positive(q1), median: positive(median), q3: positive(q3) },
    share: share === null ? null : positive(share),
    gain: gain === null ? null : positive(gain),
    ...{ dispatches: number(dispatches), submits: number(submits), buffers: number(buffers) },
  };
  if (row.q1 > row.median || row.median > row.q3) throw new LinkError("quartiles must be in order");
  return row;
}

// ---- parts ----

function list(value: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== (length ?? value.length))
    throw new LinkError("a part of it is missing");
  return value;
}

function words(value: unknown): string {
  if (typeof value !== "string" || value.length > MAX_TEXT || UNSEEN.test(value))
    throw new LinkError("a name in it must be a short text");
  return value;
}

function number(value: unknown, { max = 1e9, isWhole = false } = {}): number {
  const isRight = typeof value === "number" && value >= 0 && value <= max && (!isWhole || Number.isInteger(value));
  if (!isRight) throw new LinkError("a number in it is none, or out of range");
  return value;
}

function positive(value: unknown): number {
  if (value === 0) throw new LinkError("a time or a rate in it must be above 0");
  return number(value);
}

const flag = (value: unknown): boolean => number(value, { max: 1, isWhole: true }) === 1;

function benchmarkId(value: unknown): BenchmarkId {
  const id = BENCHMARK_IDS.find((each) => each === value);
  if (!id) throw new LinkError("it has a benchmark that this page does not know");
  return id;
}

// ---- base64url ----

function toBase64Url(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));
  return btoa(bytes.join("")).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): string {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
