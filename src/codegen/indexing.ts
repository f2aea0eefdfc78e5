/**
 * Index arithmetic: from the loop variables of a kernel to the place of an element in memory, through any chain of views.
 * An Index says the same thing twice: as WGSL text, for the shader, and as sums of digits, which tell how neighbouring lanes lie.
 */

import { InternalError } from "../errors";
import { type Shape, contiguousStrides, sizeOf } from "../graph/shape";
import type { AxisMap } from "../ops/op";

/** `base`: the u32 of the first lane. `lanes`: the vec4<u32> of all four. */
export type Width = "base" | "lanes";

/** Gives an expression a name in the shader, once. */
export type BindIndex = (expression: string, width: Width) => string;

/** A loop variable of a kernel that runs over some dimensions. */
export interface LoopVariable {
  readonly name: string;
  readonly shape: Shape;
  /** Whether neighbouring lanes are neighbours along it. */
  readonly laned: boolean;
  /** Expression of a quarter of it, if it is laned and there is one that takes no division. */
  readonly quarter?: string;
}

/** How four neighbouring lanes lie in memory. */
export type LanePattern = "aligned" | "consecutive" | "same" | "scattered";

const LANES = 4;

export abstract class Index {
  private readonly children = new Map<unknown, Index>();
  private readonly texts = new Map<string, string>();

  protected constructor(
    readonly shape: Shape,
    protected readonly bind: BindIndex,
  ) {}

  /** Flat position as WGSL, where it is no sum of whole loop variables. */
  protected abstract flatText(width: Width): string;
  /** The loop variables everything starts from. */
  abstract get root(): RootIndex;
  /** Each coordinate as a sum of digits; null where one is no such sum. */
  abstract get sums(): readonly DigitSum[] | null;
  protected abstract coordText(dim: number, width: Width): string;
  /** Flat position as WGSL. */
  flat(width: Width): string {
    return this.once("flat", width, () => {
      const { linear } = this;
      return linear
        ? linearText(linear, this.root.variables, (variable) => this.root.variable(variable, width), width)
        : this.flatText(width);
    });
  }

  /** The flat position of the first lane divided by four; null where that takes a division, or leaves a rest. */
  quarter(): string | null {
    const { variables } = this.root;
    const last = variables.at(-1);
    const weights = this.linear?.weights ?? [];
    const { start } = this.linear ?? { start: 1 };
    if (
      last?.quarter === undefined ||
      start % LANES !== 0 ||
      weights.slice(0, -1).some((weight) => weight % LANES !== 0)
    )
      return null;
    const quarters = {
      start: start / LANES,
      weights: weights.map((weight, i) => (i === weights.length - 1 ? weight : weight / LANES)),
    };
    return this.once("quarter", "base", () =>
      linearText(quarters, variables, (variable) => variable.quarter ?? variable.name, "base"),
    );
  }

  /** The flat position as a sum of whole loop variables, each times a weight; null where it is none. */
  get linear(): Linear | null {
    if (this.cachedLinear === undefined) this.cachedLinear = linearOf(this);
    return this.cachedLinear;
  }

  private cachedLinear: Linear | null | undefined = undefined;

  /** Coordinate along one dimension as WGSL. */
  coord(dim: number, width: Width): string {
    return this.once(`c${dim}`, width, () =>
      this.shape[dim] === 1 ? constantText(0, width) : this.coordText(dim, width),
    );
  }

  /** The same position seen through a view: where its input is read. */
  through(axes: readonly AxisMap[], input: Shape): Index {
    return this.child(`${input.join()}:${JSON.stringify(axes)}`, () => new ViewIndex(this, axes, input, this.bind));
  }

  /** The same flat position under another shape. */
  reshaped(shape: Shape): Index {
    return this.child(shape.join(), () => new ReshapedIndex(this, shape, this.bind));
  }

  /** The flat position as a sum of digits; null where it is none. */
  get position(): DigitSum | null {
    const { sums, shape } = this;
    if (!sums) return null;
    const strides = contiguousStrides(shape);
    const parts = sums.map((sum, dim) => scaled(sum, strides[dim]!));
    return {
      start: parts.reduce((total, { start }) => total + start, 0),
      digits: parts.flatMap(({ digits }) => digits),
    };
  }

  /** How four neighbouring lanes lie in memory. The first one's loop variable is a multiple of four. */
  get pattern(): LanePattern {
    this.cachedPattern ??= classify(this);
    return this.cachedPattern;
  }

