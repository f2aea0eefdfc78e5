/** Models for ONNX Runtime, read back by a reader of protobuf that shares nothing with the writer. */

import { expect, it } from "vitest";
import { onnxModel } from "../../bench/peers/onnxModel";
import { permuted } from "../../bench/peers/permuted";

type Field = { number: number; value: bigint | Uint8Array };

/** Fields of a message: integers, and bytes of everything else. */
function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const key = Number(varint());
    const value = { 0: varint, 2: () => take(Number(varint())), 5: () => take(4) }[key & 7]!();
    fields.push({ number: key >> 3, value });
  }
  return fields;
}

const all = (bytes: Uint8Array, number: number): Uint8Array[] =>
  fieldsOf(bytes).flatMap((field) => (field.number === number ? [field.value as Uint8Array] : []));
const one = (bytes: Uint8Array, ...path: number[]): Uint8Array =>
  path.reduce((inside, number) => all(inside, number)[0]!, bytes);
const integers = (bytes: Uint8Array, number: number): number[] =>
  fieldsOf(bytes).flatMap((field) =>
    field.number === number ? [Number(BigInt.asIntN(64, field.value as bigint))] : [],
  );
const text = (bytes: Uint8Array, number: number): string[] =>
  all(bytes, number).map((value) => new TextDecoder().decode(value));

const model = onnxModel({
  nodes: [
    { op: "Conv", inputs: ["x", "weight"], output: "v1", attributes: { pads: [1, 1, 1, 1] } },
    {
      op: "LayerNormalization",
      inputs: ["v1"],
      output: "y",
      attributes: { axis: -1, epsilon: 0.5 },
      floats: ["epsilon"],
    },
  ],
  inputs: { x: [2, 300] },
  weights: { weight: { data: Float32Array.of(1.5, -2), shape: [2, 1] } },
  outputs: { y: [] },
});
const graph = one(model, 7);

it("says which versions it follows", () => {
  expect(integers(model, 1)).toEqual([8]);
  expect(integers(one(model, 8), 2)).toEqual([17]);
});

it("holds nodes with their attributes", () => {
  const [conv, norm] = all(graph, 1);
  expect([text(conv!, 1), text(conv!, 2), text(conv!, 4)]).toEqual([["x", "weight"], ["v1"], ["Conv"]]);
  const pads = one(conv!, 5);
  expect([text(pads, 1), integers(pads, 8), integers(pads, 20)]).toEqual([["pads"], [1, 1, 1, 1], [7]]);
  const [axis, epsilon] = all(norm!, 5);
  expect([integers(axis!, 3), integers(axis!, 20)]).toEqual([[-1], [2]]);
  const half = one(epsilon!, 2);
  expect(new DataView(half.buffer, half.byteOffset).getFloat32(0, true)).toBe(0.5);
  expect(integers(epsilon!, 20)).toEqual([1]);
});

it("holds weights as raw values, and shapes of what goes in and out", () => {
  const weight = one(graph, 5);
  expect([integers(weight, 1), integers(weight, 2), text(weight, 8)]).toEqual([[2, 1], [1], ["weight"]]);
  expect([...new Float32Array(one(weight, 9).slice().buffer)]).toEqual([1.5, -2]);
  const shape = one(graph, 11, 2, 1, 2);
  expect(all(shape, 1).flatMap((dim) => integers(dim, 1))).toEqual([2, 300]);
  expect(text(one(graph, 12), 1)).toEqual(["y"]);
  expect(all(one(graph, 12, 2, 1, 2), 1)).toEqual([]);
});

it("permutes dimensions, there and back", () => {
  const values = { data: Float32Array.from({ length: 24 }, (_, index) => index), shape: [2, 3, 4] };
  const there = permuted(values, [2, 0, 1]);
  expect(there.shape).toEqual([4, 2, 3]);
  expect([...there.data.subarray(0, 7)]).toEqual([0, 4, 8, 12, 16, 20, 1]);
  expect(permuted(there, [1, 2, 0])).toEqual(values);
});
