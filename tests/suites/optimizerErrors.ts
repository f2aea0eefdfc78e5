/** What optimizers refuse. */

import { describe, expect, test } from "vitest";
import { ones, tensor } from "../../src/creation";
import { DTypeError, FormatError, StateDictError, ValueError } from "../../src/errors";
import { Adam, AdamW, LARS, packState, RMSprop, SGD, unpackState } from "../../src/optim";
import { readSafetensors, writeSafetensors } from "../../src/io";
import { Parameter } from "../../src/parameter";

const parameter = (): Parameter => new Parameter(ones([2]));

export function optimizerErrors(): void {
  ranges();
  misuse();
  states();
  describe("SGD refuses", () => {
    test("options outside their range", () => {
      const p = [parameter()];
      expect(() => new SGD(p, { lr: -1 })).toThrow(/SGD: lr must not be negative, got -1/);
      expect(() => new SGD(p, { lr: NaN })).toThrow(ValueError);
      expect(() => new SGD(p, { lr: 1, momentum: -0.1 })).toThrow(ValueError);
      expect(() => new SGD(p, { lr: 1, weightDecay: -0.1 })).toThrow(ValueError);
      expect(() => new SGD(p, { lr: 1, nesterov: true })).toThrow(/nesterov/);
      expect(() => new SGD(p, { lr: 1, momentum: 0.9, dampening: 0.1, nesterov: true })).toThrow(ValueError);
      expect(() => new SGD([{ params: p, momentum: -1 }], { lr: 1 })).toThrow(ValueError);
    });

    test("a rate that was made negative later", () => {
      const optimizer = new SGD([parameter()], { lr: 1 });
      optimizer.paramGroups[0]!.lr = -1;
      expect(() => optimizer.step()).toThrow(ValueError);
    });

    test("no parameters, one parameter twice, and tensors", () => {
      const p = parameter();
      expect(() => new SGD([], { lr: 1 })).toThrow(/got an empty list/);
      expect(() => new SGD([{ params: [] }], { lr: 1 })).toThrow(ValueError);
      expect(() => new SGD([p, p], { lr: 1 })).toThrow(/twice/);
      expect(() => new SGD([{ params: [p] }, { params: [p] }], { lr: 1 })).toThrow(ValueError);
      expect(() => new SGD([tensor([1]) as never], { lr: 1 })).toThrow(DTypeError);
    });

    test("lists of parameters and groups, and groups that are none", () => {
      const [p, q] = [parameter(), parameter()];
      for (const list of [
        [{ params: [p] }, q],
        [q, { params: [p] }],
      ]) {
        // prettier-ignore
        const make = (): SGD => new SGD(list as never, { lr: 1 });
        expect(make).toThrow(DTypeError);
        expect(make).toThrow(
          "SGD: a list must hold parameters or groups, got 1 groups among 2 entries. Wrap the other parameters in a group, { params: [...] }.",
        );
      }
      expect(() => new SGD([null as never], { lr: 1 })).toThrow(DTypeError);
      expect(() => new SGD([{ params: undefined as never }], { lr: 1 })).toThrow(DTypeError);
      const optimizer = new SGD([p], { lr: 1 });
      expect(() => optimizer.addParamGroup(q as never)).toThrow(DTypeError);
      expect(() => optimizer.addParamGroup({ params: 1 } as never)).toThrow(
        /a group must be \{ params, \.\.\.options \}/,
      );
      expect(optimizer.paramGroups).toHaveLength(1);
    });

    test("state of other parameters", () => {
      const [one, two] = [new SGD([parameter()], { lr: 1 }), new SGD([parameter(), parameter()], { lr: 1 })];
      expect(() => one.loadStateDict(two.stateDict())).toThrow(StateDictError);
      const state = { state: { 0: { momentum_buffer: ones([3]) } }, param_groups: [{ params: [0] }] };
      expect(() => one.loadStateDict(state)).toThrow(
        /momentum_buffer must fit its parameter, got shape \[3\] instead of \[2\]/,
      );
      const short = { momentum_buffer: { shape: [2], dtype: "f32", data: [1] } };
      const groups = [{ params: [0], lr: 7 }];
      expect(() => one.loadStateDict({ state: { 0: short }, param_groups: groups })).toThrow(/1 values instead of 2/);
      const bits = { momentum_buffer: { shape: [2], dtype: "bf16", data: [16256, 16256] } };
      expect(() => one.loadStateDict({ state: { 0: bits }, param_groups: groups })).toThrow(/dtype bf16/);
      expect(() => one.loadStateDict({ state: { 0: 3 as never }, param_groups: groups })).toThrow(
        /state must fit its parameter, got 3/,
      );
      expect(one.paramGroups[0]!.lr).toBe(1);
    });
  });

  test("a group that is added later is trained", async () => {
    const [a, b] = [parameter(), parameter()];
    const optimizer = new SGD([a], { lr: 0.5, momentum: 0.9 });
    a.sum().backward();
    optimizer.step();
    optimizer.addParamGroup({ params: [b], lr: 0.25 });
    optimizer.zeroGrad();
    a.add(b).sum().backward();
    optimizer.step();
    const expected = [-0.45, -0.45, 0.75, 0.75];
    [...(await a.data()), ...(await b.data())].forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
    expect(optimizer.stateDict().param_groups.map(({ params, lr }) => [params, lr])).toEqual([
      [[0], 0.5],
      [[1], 0.25],
    ]);
  });
}

