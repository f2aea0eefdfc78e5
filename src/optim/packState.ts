/** Optimizers' state as files hold it: named arrays and text, and back. */

import { FormatError } from "../errors";
import type { DType, TypedArray } from "../graph/dtype";
import type { Shape } from "../graph/shape";
import type { StateArray } from "../loadable";
import { read, type Tensor } from "../tensor";
import type { OptimizerStateDict } from "./optimizer";
import type { LoadableOptimizerState } from "./stateDict";

/** A state dict for a file: arrays by names such as `state.0.exp_avg`, and the groups' options as JSON. */
export interface PackedState {
  readonly tensors: Record<string, { shape: Shape; dtype: DType; data: TypedArray }>;
  readonly metadata: { param_groups: string };
}

/**
 * Brings an optimizer's state to the host in one go, for saving: all values are of one moment.
 *
 * @returns arrays and text as `io.writeSafetensors` takes them
 *
 * @example
 * const { tensors, metadata } = await packState(optimizer.stateDict());
 * const bytes = writeSafetensors(tensors, metadata);
 */
export async function packState({ state, param_groups }: OptimizerStateDict<object>): Promise<PackedState> {
  const entries = Object.entries(state).flatMap(([index, values]) =>
    Object.entries(values as Record<string, Tensor>).map(([name, tensor]) => ({
      name: `state.${index}.${name}`,
      tensor,
    })),
  );
  const values = await read(entries.map(({ tensor }) => tensor));
  const tensors = entries.map(({ name, tensor: { shape, dtype } }, i) => [name, { shape, dtype, data: values[i]! }]);
  return {
    tensors: Object.fromEntries(tensors) as PackedState["tensors"],
    metadata: { param_groups: JSON.stringify(param_groups, (_, value: unknown) => withWords(value)) },
  };
}

/** JSON has no infinities and no NaN. */
const NUMBERS: ReadonlyMap<unknown, number> = new Map(
  [Infinity, -Infinity, NaN].map((value) => [String(value), value]),
);
const withWords = (value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
const withNumbers = (value: unknown): unknown => NUMBERS.get(value) ?? value;

/**
 * What `packState` gave, or `io.readSafetensors` read, as `optimizer.loadStateDict` takes it.
 *
 * @throws FormatError if the names or the metadata are not those of an optimizer's state
 *
 * @example
 * optimizer.loadStateDict(unpackState(readSafetensors(bytes)));
 */
export function unpackState({
  tensors,
  metadata,
}: {
  readonly tensors: Readonly<Record<string, StateArray>>;
  readonly metadata: Readonly<Record<string, string>>;
}): LoadableOptimizerState<Record<string, Tensor>> {
  const state: Record<number, Record<string, StateArray>> = {};
  for (const [name, array] of Object.entries(tensors)) {
    const match = /^state\.(\d+)\.(\w+)$/.exec(name);
    if (!match) {
      throw new FormatError(
        `unpackState: names must be of an optimizer's state, such as state.0.exp_avg, got ${name}. Pass what packState() gave.`,
      );
    }
    (state[Number(match[1])] ??= {})[match[2]!] = array;
  }
  return { state, param_groups: groupsOf(metadata.param_groups) };
}

function groupsOf(text: string | undefined): LoadableOptimizerState<object>["param_groups"] {
  try {
    const groups = JSON.parse(text ?? "", (_, value: unknown) => withNumbers(value)) as unknown;
    if (Array.isArray(groups)) return groups as Record<string, unknown>[];
  } catch {
    // reported below
  }
  throw new FormatError(
    `unpackState: metadata must have param_groups as a list in JSON, got ${text ?? "none"}. Pass what packState() gave.`,
  );
}
