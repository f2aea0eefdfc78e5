/**
 * Index arithmetic: from the loop variables of a kernel to the place of an element in memory, through any chain of views.
 * An Index says the same thing twice: as WGSL text (for the shader) and as a number (to find out how neighbouring lanes lie).
 */

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

  /** Flat position as WGSL. */
  abstract flat(width: Width): string;
  /** Flat position as a number, for values of the loop variables. */
  abstract at(point: readonly number[], lane: number): number;
  /** The loop variables everything starts from. */
  abstract get root(): RootIndex;
  /** Element counts after which some coordinate wraps, of this shape and of all it came through. */
  abstract wraps(into: Set<number>): void;
  protected abstract coordText(dim: number, width: Width): string;

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

  /** How four neighbouring lanes lie in memory; found by trying every place where a coordinate could wrap. */
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
  const stride = sizeOf(shape.slice(dim + 1));
  const size = shape[dim]!;
  const isQuick = sizeOf(shape) + LANES < MAX_QUICK;
  const suffix = width === "base" ? "" : "4";
  const reciprocal = (divisor: number): string => Math.fround(1 / divisor).toExponential();
  const quotient = isQuick ? `quotient${suffix}(${flat}, ${reciprocal(stride)})` : `${flat} / ${stride}u`;
  const whole = stride === 1 ? flat : quotient;
  if (shape.slice(0, dim).every((outer) => outer === 1)) return whole;
  return isQuick ? `rest${suffix}(${whole}, ${size}u, ${reciprocal(size)})` : `(${whole}) % ${size}u`;
}

function wrapsOf(shape: Shape, into: Set<number>): void {
  for (let dim = 1; dim < shape.length; dim++) into.add(sizeOf(shape.slice(dim)));
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

  flat(width: Width): string {
    return this.once("flat", width, () => {
      let text = "";
      for (const variable of this.variables) {
        const value = this.variable(variable, width);
        text = text === "" ? value : `(${text}) * ${sizeOf(variable.shape)}u + ${value}`;
      }
      return text === "" ? constantText(0, width) : text;
    });
  }

  at(point: readonly number[], lane: number): number {
    let flat = 0;
    this.variables.forEach((variable, i) => {
      flat = flat * sizeOf(variable.shape) + point[i]! + (variable.laned ? lane : 0);
    });
    return flat;
  }

  wraps(into: Set<number>): void {
    wrapsOf(this.shape, into);
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

  private variable({ name, laned }: LoopVariable, width: Width): string {
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

  flat(width: Width): string {
    return this.once("flat", width, () => {
      const terms = this.shape.flatMap((size, dim) => {
        if (size === 1) return [];
        const coord = this.coord(dim, width);
        return [this.strides[dim] === 1 ? coord : `${coord} * ${this.strides[dim]!}u`];
      });
      return terms.length > 0 ? terms.join(" + ") : constantText(0, width);
    });
  }

  at(point: readonly number[], lane: number): number {
    const flat = this.parent.at(point, lane);
    const from = this.parent.shape;
    const fromStrides = contiguousStrides(from);
    let result = 0;
    this.axes.forEach(({ from: dim, start, step }, i) => {
      const coord = dim === null ? 0 : Math.floor(flat / fromStrides[dim]!) % from[dim]!;
      result += (start + step * coord) * this.strides[i]!;
    });
    return result;
  }

  wraps(into: Set<number>): void {
    wrapsOf(this.shape, into);
    this.parent.wraps(into);
  }

  protected coordText(dim: number, width: Width): string {
    const { from, start, step } = this.axes[dim]!;
    if (from === null) return constantText(start, width);
    const coord = this.parent.coord(from, width);
    const scaled = Math.abs(step) === 1 ? coord : `${coord} * ${Math.abs(step)}u`;
    if (step < 0) return `${start}u - ${scaled}`;
    return start === 0 ? scaled : `${start}u + ${scaled}`;
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

  flat(width: Width): string {
    return this.parent.flat(width);
  }

  at(point: readonly number[], lane: number): number {
    return this.parent.at(point, lane);
  }

  wraps(into: Set<number>): void {
    wrapsOf(this.shape, into);
    this.parent.wraps(into);
  }

  protected coordText(dim: number, width: Width): string {
    return digit(this.flat(width), this.shape, dim, width);
  }
}

/**
 * Tries the first lanes groups, the last, and those around every place where a coordinate wraps (a few of each kind):
 * between such places a chain of views is linear, so what holds there holds everywhere.
 */
function classify(index: Index): LanePattern {
  const possible = new Set<LanePattern>(["aligned", "consecutive", "same"]);
  const wraps = new Set<number>();
  index.wraps(wraps);
  for (const { point, valid } of probes(index.root, wraps)) {
    const first = index.at(point, 0);
    if (first % LANES !== 0) possible.delete("aligned");
    for (let lane = 1; lane < valid; lane++) {
      const place = index.at(point, lane);
      if (place !== first + lane) {
        possible.delete("aligned");
        possible.delete("consecutive");
      }
      if (place !== first) possible.delete("same");
    }
  }
  return [...possible][0] ?? "scattered";
}

function* probes(root: RootIndex, wraps: ReadonlySet<number>): Generator<{ point: number[]; valid: number }> {
  const values = root.variables.map(({ shape, laned }) => {
    const size = sizeOf(shape);
    if (!laned) return [...new Set([0, 1, 2, 3, size - 1])].filter((v) => v >= 0 && v < size);
    const bases = new Set([0, LANES, 2 * LANES, LANES * Math.floor((size - 1) / LANES)]);
    for (const wrap of wraps) {
      for (let times = 1; times <= 5; times++)
        bases.add(LANES * Math.floor((wrap * times - 1) / LANES)).add(LANES * Math.floor((wrap * times) / LANES));
    }
    return [...bases].filter((base) => base >= 0 && base < size);
  });
  const count = values.reduce((product, list) => product * list.length, 1);
  for (let k = 0; k < count; k++) {
    let rest = k;
    const point = values.map((list) => {
      const value = list[rest % list.length]!;
      rest = Math.floor(rest / list.length);
      return value;
    });
    const laned = root.variables.findIndex((variable) => variable.laned);
    const size = laned < 0 ? LANES : sizeOf(root.variables[laned]!.shape);
    yield { point, valid: laned < 0 ? LANES : Math.min(LANES, size - point[laned]!) };
  }
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

  flat(width: Width): string {
    return this.once("flat", width, () => {
      const strides = contiguousStrides(this.shape);
      const terms = this.shape.flatMap((size, dim) =>
        size === 1 ? [] : [`${this.coord(dim, width)} * ${strides[dim]!}u`],
      );
      return terms.length > 0 ? terms.join(" + ") : constantText(0, width);
    });
  }

  at(): number {
    return NaN;
  }

  wraps(): void {
    // nothing is known
  }

  protected coordText(dim: number, width: Width): string {
    const text = this.coords[dim]!;
    return width === this.width ? text : width === "base" ? `(${text}).x` : `vec4<u32>(${text})`;
  }
}