/** What is no list of parameters, and no state. */
function misuse(): void {
  test("optimizers refuse what is no list of parameters, and what is no state", () => {
    for (const params of [parameter(), undefined, 3]) {
      expect(() => new SGD(params as never, { lr: 1 })).toThrow(DTypeError);
      expect(() => new SGD(params as never, { lr: 1 })).toThrow(/SGD: there must be a list of parameters/);
    }
    for (const dict of [null, {}, { state: {} }, { state: {}, param_groups: [{}] }]) {
      expect(() => {
        new Adam([parameter()]).loadStateDict(dict as never);
      }).toThrow(StateDictError);
    }
  });
}

/** Options outside their range, for all others than SGD. */
function ranges(): void {
  const wrong: Readonly<Record<string, (p: Parameter[]) => unknown>> = {
    "Adam: lr must not be negative, got -1. Pass 0 or more.": (p) => new Adam(p, { lr: -1 }),
    "Adam: eps must not be negative, got -1": (p) => new Adam(p, { eps: -1 }),
    "Adam: weightDecay must not be negative, got -1": (p) => new Adam(p, { weightDecay: -1 }),
    "Adam: betas must be two numbers in [0, 1), got [0.9,1]. Pass [0.9, 0.999].": (p) =>
      new Adam(p, { betas: [0.9, 1] }),
    "Adam: betas must be two numbers in [0, 1), got 0.9": (p) => new Adam(p, { betas: 0.9 as never }),
    "Adam: options must have names of": (p) => new Adam(p, { weight_decay: 1 } as never),
    "Adam: options must be one object": (p) => new Adam(p, 0.1 as never),
    "SGD: options must be one object": (p) => new SGD(p, 0.1 as never),
    "SGD: lr must be given, got none": (p) => new SGD(p, undefined as never),
    "LARS: options must be one object": (p) => new LARS(p, 0.1 as never),
    "RMSprop: options must be one object": (p) => new RMSprop(p, 0.1 as never),
    "AdamW: options must be one object": (p) => new AdamW(p, 0.1 as never),
    "AdamW: betas must be two numbers": (p) => new AdamW([{ params: p, betas: [-0.1, 0.9] }]),
    "AdamW: there must be parameters, got an empty list": () => new AdamW([]),
    "RMSprop: alpha must not be negative, got -0.1": (p) => new RMSprop(p, { alpha: -0.1 }),
    "RMSprop: momentum must not be negative, got NaN": (p) => new RMSprop(p, { momentum: NaN }),
    "RMSprop: a parameter must be in one group only": (p) => new RMSprop([{ params: p }, { params: p }]),
    "LARS: lr must be given, got none": (p) => new LARS(p, {} as never),
    "SGD: lr must not be negative, got the string": (p) => new SGD(p, { lr: "0.1" as never }),
    "SGD: momentum must not be negative, got true": (p) => new SGD(p, { lr: 1, momentum: true as never }),
    "SGD: nesterov must be true or false, got the string": (p) =>
      new SGD(p, { lr: 1, momentum: 0.9, nesterov: "yes" as never }),
    "Adam: amsgrad must be true or false, got 1": (p) => new Adam([{ params: p, amsgrad: 1 as never }]),
    "zeroGrad: options must be one object": (p) => {
      new SGD(p, { lr: 1 }).zeroGrad(false as never);
    },
    "LARS: trustCoefficient must not be negative, got -1": (p) => new LARS(p, { lr: 1, trustCoefficient: -1 }),
  };
  describe("optimizers refuse", () => {
    for (const [message, make] of Object.entries(wrong)) {
      test(message, () => {
        expect(() => make([parameter()])).toThrow(ValueError);
        expect(() => make([parameter()])).toThrow(message);
      });
    }

    test("more groups than a uniform holds", () => {
      const groups = (count: number): { params: Parameter[] }[] =>
        Array.from({ length: count }, () => ({ params: [parameter()] }));
      expect(() => new Adam(groups(33))).toThrow(/Adam: .* at most 32 parameter groups, got 33. Use two optimizers/);
      const optimizer = new Adam(groups(32));
      optimizer.paramGroups.at(-1)!.params[0]!.grad = ones([2]);
      expect(() => {
        optimizer.step();
      }).not.toThrow();
    });

    test("betas that were spoiled later", () => {
      const optimizer = new Adam([parameter()]);
      optimizer.paramGroups[0]!.betas = [0.9, 2];
      expect(() => {
        optimizer.step();
      }).toThrow(/betas/);
    });
  });
}

