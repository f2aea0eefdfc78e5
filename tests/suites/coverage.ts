/** What a golden of an op or function has to show beside its values, and how it is told from the cases. */

import { broadcastShapes } from "../../src/graph/shape";
import type { GoldenTensor } from "./golden";
import { type GoldenCase, goldenCases } from "./goldenCases";

/** Kinds of cases. */
export type Kind = "an odd size" | "a view or broadcasting" | "size 0" | "NaN or infinity" | "a gradient";

/** op -> kinds that it has no case of, and why. */
export type Exempt = Readonly<Record<string, Partial<Readonly<Record<Kind, string>>>>>;

const inputsOf = ({ inputs }: GoldenCase): GoldenTensor[] => inputs.filter((input) => input !== null);

const isFloat = ({ dtype }: GoldenTensor): boolean => dtype === "f32";

const isSpecial = (value: number | string): boolean => typeof value === "string";

/** Shapes that differ and meet in the output's. */
function broadcasts(golden: GoldenCase): boolean {
  const shapes = inputsOf(golden).map(({ shape }) => shape);
  if (new Set(shapes.map((shape) => shape.join())).size < 2) return false;
  try {
    return shapes.reduce((a, b) => broadcastShapes("", a, b)).join() === golden.output.shape.join();
  } catch {
    return false;
  }
}

/** Whether a case is of a kind. */
const IS: Readonly<Record<Kind, (golden: GoldenCase) => boolean>> = {
  "an odd size": (golden) => inputsOf(golden).some(({ shape }) => shape.some((size) => size > 1 && size % 2 === 1)),
  "a view or broadcasting": (golden) => inputsOf(golden).some(({ permute }) => permute) || broadcasts(golden),
  "size 0": (golden) => [...inputsOf(golden), golden.output].some(({ shape }) => shape.includes(0)),
  "NaN or infinity": (golden) => inputsOf(golden).some(({ data }) => data.some(isSpecial)),
  "a gradient": ({ gradInputs = [] }) => gradInputs.some((gradient) => gradient !== null && gradient.data.length > 0),
};

/** Kinds that mean nothing for an op: integers have no NaN, and nothing but a float that comes of a float has a gradient. */
function isMeaningless(kind: Kind, cases: readonly GoldenCase[]): boolean {
  const takesFloats = cases.some((golden) => inputsOf(golden).some(isFloat));
  if (kind === "NaN or infinity") return !takesFloats;
  if (kind === "a gradient") return !cases.some((golden) => isFloat(golden.output) && inputsOf(golden).some(isFloat));
  return cases.every((golden) => inputsOf(golden).length === 0);
}

/** Exemptions are with the calls of their families. */
const exemptions: Exempt = Object.assign(
  {},
  ...Object.values(import.meta.glob<Exempt | undefined>("./calls/*.ts", { eager: true, import: "exempt" })),
) as Exempt;

/** Kinds of cases that an op's goldens lack, in words; and exemptions that it does not need. */
export function lacking(op: string): string[] {
  const cases = goldenCases.filter((golden) => golden.op === op);
  return (Object.keys(IS) as Kind[]).flatMap((kind) => {
    const has = cases.some(IS[kind]) || isMeaningless(kind, cases);
    const reason = exemptions[op]?.[kind];
    if (has && reason !== undefined) return [`${op} has a case with ${kind}, and needs no exemption from it`];
    return has || reason !== undefined ? [] : [`${op} has no case with ${kind}`];
  });
}

/** Exemptions of ops that have no goldens. */
export const strayExemptions = (): string[] =>
  Object.keys(exemptions).filter((op) => !goldenCases.some((golden) => golden.op === op));
