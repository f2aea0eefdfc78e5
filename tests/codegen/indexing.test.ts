/** How lanes lie in memory, against trying every place; and division by reciprocals, as shaders/lib/index.wgsl does it. */

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Index, type LanePattern, type LoopVariable, RootIndex } from "../../src/codegen/indexing";
import { contiguousStrides, sizeOf } from "../../src/graph/shape";
import { along, type AxisMap } from "../../src/ops/op";

const LIMIT = 2 ** 21;

/** `quotient` of shaders/lib/index.wgsl, rounding where f32 rounds. */
const quotient = (n: number, divisor: number): number =>
  Math.trunc(Math.fround(Math.fround(n + 0.5) * Math.fround(1 / divisor)));

it("divides exactly below the limit", () => {
  for (let divisor = 1; divisor <= 2048; divisor++) {
    // around multiples of the divisor, where a rounding error would show
    for (let times = 0; times <= 64; times++) {
      const multiple = Math.floor((times / 64) * ((LIMIT - 2) / divisor)) * divisor;
      for (const n of [multiple - 1, multiple, multiple + 1]) {
        if (n >= 0 && n < LIMIT && quotient(n, divisor) !== Math.floor(n / divisor))
          expect.fail(`${n} / ${divisor} gives ${quotient(n, divisor)}`);
      }
    }
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LIMIT - 1 }), fc.integer({ min: 1, max: LIMIT }), (n, divisor) => {
      expect(quotient(n, divisor)).toBe(Math.floor(n / divisor));
    }),
    { numRuns: 5000 },
  );
});

/** A chain of views over loop variables, and where each flat position of them ends up. */
interface Chain {
  readonly index: Index;
  /** Position in memory by flat position of the loop variables. */
  readonly places: readonly number[];
  readonly text: string;
}

type Values = Readonly<Record<"v0" | "v1" | "quarter", number>>;

