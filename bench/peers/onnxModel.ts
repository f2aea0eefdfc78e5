/** Writes small ONNX models: as much of protobuf, and of the format, as a few nodes in a row need. */

import type { HostTensor } from "./library";

/** Values of an attribute. */
type Attribute = number | readonly number[];

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Integers, but for those that `floats` names. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly floats?: readonly string[];
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  /** Shapes of what is given at each run. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** What the model holds itself. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

const IR_VERSION = 8;
const OPSET = 17;
/** TensorProto.DataType.FLOAT, and two of AttributeProto.AttributeType beside it. */
const FLOAT = 1;
const ATTRIBUTE = { float: 1, int: 2, ints: 7 };

/**
 * The bytes of a model.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function onnxModel({ nodes, inputs, weights, outputs }: OnnxModel): Uint8Array {
  const graph = message(
    ...nodes.map((node) => field(1, nodeMessage(node))),
    field(2, text("bench")),
    ...Object.entries(weights).map(([name, values]) => field(5, tensorMessage(name, values))),
    ...Object.entries(inputs).map(([name, shape]) => field(11, valueInfo(name, shape))),
    ...Object.entries(outputs).map(([name, shape]) => field(12, valueInfo(name, shape))),
  );
  return message(integer(1, IR_VERSION), field(7, graph), field(8, message(integer(2, OPSET))));
}

function nodeMessage({ op, inputs, output, attributes = {}, floats = [] }: OnnxNode): Uint8Array {
  return message(
    ...inputs.map((name) => field(1, text(name))),
    field(2, text(output)),
    field(4, text(op)),
    ...Object.entries(attributes).map(([name, value]) =>
      field(5, message(field(1, text(name)), ...attributeValue(value, floats.includes(name)))),
    ),
  );
}

function attributeValue(value: Attribute, isFloat: boolean): Uint8Array[] {
  if (typeof value !== "number") return [...value.map((each) => integer(8, each)), integer(20, ATTRIBUTE.ints)];
  return isFloat ? [float(2, value), integer(20, ATTRIBUTE.float)] : [integer(3, value), integer(20, ATTRIBUTE.int)];
}

const tensorMessage = (name: string, { data, shape }: HostTensor): Uint8Array =>
  message(
    ...shape.map((size) => integer(1, size)),
    integer(2, FLOAT),
    field(8, text(name)),
    field(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );

const valueInfo = (name: string, shape: readonly number[]): Uint8Array => {
  const dims = message(...shape.map((size) => field(1, message(integer(1, size)))));
  const tensorType = message(integer(1, FLOAT), field(2, dims));
  return message(field(1, text(name)), field(2, message(field(1, tensorType))));
};

// ---- protobuf ----

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function message(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let begin = 0;
  for (const part of parts) {
    bytes.set(part, begin);
    begin += part.length;
  }
  return bytes;
}

/** Seven bits a byte, the lowest first. Negative numbers take ten bytes, 64 bits of two's complement. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

const integer = (number: number, value: number): Uint8Array =>
  Uint8Array.from([...varint(number << 3), ...varint(value)]);

function float(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return message(Uint8Array.from(varint((number << 3) | 5)), bytes);
}

/** A field of bytes, text or a message. */
const field = (number: number, bytes: Uint8Array): Uint8Array =>
  message(Uint8Array.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes);