  private cachedPattern: LanePattern | null = null;

  protected once(key: string, width: Width, make: () => string): string {
    const name = `${key}${width}`;
    let text = this.texts.get(name);
    if (text === undefined) {
      text = make();
      if (!/^\w+$/.test(text) && !/^vec4<u32>\(\d+u\)$/.test(text)) text = this.bind(text, width);
      this.texts.set(name, text);
    }
    return text;
  }

  private child(key: unknown, make: () => Index): Index {
    let child = this.children.get(key);
    if (!child) this.children.set(key, (child = make()));
    return child;
  }
}

const constantText = (value: number, width: Width): string => (width === "base" ? `${value}u` : `vec4<u32>(${value}u)`);

/** Below this, `quotient` of shaders/lib/index.wgsl is exact. */
const MAX_QUICK = 2 ** 21;

/** One coordinate of a flat position. */
function digit(flat: string, shape: Shape, dim: number, width: Width): string {
  // an empty tensor has no places, but its text must compile
  const stride = Math.max(1, sizeOf(shape.slice(dim + 1)));
  const size = Math.max(1, shape[dim]!);
  const isQuick = sizeOf(shape) + LANES < MAX_QUICK;
  const suffix = width === "base" ? "" : "4";
  const reciprocal = (divisor: number): string => Math.fround(1 / divisor).toExponential();
  const quotient = isQuick ? `quotient${suffix}(${flat}, ${reciprocal(stride)})` : `${flat} / ${stride}u`;
  const whole = stride === 1 ? flat : quotient;
  if (shape.slice(0, dim).every((outer) => outer === 1)) return whole;
  return isQuick ? `rest${suffix}(${whole}, ${size}u, ${reciprocal(size)})` : `(${whole}) % ${size}u`;
}

/** Position given by loop variables; its shape is theirs, one after the other. */
export class RootIndex extends Index {
  constructor(
    readonly variables: readonly LoopVariable[],
    bind: BindIndex,
  ) {
    super(
      variables.flatMap(({ shape }) => shape),
      bind,
    );
  }

  get root(): this {
    return this;
  }

  protected flatText(width: Width): string {
    throw new InternalError(`indexing: the position of loop variables must be a sum of them, asked for its ${width}.`);
  }

  get sums(): readonly DigitSum[] {
    return this.variables.flatMap(({ shape }, variable) => {
      const strides = contiguousStrides(shape);
      return shape.map((size, dim): DigitSum => {
        const digits = size === 1 ? [] : [{ variable, stride: strides[dim]!, size, weight: 1 }];
        return { start: 0, digits };
      });
    });
  }

  protected coordText(dim: number, width: Width): string {
    let first = 0;
    for (const variable of this.variables) {
      if (dim < first + variable.shape.length)
        return digit(this.variable(variable, width), variable.shape, dim - first, width);
      first += variable.shape.length;
    }
    return constantText(0, width);
  }

  variable({ name, laned }: LoopVariable, width: Width): string {
    if (width === "base") return name;
    return this.once(`v${name}`, width, () => `vec4<u32>(${name})${laned ? " + vec4<u32>(0u, 1u, 2u, 3u)" : ""}`);
  }
}

class ViewIndex extends Index {
  private readonly strides: readonly number[];

  constructor(
    private readonly parent: Index,
    private readonly axes: readonly AxisMap[],
    shape: Shape,
    bind: BindIndex,
  ) {
    super(shape, bind);
    this.strides = contiguousStrides(shape);
  }

  get root(): RootIndex {
    return this.parent.root;
  }

  protected flatText(width: Width): string {
    const terms = this.shape.flatMap((size, dim) => {
      if (size === 1) return [];
      const coord = this.coord(dim, width);
      return [this.strides[dim] === 1 ? coord : `${coord} * ${this.strides[dim]!}u`];
    });
    return terms.length > 0 ? terms.join(" + ") : constantText(0, width);
  }

  get sums(): readonly DigitSum[] | null {
    const { sums } = this.parent;
    return (
      sums &&
      this.axes.map(({ start, terms }): DigitSum => {
        const parts = terms.map(({ from, step }) => scaled(sums[from]!, step));
        return {
          start: parts.reduce((total, part) => total + part.start, start),
          digits: parts.flatMap(({ digits }) => digits),
        };
      })
    );
  }

