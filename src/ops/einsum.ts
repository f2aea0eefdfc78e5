/**
 * Einstein sums: products of tensors whose dimensions have letters, summed over those that the result does not have. Operands
 * are contracted two at a time, the cheapest pair first; a pair is one matrix product, or a plain product where nothing is summed.
 */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { showShape, sizeOf } from "../graph/shape";
import { checkIsList, describe } from "../options";
import { mul } from "./arithmetic";
import { sumDims } from "./broadcast";
import { cast, commonDType } from "./cast";
import { checkDType } from "./check";
import { diagonal } from "./diagonal";
import { matmul, productAs } from "./matmul";
import { NUMERIC } from "./pointwise";
import { movedim, permute, reshape } from "./views";

/** A tensor, and a label for each of its dimensions: a letter, or `.0`, `.1` ... for those of the ellipsis, from the right. */
interface Term {
  readonly node: Node;
  readonly labels: readonly string[];
}

// --- the equation ----------------------------------------------------------------------------------------------------

const HOW = `Write it as in "ij,jk->ik".`;

function wrong(equation: string, what: string): ValueError {
  return new ValueError(`einsum: ${what}, got ${JSON.stringify(equation)}. ${HOW}`);
}

/** The letters of one operand or of the result, and where `...` stands. */
function lettersOf(equation: string, text: string): string[] {
  const letters = text.match(/\.\.\.|./g) ?? [];
  const other = letters.find((letter) => !/^([a-zA-Z]|\.\.\.)$/.test(letter));
  if (other !== undefined) throw wrong(equation, `subscripts must be letters or "...", not ${JSON.stringify(other)}`);
  if (letters.filter((letter) => letter === "...").length > 1) {
    throw wrong(equation, `there must be at most one "..." in ${JSON.stringify(text)}`);
  }
  return letters;
}

/** Labels of `count` dimensions that broadcast: counted from the right. */
const dotted = (count: number): string[] => Array.from({ length: count }, (_, i) => `.${count - 1 - i}`);

function termOf(equation: string, text: string, node: Node, position: number): Term {
  const letters = lettersOf(equation, text);
  const named = letters.filter((letter) => letter !== "...").length;
  const rest = node.shape.length - named;
  if (rest < 0 || (rest > 0 && !letters.includes("..."))) {
    throw new ShapeError(
      `einsum: operand ${position} must have a letter per dimension, got ${JSON.stringify(text)} for ${showShape(node.shape)}. ` +
        `Use "..." for dimensions without a letter.`,
    );
  }
  return { node, labels: letters.flatMap((letter) => (letter === "..." ? dotted(rest) : [letter])) };
}

/** Labels of the result: as written, or those that appear once, in alphabetical order behind what `...` stands for. */
function resultLabels(equation: string, written: string | undefined, terms: readonly Term[]): string[] {
  const all = terms.flatMap(({ labels }) => labels);
  const dots = dotted(Math.max(0, ...terms.map(({ labels }) => labels.filter((label) => label[0] === ".").length)));
  if (written === undefined) {
    const once = all.filter((label) => label[0] !== "." && all.indexOf(label) === all.lastIndexOf(label));
    return [...dots, ...once.sort((a, b) => (a < b ? -1 : 1))];
  }
  const letters = lettersOf(equation, written);
  const repeated = letters.find((letter, i) => letters.indexOf(letter) !== i);
  if (repeated !== undefined) throw wrong(equation, `a letter must be in the result once, not ${repeated}`);
  const unknown = letters.find((letter) => letter !== "..." && !all.includes(letter));
  if (unknown !== undefined) throw wrong(equation, `letters of the result must be in an operand, not ${unknown}`);
  return letters.flatMap((letter) => (letter === "..." ? dots : [letter]));
}

