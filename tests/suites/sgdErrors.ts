/** What SGD refuses. */

import { describe, expect, test } from "vitest";
import { ones, tensor } from "../../src/creation";
import { DTypeError, StateDictError, ValueError } from "../../src/errors";
import { SGD } from "../../src/optim";
import { Parameter } from "../../src/parameter";

const parameter = (): Parameter => new Parameter(ones([2]));

export function sgdErrors(): void {
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
      const bits = { momentum_buffer: { shape: [2], dtype: "f16", data: [15360, 15360] } };
      expect(() => one.loadStateDict({ state: { 0: bits }, param_groups: groups })).toThrow(/dtype f16/);
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