  protected coordText(dim: number, width: Width): string {
    const { start, terms } = this.axes[dim]!;
    if (terms.length === 0) return constantText(start, width);
    const parts = terms.map(({ from, step }) => {
      const coord = this.parent.coord(from, width);
      return { sign: step < 0 ? "-" : "+", text: Math.abs(step) === 1 ? coord : `${coord} * ${Math.abs(step)}u` };
    });
    const isPlain = start === 0 && parts[0]!.sign === "+";
    const [first, rest] = isPlain ? [parts[0]!.text, parts.slice(1)] : [`${start}u`, parts];
    return [first, ...rest.map(({ sign, text }) => `${sign} ${text}`)].join(" ");
  }
}

class ReshapedIndex extends Index {
  constructor(
    private readonly parent: Index,
    shape: Shape,
    bind: BindIndex,
  ) {
    super(shape, bind);
  }

  get root(): RootIndex {
    return this.parent.root;
  }

  protected flatText(width: Width): string {
    return this.parent.flat(width);
  }

  override get position(): DigitSum | null {
    return this.parent.position;
  }

  get sums(): readonly DigitSum[] | null {
    const { position } = this;
    return position && split(position, this.shape);
  }

  protected coordText(dim: number, width: Width): string {
    return digit(this.flat(width), this.shape, dim, width);
  }
}

/** A digit of a loop variable, `floor(variable / stride) % size`, times a weight. */
interface Digit {
  readonly variable: number;
  readonly stride: number;
  readonly size: number;
  readonly weight: number;
}

/** `start` plus digits: a coordinate, or a position. */
interface DigitSum {
  readonly start: number;
  readonly digits: readonly Digit[];
}

const scaled = ({ start, digits }: DigitSum, by: number): DigitSum => ({
  start: start * by,
  digits: digits.map((digit) => ({ ...digit, weight: digit.weight * by })),
});

/** Digits of one variable from the inside out, neighbours that count on joined; null where some overlap in part. */
function joined(digits: readonly Digit[]): Digit[] | null {
  const result: Digit[] = [];
  for (const digit of summed(digits)) {
    const last = result.at(-1);
    const end = last ? last.stride * last.size : 1;
    if (digit.stride < end) return null;
    if (last && digit.stride === end && digit.weight === last.weight * last.size) {
      result[result.length - 1] = { ...last, size: last.size * digit.size };
    } else result.push(digit);
  }
  return result.filter(({ weight }) => weight !== 0);
}

/** Digits in the order of their strides, those that are one digit added up: cut where others start or end. */
function summed(digits: readonly Digit[]): Digit[] {
  const borders = [...new Set(digits.flatMap(({ stride, size }) => [stride, stride * size]))].sort((a, b) => a - b);
  const result: Digit[] = [];
  const parts = digits.flatMap((digit) => cutAt(digit, borders));
  for (const digit of parts.sort((a, b) => a.stride - b.stride || a.size - b.size)) {
    const last = result.at(-1);
    const isSame = last?.stride === digit.stride && last.size === digit.size;
    if (isSame) result[result.length - 1] = { ...last, weight: last.weight + digit.weight };
    else result.push(digit);
  }
  return result;
}

/** A digit as several, cut at those borders that divide it. */
function cutAt(digit: Digit, borders: readonly number[]): Digit[] {
  const { stride, size, weight } = digit;
  const border = borders.find(
    (each) => each > stride && each < stride * size && each % stride === 0 && (stride * size) % each === 0,
  );
  if (border === undefined) return [digit];
  const inner = border / stride;
  const rest = { ...digit, stride: border, size: size / inner, weight: weight * inner };
  return [{ ...digit, size: inner }, ...cutAt(rest, borders)];
}

/** The coordinates that a flat position has in a shape; null where a sum of digits would carry from one into the next. */
function split(flat: DigitSum, shape: Shape): readonly DigitSum[] | null {
  if (sizeOf(shape) === 0) return null;
  const variables = [...new Set(flat.digits.map(({ variable }) => variable))];
  const digits = variables.map((one) => joined(flat.digits.filter(({ variable }) => variable === one)));
  if (digits.includes(null)) return null;
  let rest: DigitSum = { start: flat.start, digits: digits.flatMap((list) => list!) };
  const coordinates: DigitSum[] = [];
  for (const stride of contiguousStrides(shape)) {
    const start = Math.floor(rest.start / stride);
    const parts = rest.digits.flatMap((digit) => cut(digit, stride));
    const isWhole = ({ weight }: Digit): boolean => weight % stride === 0;
    const digits = parts.filter(isWhole).map((digit) => ({ ...digit, weight: digit.weight / stride }));
    coordinates.push({ start, digits });
    rest = { start: rest.start - start * stride, digits: parts.filter((digit) => !isWhole(digit)) };
    if (!staysBelow(rest, stride)) return null;
  }
  return coordinates;
}

