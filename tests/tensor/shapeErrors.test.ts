/** What functions of shapes, places and products refuse: the typed error, on the line of the call, in the house's form. */

import { describe, expect, test } from "vitest";
import {
  broadcastTensors,
  cat,
  chainMatmul,
  combinations,
  einsum,
  hstack,
  meshgrid,
  multiDot,
  stack,
  tensordot,
  trilIndices,
} from "../../src/combine";
import { tensor, zeros } from "../../src/creation";
import { DTypeError, type FlywheelError, IndexError, ShapeError, ValueError } from "../../src/errors";
import { fold, oneHot, pad, unfold } from "../../src/functional";
import type { Tensor } from "../../src/tensor";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

type Kind = new (message: string) => FlywheelError;
type Case = readonly [call: string, kind: Kind, message: RegExp, body: () => unknown];

const x = (...shape: number[]): Tensor => zeros(shape);
const ints = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });
/** What callers without types may pass. */
const untyped = (value: unknown): never => value as never;

const SHAPES: readonly Case[] = [
  ["reshape", ShapeError, /must stay the same, got \[6\] -> \[4\]/, () => x(6).reshape(4)],
  ["reshape of two -1", ShapeError, /one size may be -1/, () => x(6).reshape(-1, -1)],
  ["unflatten", ShapeError, /sizes must multiply to 6/, () => x(6).unflatten(0, [4, 2])],
  ["unflatten by none", ShapeError, /sizes must multiply/, () => x(6).unflatten(0, [])],
  ["unflatten dim", ShapeError, /dim must be an integer in -1..0, got 1/, () => x(6).unflatten(1, [6])],
  ["movedim", ShapeError, /name as many dims/, () => x(2, 3).movedim([0, 1], 0)],
  ["movedim twice", ShapeError, /each dim must appear once/, () => x(2, 3).movedim([0, 0], [0, 1])],
  ["permute", ShapeError, /each of the 2 dimensions once/, () => x(2, 3).permute(0, 0)],
  ["T", ShapeError, /at most 2 dimensions/, () => x(2, 3, 4).T],
  ["mT", ShapeError, /at least 2 dimensions/, () => x(2).mT],
  ["expand", ShapeError, /sizes must be 1 or stay/, () => x(2, 3).expand(4, 3)],
  ["squeeze", ShapeError, /dim must be/, () => x(2, 3).squeeze(2)],
];

const PARTS: readonly Case[] = [
  ["slice", ShapeError, /at most one range per dimension/, () => x(2).slice([0, 0])],
  ["slice by 0", ValueError, /steps must be integers other than 0/, () => x(2).slice([0], [1], [0])],
  ["slice by halves", ValueError, /starts and ends must be integers/, () => x(2).slice([0.5])],
  ["narrow", ShapeError, /lie in dimension 0, got start 2, length 2/, () => x(3).narrow(0, 2, 2)],
  ["narrow by halves", ShapeError, /must be integers/, () => x(3).narrow(0, 0.5, 1)],
  ["select", IndexError, /index must be in -3..2, got 3/, () => x(3).select(0, 3)],
  ["split", ShapeError, /must be a positive integer, got 0/, () => x(3).split(0)],
  ["split by a list", ShapeError, /add up to 3, got \[1, 1\]/, () => x(3).split([1, 1])],
  ["split by a negative", ShapeError, /at least 0 that add up/, () => x(3).split([4, -1])],
  ["chunk", ShapeError, /chunks must be a positive integer/, () => x(3).chunk(0)],
  ["tensorSplit", ShapeError, /sections must be a positive integer/, () => x(3).tensorSplit(0)],
  ["tensorSplit by halves", ShapeError, /indices must be integers/, () => x(3).tensorSplit([0.5])],
  ["unbind", ShapeError, /a scalar has no dimensions/, () => x().unbind()],
  ["unfold", ShapeError, /size must be an integer in 0..3, got 4/, () => x(3).unfold(0, 4, 1)],
  ["unfold by 0", ValueError, /step must be a positive integer/, () => x(3).unfold(0, 1, 0)],
  ["F.unfold", ShapeError, /the kernel must fit into the padded image/, () => unfold(x(1, 1, 2, 2), 3)],
  ["F.unfold of a matrix", ShapeError, /\[n, channels, height, width\]/, () => unfold(x(2, 2), 1)],
  ["F.unfold by 0", ValueError, /stride must be one or two integers/, () => unfold(x(1, 1, 2, 2), 1, { stride: 0 })],
  ["F.fold", ShapeError, /input must be \[n, channels \* 4, 4\]/, () => fold(x(1, 4, 5), 3, 2)],
  ["F.fold depth", ShapeError, /channels \* 4/, () => fold(x(1, 3, 4), 3, 2)],
  ["diagonal", ShapeError, /two dimensions, got 0 and 0/, () => x(2, 3).diagonal(0, 0, 0)],
  ["diagonal of a vector", ShapeError, /two dimensions/, () => x(2).diagonal(0, 0, -1)],
  ["diag", ShapeError, /1 or 2 dimensions/, () => x(2, 2, 2).diag()],
  ["diagEmbed", ShapeError, /at least 1 dimension/, () => x().diagEmbed()],
  ["trace", ShapeError, /2 dimensions, got \[3\]/, () => x(3).trace()],
  ["tril", ShapeError, /at least 2 dimensions/, () => x(3).tril()],
];