/** Index arithmetic in WGSL, as a function of its variables. */
function evaluating(text: string): (values: Values) => number {
  const body = text
    .replace(/(\d)u\b/g, "$1")
    .replace(/\bquotient\(/g, "q(")
    .replace(/\brest\(/g, "r(");
  const q = (n: number, reciprocal: number): number => Math.trunc(Math.fround((n + 0.5) * reciprocal));
  const r = (n: number, size: number): number => n % size;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is ours
  const run = Function("q", "r", "v0", "v1", "quarter", `return ${body};`) as (...args: unknown[]) => number;
  return ({ v0, v1, quarter }) => run(q, r, v0, v1, quarter);
}

type Pick = (most: number) => number;

const coordsOf = (flat: number, shape: readonly number[]): number[] =>
  contiguousStrides(shape).map((stride, dim) => Math.floor(flat / stride) % shape[dim]!);

/** A view's input is at least as large as what is seen of it. */
function throughView({ index, places, text }: Chain, pick: Pick): Chain {
  const order = index.shape.map((_, dim) => dim).sort(() => pick(2) - 0.5);
  const axes = order.flatMap((from): AxisMap[] => {
    const kind = pick(7);
    const size = index.shape[from]!;
    const before = pick(4);
    if (kind === 0) return []; // expanded: the input has no such dimension
    if (kind === 1) return [along(from, before + size - 1, -1)];
    if (kind === 2) return [along(from, before, 2)];
    if (kind === 3) return [along(from, before), { start: pick(3), terms: [] }];
    if (kind === 4) return [{ start: before, terms: [from, pick(order.length)].map((dim) => ({ from: dim, step: 1 + pick(2) })) }]; // prettier-ignore
    return [along(from, kind === 5 ? before : 0)];
  });
  const shape = axes.map(({ start, terms }) => {
    const ends = terms.map(({ from, step }) => step * (index.shape[from]! - 1));
    const largest = ends.reduce((total, end) => total + Math.max(end, 0), start);
    return largest + 1 + (pick(2) === 0 ? 0 : pick(5));
  });
  const strides = contiguousStrides(shape);
  const moved = places.map((flat) => {
    const coords = coordsOf(flat, index.shape);
    return axes.reduce((total, { start, terms }, dim) => {
      const place = terms.reduce((sum, { from, step }) => sum + step * coords[from]!, start);
      return total + place * strides[dim]!;
    }, 0);
  });
  return {
    index: index.through(axes, shape),
    places: moved,
    text: `${text} view ${JSON.stringify(axes)} of [${shape.join()}]`,
  };
}

function reshaped({ index, places, text }: Chain, pick: Pick): Chain {
  const shape: number[] = [];
  let rest = sizeOf(index.shape);
  while (rest > 1 && shape.length < 4) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((size) => rest % size === 0);
    shape.push(divisors[pick(divisors.length)]!);
    rest /= shape.at(-1)!;
  }
  shape.push(rest);
  return { index: index.reshaped(shape), places, text: `${text} as [${shape.join()}]` };
}

/** What holds of all groups of four lanes, by looking at each of them. */
function truth(variables: readonly LoopVariable[], places: readonly number[]): Set<LanePattern> {
  const lanedSize = sizeOf(variables.at(-1)!.shape);
  const holds = new Set<LanePattern>(["aligned", "consecutive", "same"]);
  for (let outer = 0; outer < places.length; outer += lanedSize) {
    for (let base = 0; base < lanedSize; base += 4) {
      const first = places[outer + base]!;
      if (first % 4 !== 0) holds.delete("aligned");
      for (let lane = 1; lane < Math.min(4, lanedSize - base); lane++) {
        const place = places[outer + base + lane]!;
        if (place !== first + lane) holds.delete("aligned");
        if (place !== first + lane) holds.delete("consecutive");
        if (place !== first) holds.delete("same");
      }
    }
  }
  return holds;
}

describe("how lanes lie", () => {
  const start = (shapes: readonly (readonly number[])[]): { variables: LoopVariable[]; chain: Chain } => {
    const variables = shapes.map((shape, i) => ({ name: `v${i}`, shape: [...shape], laned: i === shapes.length - 1 }));
    const count = shapes.reduce((product, shape) => product * sizeOf(shape), 1);
    const index = new RootIndex(variables, (expression) => expression);
    const text = JSON.stringify(shapes);
    return { variables, chain: { index, places: Array.from({ length: count }, (_, i) => i), text } };
  };
  const shapes = fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 0, maxLength: 3 }), {
    minLength: 1,
    maxLength: 2,
  });
  const picks = fc.infiniteStream(fc.nat(2 ** 30));
  const pickFrom =
    (stream: Iterator<number>): Pick =>
    (most) =>
      (stream.next().value as number) % most;

  it("is never said to be what it is not", () => {
    fc.assert(
      fc.property(shapes, picks, fc.integer({ min: 0, max: 4 }), (sizes, stream, length) => {
        const pick = pickFrom(stream);
        const { variables, chain } = start(sizes);
        let end = chain;
        for (let i = 0; i < length; i++)
          end = pick(2) === 0 || sizeOf(end.index.shape) > 10_000 ? throughView(end, pick) : reshaped(end, pick);
        const { pattern } = end.index;
        if (pattern !== "scattered") expect(truth(variables, end.places), end.text).toContain(pattern);
      }),
      { numRuns: 8000 },
    );
  });

  it("says where a position is, and where a quarter of it is if it says anything", () => {
    let said = 0;
    fc.assert(
      fc.property(shapes, picks, fc.integer({ min: 0, max: 3 }), (sizes, stream, length) => {
        const pick = pickFrom(stream);
        const named = sizes.map((shape, i) => ({ name: `v${i}`, shape: [...shape], laned: i === sizes.length - 1 }));
        const variables = named.map((each) => (each.laned ? { ...each, quarter: "quarter" } : each));
        const count = sizeOf(sizes.flat());
        const root = new RootIndex(variables, (expression) => `(${expression})`);
        let end: Chain = {
          index: root,
          places: Array.from({ length: count }, (_, i) => i),
          text: JSON.stringify(sizes),
        };
        for (let i = 0; i < length; i++)
          end = pick(2) === 0 || sizeOf(end.index.shape) > 10_000 ? throughView(end, pick) : reshaped(end, pick);
        const quarter = end.index.quarter();
        if (quarter !== null) said++;
        const place = evaluating(end.index.flat("base"));
        const fourth = quarter === null ? null : evaluating(quarter);
        const lanedSize = sizeOf(sizes.at(-1)!);
        for (let flat = 0; flat < count; flat++) {
          const laned = flat % lanedSize;
          const values = { v0: sizes.length > 1 ? Math.floor(flat / lanedSize) : laned, v1: laned, quarter: laned / 4 };
          if (place(values) !== end.places[flat]) expect.fail(`${end.text} at ${flat}: ${end.index.flat("base")}`);
          if (fourth && laned % 4 === 0 && 4 * fourth(values) !== end.places[flat])
            expect.fail(`${end.text} at ${flat}: ${quarter}`);
        }
      }),
      { numRuns: 8000 },
    );
    expect(said).toBeGreaterThan(1000);
  });

  it("is seen through views and through reshapes of whole tensors", () => {
    fc.assert(
      fc.property(
        shapes,
        picks,
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 2 }),
        (sizes, stream, reshapes, views) => {
          const pick = pickFrom(stream);
          const { variables, chain } = start(reshapes > 0 ? sizes.slice(-1) : sizes);
          let end = chain;
          for (let i = 0; i < reshapes; i++) end = reshaped(end, pick);
          for (let i = 0; i < views; i++) end = throughView(end, pick);
          const holds = truth(variables, end.places);
          // of a variable shorter than four lanes more may hold than its digits tell
          if (sizeOf(variables.at(-1)!.shape) < 4) return;
          expect(end.index.pattern, end.text).toBe([...holds][0] ?? "scattered");
        },
      ),
      { numRuns: 5000 },
    );
  });

  it.each([
    [
      "a slice below a reshape",
      [[150]],
      (index: Index) =>
        index
          .through([along(0, 30)], [192])
          .reshaped([3, 64])
          .through([along(0), along(1)], [3, 65]),
    ],
    ["rows of a slice", [[20], [8]], (index: Index) => index.reshaped([5, 32]).through([along(0), along(1)], [5, 33])],
  ] as const)("is scattered or consecutive for %s", (_name, sizes, make) => {
    expect(["scattered", "consecutive"]).toContain(make(start(sizes).chain.index).pattern);
  });
});