/** A flat position as `start` and whole loop variables, each times its weight. */
interface Linear {
  readonly start: number;
  readonly weights: readonly number[];
}

function linearOf({ position, root }: Index): Linear | null {
  if (!position) return null;
  const weights: number[] = [];
  for (const [variable, { shape }] of root.variables.entries()) {
    const digits = joined(position.digits.filter((digit) => digit.variable === variable));
    if (!digits || digits.length > 1) return null;
    const [digit] = digits;
    if (digit && (digit.stride !== 1 || digit.size < sizeOf(shape) || digit.weight < 0)) return null;
    weights.push(digit?.weight ?? 0);
  }
  return position.start < 0 ? null : { start: position.start, weights };
}

/** The sum as WGSL. */
function linearText(
  { start, weights }: Linear,
  variables: readonly LoopVariable[],
  textOf: (variable: LoopVariable) => string,
  width: Width,
): string {
  const terms = variables.flatMap((variable, i) => {
    const weight = weights[i]!;
    if (weight === 0) return [];
    return [weight === 1 ? textOf(variable) : `${textOf(variable)} * ${weight}u`];
  });
  return start > 0 || terms.length === 0 ? [...terms, constantText(start, width)].join(" + ") : terms.join(" + ");
}

/** A digit as one that stays below `limit` and one that counts in it, where it is both. */
function cut(digit: Digit, limit: number): Digit[] {
  const { stride, size, weight } = digit;
  const inner = limit / weight;
  if (weight <= 0 || weight >= limit || weight * size <= limit || !Number.isInteger(inner) || size % inner !== 0)
    return [digit];
  return [
    { ...digit, size: inner },
    { ...digit, stride: stride * inner, size: size / inner, weight: limit },
  ];
}

function staysBelow({ start, digits }: DigitSum, limit: number): boolean {
  const reach = (sign: 1 | -1): number =>
    digits.reduce((total, { size, weight }) => total + Math.max(sign * weight, 0) * (size - 1), 0);
  return start + reach(1) < limit && start - reach(-1) >= 0;
}

function classify(index: Index): LanePattern {
  const flat = index.position;
  if (!flat) return "scattered";
  const { variables } = index.root;
  const laned = variables.findIndex((variable) => variable.laned);
  const own = joined(flat.digits.filter(({ variable }) => variable === laned));
  if (!own) return "scattered";
  const count = laned < 0 ? Infinity : sizeOf(variables[laned]!.shape);

  const [first] = own;
  const isRun = first?.stride === 1 && first.weight === 1;
  const run = isRun ? first.size : 1;
  const others = isRun ? own.slice(1) : own;
  const keepStill = (digits: readonly Digit[]): boolean => digits.every(({ stride }) => stride % LANES === 0);
  if ((run % LANES === 0 || run === count) && keepStill(others)) {
    const outside = [...others, ...flat.digits.filter(({ variable }) => variable !== laned)];
    const isAligned = flat.start % LANES === 0 && outside.every(({ weight }) => weight % LANES === 0);
    return isAligned ? "aligned" : "consecutive";
  }
  return keepStill(own) ? "same" : "scattered";
}

/** Position given by computed coordinates, as gather, cat and pad have them: nothing is known of how lanes lie. */
export class ComputedIndex extends Index {
  constructor(
    shape: Shape,
    private readonly coords: readonly string[],
    private readonly width: Width,
    private readonly origin: RootIndex,
    bind: BindIndex,
  ) {
    super(shape, bind);
  }

  get root(): RootIndex {
    return this.origin;
  }

  protected flatText(width: Width): string {
    const strides = contiguousStrides(this.shape);
    const terms = this.shape.flatMap((size, dim) =>
      size === 1 ? [] : [`${this.coord(dim, width)} * ${strides[dim]!}u`],
    );
    return terms.length > 0 ? terms.join(" + ") : constantText(0, width);
  }

  get sums(): null {
    return null;
  }

  protected coordText(dim: number, width: Width): string {
    const text = this.coords[dim]!;
    return width === this.width ? text : width === "base" ? `(${text}).x` : `vec4<u32>(${text})`;
  }
}
