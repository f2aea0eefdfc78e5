/** The recorded checkpoints of PyTorch, and what is in them. */

import type { FileDType, TorchKey, TorchValue } from "flywheel/io";
import { fromBytes } from "../../src/io/fileArray";
import goldens from "../goldens/checkpoints.json";

/** A value as the golden has it. */
type Encoded =
  | null
  | boolean
  | number
  | string
  | readonly Encoded[]
  | { readonly dict: readonly (readonly [Encoded, Encoded])[] }
  | { readonly int: string }
  | { readonly float: string }
  | { readonly tensor: { readonly dtype: string; readonly shape: readonly number[]; readonly data: string } };

const FLOATS: Readonly<Record<string, number>> = { inf: Infinity, "-inf": -Infinity, nan: NaN };

export const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function decode(value: Encoded): TorchValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Encoded[]).map(decode);
  if ("int" in value) return BigInt(value.int);
  if ("float" in value) return FLOATS[value.float] ?? Number(value.float);
  if ("tensor" in value) {
    const { dtype, shape, data } = value.tensor;
    return { dtype: dtype as FileDType, shape, data: fromBytes("golden", dtype as FileDType, fromBase64(data)) };
  }
  const dict = new Map(
    (value as { dict: [Encoded, Encoded][] }).dict.map(([key, item]) => [decode(key), decode(item)]),
  );
  const isObject = [...dict.keys()].every((key) => typeof key === "string" && !/^\d+$/.test(key));
  return isObject ? (Object.fromEntries(dict) as Record<string, TorchValue>) : (dict as Map<TorchKey, TorchValue>);
}

export interface Checkpoint {
  readonly name: string;
  readonly zip: Uint8Array;
  readonly legacy: Uint8Array;
  readonly value: TorchValue;
}

export const checkpoints: readonly Checkpoint[] = goldens.map(({ name, zip, legacy, value }) => ({
  name,
  zip: fromBase64(zip),
  legacy: fromBase64(legacy),
  value: decode(value as Encoded),
}));

/** The recorded checkpoint of a name. */
export const checkpoint = (name: string): Checkpoint => checkpoints.find((each) => each.name === name)!;
