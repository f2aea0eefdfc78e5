/** Modules over several steps against PyTorch: outputs, gradients, state dicts. */

import { describe, expect, test } from "vitest";
import { grad } from "../../src/gradient";
import * as models from "../../src/models";
import * as nn from "../../src/nn";
import { Tensor } from "../../src/tensor";
import cases from "../goldens/layers.json";
import { expectGoldens, type GoldenTensor, goldenTensor, goldenValues } from "./golden";

interface Step {
  readonly training: boolean;
  readonly inputs: readonly GoldenTensor[];
  readonly outputs: readonly GoldenTensor[];
  readonly gradOuts: readonly GoldenTensor[];
  readonly gradInputs: readonly (GoldenTensor | null)[];
  readonly gradParameters: Readonly<Record<string, GoldenTensor>>;
  readonly stateDict: Readonly<Record<string, GoldenTensor>>;
}

interface Golden {
  readonly name: string;
  readonly module: string;
  readonly args: readonly unknown[];
  readonly stateDict: Readonly<Record<string, GoldenTensor>>;
  /** Of forward: masks and switches. */
  readonly options?: Readonly<Record<string, GoldenTensor | boolean>>;
  readonly steps: readonly Step[];
}

type Spec = readonly [string, ...unknown[]];

const isSpec = (value: unknown): value is Spec => Array.isArray(value) && typeof value[0] === "string";

/** Any layer: what it takes and gives differs. */
type AnyLayer = nn.Module & { forward(...args: unknown[]): Tensor | nn.Attended };

/** `["Conv2d", 2, 4, 3, { stride: 2 }]` as a layer. */
function buildLayer([name, ...args]: Spec): AnyLayer {
  if (name === "BasicBlock" || name === "Bottleneck") {
    return new models[name](...(args as [number, number, number]), models.batchNorm2d);
  }
  const className = name === "SplitBatchNorm" ? "SplitBatchNorm2d" : name;
  const Layer = nn[className as "Linear"] as unknown as new (...args: readonly unknown[]) => AnyLayer;
  return new Layer(...args.map((arg) => (isSpec(arg) ? buildLayer(arg) : arg)));
}

const stateArrays = (state: Readonly<Record<string, GoldenTensor>>): Record<string, nn.StateArray> =>
  Object.fromEntries(Object.entries(state).map(([name, golden]) => [name, { ...golden, data: goldenValues(golden) }]));

export function layers(): void {
  describe("layers against PyTorch", () => {
    for (const golden of cases as unknown as readonly Golden[]) test(golden.name, () => check(golden));
  });
}

const outputsOf = (result: Tensor | nn.Attended): Tensor[] =>
  result instanceof Tensor ? [result] : [result.output, ...(result.weights ? [result.weights] : [])];

async function check({ module, args, stateDict, options, steps }: Golden): Promise<void> {
  const layer = buildLayer([module, ...args]);
  expect(Object.keys(layer.stateDict())).toEqual(Object.keys(stateDict));
  layer.loadStateDict(stateArrays(stateDict));
  const forwardOptions =
    options &&
    Object.fromEntries(
      Object.entries(options).map(([name, value]) => [name, typeof value === "object" ? goldenTensor(value) : value]),
    );
  for (const [index, step] of steps.entries()) {
    layer.train(step.training);
    const inputs = step.inputs.map((input, i) => {
      const x = goldenTensor(input);
      return step.gradInputs[i] ? x.requiresGrad_() : x;
    });
    const outputs = outputsOf(layer.forward(...inputs, ...(forwardOptions ? [forwardOptions] : [])));
    expect(outputs).toHaveLength(step.outputs.length);
    const targets = [
      ...inputs.flatMap((x, i) => {
        const golden = step.gradInputs[i];
        return golden ? [{ name: `gradient of input ${i}`, x, golden }] : [];
      }),
      ...[...layer.namedParameters()].map(([name, x]) => ({
        name: `gradient of ${name}`,
        x,
        golden: step.gradParameters[name]!,
      })),
    ];
    const gradients = grad(
      outputs,
      targets.map(({ x }) => x),
      { gradOutputs: step.gradOuts.map(goldenTensor) },
    );
    const state = layer.stateDict();
    const pairs = [
      ...step.outputs.map((golden, i) => ({ name: `output ${i}`, actual: outputs[i]!, golden })),
      ...targets.map(({ name, golden }, i) => ({ name, actual: gradients[i]!, golden })),
      ...Object.entries(step.stateDict).map(([name, golden]) => ({ name, actual: state[name]!, golden })),
    ];
    await expectGoldens(
      pairs.map((pair) => ({ ...pair, name: `${pair.name}, step ${index}` })),
      { steps: index + 1 },
    );
  }
}