const ORDERS: readonly Case[] = [
  ["flip", ShapeError, /dim must be/, () => x(3).flip(1)],
  ["fliplr", ShapeError, /at least 2 dimensions/, () => x(3).fliplr()],
  ["flipud", ShapeError, /at least 1 dimension/, () => x().flipud()],
  ["roll", ShapeError, /as many integers as dims, got \[1, 2\] and \[0\]/, () => x(3).roll([1, 2], 0)],
  ["roll without dims", ShapeError, /as many integers as dims/, () => x(3).roll([1, 2])],
  ["roll by halves", ShapeError, /integers/, () => x(3).roll(0.5, 0)],
  ["rot90", ShapeError, /two dims/, () => x(2, 2).rot90(1, [0, 0])],
  ["repeat", ShapeError, /a count of at least 0 for each dimension/, () => x(2, 2).repeat(2)],
  ["repeat by less", ShapeError, /got \[-1\]/, () => x(2).repeat(-1)],
  ["repeatInterleave", ValueError, /repeats must be an integer of at least 0/, () => x(2).repeatInterleave(-1)],
  ["cat", ShapeError, /sizes must be equal outside dim 0/, () => cat([x(2, 3), x(2, 4)])],
  ["cat of ranks", ShapeError, /sizes must be equal/, () => cat([x(2), x(2, 4)])],
  ["cat of scalars", ShapeError, /at least one dimension, got \[\]/, () => cat([x(), x()])],
  ["cat of nothing", ShapeError, /at least one tensor/, () => cat([])],
  ["stack", ShapeError, /shapes must be equal/, () => stack([x(2), x(3)])],
  ["hstack", ShapeError, /at least one tensor/, () => hstack([])],
  ["broadcastTensors", ShapeError, /shapes must broadcast/, () => broadcastTensors(x(2), x(3))],
  ["meshgrid", ShapeError, /there must be vectors, got \[2, 2\]/, () => meshgrid([x(2, 2)])],
  [
    "meshgrid by letters",
    ValueError,
    /indexing must be "ij" or "xy"/,
    () => meshgrid([x(2)], { indexing: untyped("yx") }),
  ],
  ["combinations", ShapeError, /1 dimension/, () => combinations(x(2, 2))],
  ["combinations of less", ValueError, /r must be an integer of at least 0/, () => combinations(x(2), -1)],
  ["trilIndices", ShapeError, /integers of at least 0/, () => trilIndices(-1, 2)],
  ["F.pad", ShapeError, /pairs of integers/, () => pad(x(3), [1])],
  ["F.pad of more", ShapeError, /at most one per dimension/, () => pad(x(3), [1, 1, 1, 1])],
  ["F.pad to less", ShapeError, /negative padding must leave something/, () => pad(x(3), [-2, -2])],
  ["F.pad mode", ValueError, /mode must be constant or reflect/, () => pad(x(3), [1, 1], { mode: untyped("mirror") })],
  ["F.pad reflect", ShapeError, /padding must be at most 2 .* got 3/, () => pad(x(3), [3, 0], { mode: "reflect" })],
  ["F.pad circular", ShapeError, /padding must be at most 3/, () => pad(x(3), [4, 0], { mode: "circular" })],
  ["F.pad replicate", ShapeError, /padding must be at most 0/, () => pad(x(0), [1, 0], { mode: "replicate" })],
  ["F.pad value", DTypeError, /a number for i32 must be an integer/, () => pad(ints(1), [1, 0], { value: 0.5 })],
];

