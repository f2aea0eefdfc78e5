/** Modules over several steps against PyTorch: outputs, gradients, state dicts. */

import { describe, expect, test } from "vitest";
import { grad } from "../../src/gradient";
import * as nn from "../../src/nn";
import cases from "../goldens/layers.json";
import { expectGoldens, type GoldenTensor, goldenTensor, goldenValues } from "./golden";

interface Step {
  readonly training: boolean;
  readonly input: GoldenTensor;
  readonly output: GoldenTensor;
  readonly gradOut: GoldenTensor;
  readonly gradInput: GoldenTensor;
  readonly gradParameters: Readonly<Record<string, GoldenTensor>>;
  readonly stateDict: Readonly<Record<string, GoldenTensor>>;
}

interface Golden {
  readonly name: string;
  readonly module: string;
  readonly args: readonly unknown[];
  readonly stateDict: Readonly<Record<string, GoldenTensor>>;
  readonly steps: readonly Step[];
}

type Spec = readonly [string, ...unknown[]];

/** `["Conv2d", 2, 4, 3, { stride: 2 }]` as a layer. */
function buildLayer([name, ...args]: Spec): nn.Layer {
  if (name === "Sequential") return new nn.Sequential(...args.map((spec) => buildLayer(spec as Spec)));
  const className = name === "SplitBatchNorm" ? "SplitBatchNorm2d" : name;
  const Layer = nn[className as "Linear"] as unknown as new (...args: readonly unknown[]) => nn.Layer;
  return new Layer(...args);
}

const stateArrays = (state: Readonly<Record<string, GoldenTensor>>): Record<string, nn.StateArray> =>
  Object.fromEntries(Object.entries(state).map(([name, golden]) => [name, { ...golden, data: goldenValues(golden) }]));

export function layers(): void {
  describe("layers against PyTorch", () => {
    for (const golden of cases as unknown as readonly Golden[]) test(golden.name, () => check(golden));
  });
}

async function check({ module, args, stateDict, steps }: Golden): Promise<void> {
  const layer = buildLayer([module, ...args]);
  expect(Object.keys(layer.stateDict())).toEqual(Object.keys(stateDict));
  layer.loadStateDict(stateArrays(stateDict));
  for (const [index, step] of steps.entries()) {
    layer.train(step.training);
    const x = goldenTensor(step.input).requiresGrad_();
    const y = layer.forward(x);
    const parameters = [...layer.namedParameters()];
    const [gradInput, ...gradParameters] = grad(y, [x, ...parameters.map(([, parameter]) => parameter)], {
      gradOutputs: goldenTensor(step.gradOut),
    });
    const state = layer.stateDict();
    await expectGoldens([
      { name: `output ${index}`, actual: y, golden: step.output },
      { name: `gradInput ${index}`, actual: gradInput!, golden: step.gradInput },
      ...parameters.map(([name], i) => ({
        name: `gradient of ${name} ${index}`,
        actual: gradParameters[i]!,
        golden: step.gradParameters[name]!,
      })),
      ...Object.entries(step.stateDict).map(([name, expected]) => ({
        name: `${name} after step ${index}`,
        actual: state[name]!,
        golden: expected,
      })),
    ]);
  }
}