/** Sizes of one label must be equal or 1. */
function checkSizes(terms: readonly Term[]): void {
  const sizes = new Map<string, number>();
  for (const { node, labels } of terms) {
    labels.forEach((label, dim) => {
      const size = node.shape[dim]!;
      const known = sizes.get(label) ?? 1;
      if (size !== known && size !== 1 && known !== 1) {
        throw new ShapeError(
          `einsum: dimensions of one letter must have one size, got ${known} and ${size} for ${label[0] === "." ? `"..."` : label}. Check the operands.`,
        );
      }
      if (size !== 1 || known === 1) sizes.set(label, size);
    });
  }
}

// --- terms -----------------------------------------------------------------------------------------------------------

/** A letter that one operand has twice stands for the diagonal. */
function withoutRepeats({ node, labels }: Term): Term {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second < 0) return { node, labels };
  const first = labels.indexOf(labels[second]!);
  if (node.shape[first] !== node.shape[second]) {
    throw new ShapeError(
      `einsum: dimensions of one letter in one operand must have one size, got ${node.shape[first]!} and ${node.shape[second]!} for ` +
        `${labels[second]!}. Check the operand.`,
    );
  }
  const rest = labels.filter((_, dim) => dim !== first && dim !== second);
  return withoutRepeats({ node: diagonal(node, 0, first, second), labels: [...rest, labels[second]!] });
}

const sizeOfLabel = ({ node, labels }: Term, label: string): number => node.shape[labels.indexOf(label)]!;
const sizesOf = (term: Term, labels: readonly string[]): number[] => labels.map((label) => sizeOfLabel(term, label));

/** Sums over the labels that nobody needs. */
function summed({ node, labels }: Term, isNeeded: (label: string) => boolean): Term {
  const dims = labels.flatMap((label, dim) => (isNeeded(label) ? [] : [dim]));
  return { node: sumDims(node, dims), labels: labels.filter(isNeeded) };
}

/** Drops dimensions of size 1 that meet a larger one: they broadcast. */
function withoutOnes(term: Term, other: Term): Term {
  const broadcasts = (label: string): boolean =>
    other.labels.includes(label) && sizeOfLabel(term, label) === 1 && sizeOfLabel(other, label) !== 1;
  const labels = term.labels.filter((label) => !broadcasts(label));
  return { node: reshape(term.node, sizesOf(term, labels)), labels };
}

const arranged = ({ node, labels }: Term, order: readonly string[]): Node =>
  permute(
    node,
    order.map((label) => labels.indexOf(label)),
  );

/** The product of two terms, summed over the labels that both have and nobody else needs. */
function contract(left: Term, right: Term, isNeededLater: (label: string) => boolean): Term {
  const [wholeA, wholeB] = [withoutOnes(left, right), withoutOnes(right, left)];
  const a = summed(wholeA, (label) => isNeededLater(label) || wholeB.labels.includes(label));
  const b = summed(wholeB, (label) => isNeededLater(label) || wholeA.labels.includes(label));
  const common = a.labels.filter((label) => b.labels.includes(label));
  const batch = common.filter(isNeededLater);
  const inner = common.filter((label) => !isNeededLater(label));
  const rows = a.labels.filter((label) => !common.includes(label));
  const columns = b.labels.filter((label) => !common.includes(label));
  const [batchSizes, rowSizes, columnSizes] = [sizesOf(a, batch), sizesOf(a, rows), sizesOf(b, columns)];
  const [size, m, n, k] = [batchSizes, rowSizes, columnSizes, sizesOf(a, inner)].map(sizeOf) as [number, number, number, number]; // prettier-ignore
  const stack = batch.length > 0 ? [size] : [];
  const matrixA = reshape(arranged(a, [...batch, ...rows, ...inner]), [...stack, m, k]);
  const matrixB = reshape(arranged(b, [...batch, ...inner, ...columns]), [...stack, k, n]);
  const product = inner.length === 0 ? mul(matrixA, matrixB) : matmul(matrixA, matrixB);
  return {
    node: reshape(product, [...batchSizes, ...rowSizes, ...columnSizes]),
    labels: [...batch, ...rows, ...columns],
  };
}