const PLACES: readonly Case[] = [
  ["gather", IndexError, /gather: index must be in 0..2, got -1/, () => x(3).gather(0, ints(-1))],
  ["gather of floats", DTypeError, /index must be an integer tensor/, () => x(3).gather(0, x(1))],
  ["gather of ranks", ShapeError, /as many dimensions as the tensor/, () => x(3, 2).gather(0, ints(0))],
  ["gather of nothing", ShapeError, /the tensor must not be empty/, () => x(0).gather(0, ints(0).add(0))],
  ["indexSelect", IndexError, /indexSelect: index must be in 0..2, got 3/, () => x(3).indexSelect(0, ints(3))],
  ["indexSelect by a matrix", ShapeError, /1 dimension/, () => x(3).indexSelect(0, ints(0).reshape(1, 1))],
  ["take", IndexError, /take: index must be in -6..5, got 6/, () => x(2, 3).take(ints(6))],
  ["takeAlongDim", ShapeError, /as many dimensions/, () => x(2, 3).takeAlongDim(ints(0), 0)],
  ["oneHot", IndexError, /oneHot: index must be in 0..2, got 3/, () => oneHot(ints(3), 3)],
  ["oneHot of less", IndexError, /oneHot: index must be in 0..0, got -1/, () => oneHot(ints(-1))],
  ["oneHot of the unknown", IndexError, /numClasses must be the number of classes/, () => oneHot(ints(1).add(0))],
  ["scatter", IndexError, /scatter: index must be in 0..2, got 3/, () => x(3).scatter(0, ints(3), 1)],
  ["scatter source", ShapeError, /src must be as large as the index/, () => x(3).scatter(0, ints(0, 1), x(1))],
  ["scatter dtype", DTypeError, /must fit the tensor's dtype i32, got f32/, () => ints(1).scatter(0, ints(0), x(1))],
  [
    "scatter reduce",
    ValueError,
    /reduce must be "add" or "multiply"/,
    () => x(3).scatter(0, ints(0), 1, { reduce: untyped("sum") }),
  ],
  ["scatterReduce", ValueError, /reduce must be "sum"/, () => x(3).scatterReduce(0, ints(0), x(1), untyped("add"))],
  ["scatterReduce option", ValueError, /Write includeSelf/, () => x(3).scatterReduce(0, ints(0), x(1), "sum", untyped({ include_self: true }))], // prettier-ignore
  [
    "indexAdd",
    ShapeError,
    /an entry per index, \[2, 3\], got \[1, 3\]/,
    () => x(4, 3).indexAdd(0, ints(0, 1), x(1, 3)),
  ],
  ["indexCopy", IndexError, /indexCopy: index must be in 0..1, got -1/, () => x(2).indexCopy(0, ints(-1), x(1))],
  ["indexFill", IndexError, /indexFill: index must be in -2..1, got 2/, () => x(2).indexFill(0, ints(2), 1)],
  ["put", ShapeError, /a value per index/, () => x(3).put(ints(0, 1), x(1))],
  ["maskedScatter", ShapeError, /an element per true/, () => x(2).maskedScatter(tensor([true, true]), x(0))],
  [
    "maskedScatter",
    ShapeError,
    /an element per true, got \[3\]/,
    () => x(2, 2).maskedScatter(tensor([true, true]), x(3)),
  ],
  ["diagonalScatter", ShapeError, /the diagonal's shape \[2\], got \[3\]/, () => x(2, 2).diagonalScatter(x(3))],
  ["selectScatter", ShapeError, /the shape of what it replaces, \[2\]/, () => x(2, 2).selectScatter(x(1), 0, 0)],
  ["sliceScatter", ShapeError, /the shape of what it replaces/, () => x(4).sliceScatter(x(1), 0, 0, 2)],
];

const PRODUCTS: readonly Case[] = [
  ["mm", ShapeError, /must have 2 dimensions \[m, k\], got \[2\]/, () => x(2).mm(x(2, 2))],
  ["mm inner", ShapeError, /^mm: inner dimensions must match/, () => x(2, 3).mm(x(2, 3))],
  ["bmm", ShapeError, /stacks must have one length/, () => x(2, 1, 1).bmm(x(3, 1, 1))],
  ["mv", ShapeError, /must have 1 dimensions \[k\]/, () => x(2, 2).mv(x(2, 2))],
  ["dot", ShapeError, /^dot: inner dimensions must match/, () => x(2).dot(x(3))],
  ["outer", ShapeError, /must have 1 dimensions/, () => x(2, 2).outer(x(2))],
  ["inner", ShapeError, /sizes of a pair must be equal/, () => x(2).inner(x(3))],
  ["matmul of bools", DTypeError, /matmul: dtype must be/, () => tensor([true]).matmul(tensor([true]))],
  [
    "addmm",
    ShapeError,
    /must broadcast to the product, got \[3, 3\] for \[2, 2\]/,
    () => x(3, 3).addmm(x(2, 1), x(1, 2)),
  ],
  ["addmm factor", DTypeError, /a number for i32 must be an integer/, () => ints(1).addmm(ints(1).reshape(1, 1), ints(1).reshape(1, 1), { beta: 0.5 })], // prettier-ignore
  ["addmm option", ValueError, /names of beta, alpha/, () => x(1).addmm(x(1, 1), x(1, 1), untyped({ gamma: 1 }))],
  ["cross", ShapeError, /dim must have size 3/, () => x(2).cross(x(2))],
  ["matrixPower", ShapeError, /must be square/, () => x(2, 3).matrixPower(2)],
  ["matrixPower of less", ValueError, /n must be an integer of at least 0/, () => x(2, 2).matrixPower(-1)],
  ["multiDot", ShapeError, /at least 2 matrices/, () => multiDot([x(2, 2)])],
  ["chainMatmul", ShapeError, /must have 2 dimensions/, () => chainMatmul(x(2, 2), x(2, 2, 2), x(2, 2))],
  ["tensordot", ShapeError, /dims must be a number of dimensions/, () => tensordot(x(2), x(2), 2)],
  ["tensordot lists", ShapeError, /two lists of one length/, () => tensordot(x(2), x(2), [[0], []])],
  ["einsum operands", ValueError, /subscripts per operand/, () => einsum("ij,jk", x(2, 2))],
  ["einsum arrows", ValueError, /at most one "->"/, () => einsum("i->i->i", x(2))],
  ["einsum letters", ValueError, /subscripts must be letters or "...", not "1"/, () => einsum("i1", x(2, 2))],
  ["einsum dots", ValueError, /at most one "..."/, () => einsum("...i...", x(2, 2))],
  ["einsum result", ValueError, /must be in an operand, not k/, () => einsum("ij->k", x(2, 2))],
  ["einsum result twice", ValueError, /in the result once, not i/, () => einsum("ij->ii", x(2, 2))],
  ["einsum rank", ShapeError, /a letter per dimension, got "i" for \[2, 2\]/, () => einsum("i", x(2, 2))],
  ["einsum sizes", ShapeError, /must have one size, got 2 and 3 for j/, () => einsum("ij,jk->ik", x(2, 2), x(3, 2))],
  ["einsum diagonal", ShapeError, /in one operand must have one size, got 2 and 3/, () => einsum("ii", x(2, 3))],
  ["einsum of bools", DTypeError, /einsum: dtype must be/, () => einsum("i,i", tensor([true]), tensor([true]))],
];

/** `<op>: <what must hold>, got <the values>. <What to do.>` */
const FORM = /^\w+: [^]+\. [A-Z"][^]+[.?]$/;

describe.each([
  ["shapes", SHAPES],
  ["parts", PARTS],
  ["orders and joins", ORDERS],
  ["places", PLACES],
  ["products", PRODUCTS],
])("%s", (_name, cases) => {
  test.each(cases)("%s", (_call, kind, message, body) => {
    expect(body).toThrow(kind);
    expect(body).toThrow(message);
    expect(body).toThrow(FORM);
  });
});

test("counts in a tensor are checked when they are read", async () => {
  await expect(x(2).repeatInterleave(ints(1, -1))).rejects.toThrow(ValueError);
  await expect(x(2).repeatInterleave(ints(1, 1, 1))).rejects.toThrow(/for each of 2 entries, got \[1, 1, 1\]/);
});