/** One step of Adam and its state, as a file has it. */
async function packed(): ReturnType<typeof packState> {
  const p = parameter();
  const optimizer = new Adam([p], { amsgrad: true });
  p.grad = ones([2]);
  optimizer.step();
  return packState(optimizer.stateDict());
}

function states(): void {
  describe("Adam's state", () => {
    test("goes through a file, and the run continues to the bit", async () => {
      const steps = async (optimizer: Adam, p: Parameter, from: number): Promise<number[]> => {
        for (let step = from; step < from + 2; step++) {
          p.grad = tensor([Math.sin(step), 1 / step]);
          optimizer.step();
        }
        return [...(await p.data())];
      };
      const make = (p: Parameter): Adam => new Adam([p], { lr: 0.1, betas: [0.8, 0.9], amsgrad: true });
      const p = parameter();
      const optimizer = make(p);
      const before = await steps(optimizer, p, 1);
      const { tensors, metadata } = await packState(optimizer.stateDict());
      expect(Object.keys(tensors)).toEqual(
        ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"].map((key) => `state.0.${key}`),
      );
      const bytes = writeSafetensors(tensors, metadata);
      const q = new Parameter(tensor(before));
      const resumed = new Adam([q]);
      resumed.loadStateDict(unpackState(readSafetensors(bytes)));
      expect(await steps(resumed, q, 3)).toEqual(await steps(optimizer, p, 3));
    });

    test("holds numbers that JSON has not", async () => {
      const optimizer = new SGD([parameter()], { lr: 0.1, weightDecay: Infinity });
      const { param_groups } = unpackState(await packState(optimizer.stateDict()));
      expect(param_groups).toMatchObject([{ lr: 0.1, weight_decay: Infinity, params: [0] }]);
    });

    test("must be whole, and its step a count at hand", async () => {
      const { state, param_groups } = unpackState(await packed());
      const load = (entry: Record<string, unknown>) => (): void => {
        new Adam([parameter()]).loadStateDict({ state: { 0: entry }, param_groups });
      };
      expect(load({ ...state[0]! })).not.toThrow();
      const { exp_avg: _, ...others } = state[0]!;
      expect(load(others)).toThrow(/exp_avg must fit its parameter, got none/);
      expect(load({ ...state[0]!, max_exp_avg_sq: 3 })).toThrow(/max_exp_avg_sq must fit its parameter, got a number/);
      for (const step of [-1, 0.5, NaN, undefined, ones([]).add(1), ones([2])])
        expect(load({ ...state[0]!, step })).toThrow(StateDictError);
      expect(load({ ...state[0]!, step: 3 })).not.toThrow();
    });

    test("of other names, or without groups, is no state of a file", async () => {
      const { tensors, metadata } = await packed();
      expect(() => unpackState({ tensors: { "fc.weight": tensors["state.0.exp_avg"]! }, metadata })).toThrow(
        FormatError,
      );
      expect(() => unpackState({ tensors, metadata: {} })).toThrow(/param_groups as a list in JSON, got none/);
      expect(() => unpackState({ tensors, metadata: { param_groups: "{}" } })).toThrow(FormatError);
    });
  });
}