/** The pair whose product takes fewest multiplications; of equals the first. */
function cheapestPair(terms: readonly Term[]): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Infinity;
  for (let i = 0; i < terms.length; i++) {
    for (let j = i + 1; j < terms.length; j++) {
      const [a, b] = [terms[i]!, terms[j]!];
      const labels = [...new Set([...a.labels, ...b.labels])];
      const largest = (label: string): number =>
        Math.max(...[a, b].filter((term) => term.labels.includes(label)).map((term) => sizeOfLabel(term, label)));
      const cost = sizeOf(labels.map(largest));
      if (cost < least) [best, least] = [[i, j], cost];
    }
  }
  return best;
}

/** The sum of products that an equation describes, as in `torch.einsum`. */
export function einsum(equation: string, operands: readonly Node[]): Node {
  if (typeof equation !== "string") {
    throw new ValueError(
      `einsum: the equation must be a string, got ${describe(equation)}. Write einsum("ij,jk->ik", a, b).`,
    );
  }
  const [left, result, more] = equation.replaceAll(" ", "").split("->");
  const texts = left!.split(",");
  if (more !== undefined) throw wrong(equation, `there must be at most one "->"`);
  if (texts.length !== operands.length) {
    throw wrong(equation, `there must be subscripts per operand, not ${texts.length} for ${operands.length} operands`);
  }
  checkDType("einsum", operands, NUMERIC);
  const dtype = commonDType(operands);
  const written = operands.map((node, i) => termOf(equation, texts[i]!, cast(node, dtype), i));
  const labels = resultLabels(equation, result, written);
  let terms = written.map(withoutRepeats);
  checkSizes(terms);
  while (terms.length > 1) {
    const [i, j] = cheapestPair(terms);
    const others = terms.filter((_, place) => place !== i && place !== j);
    const isNeeded = (label: string): boolean =>
      labels.includes(label) || others.some((other) => other.labels.includes(label));
    terms = [...others, contract(terms[i]!, terms[j]!, isNeeded)];
  }
  return arranged(
    summed(terms[0]!, (label) => labels.includes(label)),
    labels,
  );
}

// --- tensordot -------------------------------------------------------------------------------------------------------

/** Products summed over pairs of dimensions: the last `dims` of `a` with the first of `b`, or those that are listed. */
export function tensordot(a: Node, b: Node, dims: number | readonly [readonly number[], readonly number[]] = 2): Node {
  if (typeof dims !== "number") checkIsList("tensordot", "dims", dims);
  const lists: readonly unknown[] = typeof dims === "number" ? [] : [dims[0], dims[1]];
  for (const list of lists) checkIsList("tensordot", "each of dims", list);
  const count = typeof dims === "number" ? dims : dims[0].length;
  const isFitting = Number.isInteger(count) && count >= 0 && count <= Math.min(a.shape.length, b.shape.length);
  if (!isFitting || (typeof dims !== "number" && dims[1].length !== count)) {
    throw new ShapeError(
      `tensordot: dims must be a number of dimensions that both have, or two lists of one length, got ${JSON.stringify(dims)} for ` +
        `${showShape(a.shape)} and ${showShape(b.shape)}. Name a pair for each sum.`,
    );
  }
  const run = (first: number): number[] => Array.from({ length: count }, (_, i) => first + i);
  const [ofA, ofB] = typeof dims === "number" ? [run(a.shape.length - count), run(0)] : dims;
  const left = movedim(a, ofA, run(a.shape.length - count));
  const right = movedim(b, ofB, run(0));
  const [outerA, inner] = [left.shape.slice(0, left.shape.length - count), left.shape.slice(left.shape.length - count)];
  const [innerB, outerB] = [right.shape.slice(0, count), right.shape.slice(count)];
  if (inner.some((size, i) => size !== innerB[i])) {
    throw new ShapeError(
      `tensordot: sizes of a pair must be equal, got ${showShape(inner)} and ${showShape(innerB)}. Check dims.`,
    );
  }
  const k = sizeOf(inner);
  const product = productAs("tensordot", reshape(left, [sizeOf(outerA), k]), reshape(right, [k, sizeOf(outerB)]));
  return reshape(product, [...outerA, ...outerB]);
}
