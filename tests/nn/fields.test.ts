/** Which fields are part of a module, and errors for those that would silently not be. */

import { describe, expect, test } from "vitest";
import {
  Buffer,
  Counter,
  DTypeError,
  models,
  nn,
  ones,
  optim,
  Parameter,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "../../src";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

const untyped = (value: unknown): never => value as never;

class Scaled extends nn.Module {
  w: Parameter | null = new Parameter(ones([2]));
  mean: Buffer | null = new Buffer(zeros([2]));
  count: Counter | null = new Counter();
  ws: Parameter[] = [new Parameter(ones([2]))];
}

const WALKS: readonly (readonly [name: string, walk: (module: nn.Module) => unknown])[] = [
  ["parameters", (module) => module.parameters()],
  ["buffers", (module) => module.buffers()],
  ["namedModules", (module) => [...module.namedModules()]],
  ["stateDict", (module) => module.stateDict()],
  ["loadStateDict", (module) => module.loadStateDict({}, { strict: false })],
  ["train", (module) => module.train()],
  ["zeroGrad", (module) => module.zeroGrad()],
  ["toString", (module) => module.toString()],
];

describe("state that is replaced by a tensor", () => {
  test.each(WALKS)("%s throws", (_, walk) => {
    const module = new Scaled();
    walk(module);
    module.mean = untyped(module.mean!.mul(0.9));
    expect(() => walk(module)).toThrow(DTypeError);
    expect(() => walk(module)).toThrow(
      /^Scaled: mean was a Buffer and must stay one, got a plain .*Write this\.mean\.assign\(value\)/,
    );
  });

  test("each kind has its way out", () => {
    const set = (field: keyof Scaled, value: unknown): (() => unknown) => {
      const module = new Scaled();
      module.train();
      Object.assign(module, { [field]: value });
      return () => module.parameters();
    };
    expect(set("w", ones([2]).mul(2))).toThrow("w was a Parameter and must stay one");
    expect(set("w", 3)).toThrow("w was a Parameter and must stay one, got 3");
    expect(set("count", 3)).toThrow("count was a Counter and must stay one, got 3. Write this.count.value = ...");
    expect(set("ws", [ones([2])])).toThrow("ws[0] was a Parameter and must stay one");
  });

  test("it is found in a module below", () => {
    const inner = new Scaled();
    const model = new nn.Sequential(untyped(inner));
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    optimizer.zeroGrad();
    inner.w = untyped(inner.w!.mul(2));
    expect(() => model.parameters()).toThrow("Scaled: w was a Parameter");
  });

  test("other state, null and nothing may take its place", () => {
    const module = new Scaled();
    module.parameters();
    module.w = new Parameter(zeros([2]));
    module.mean = null;
    module.count = new Counter(4);
    module.ws = [];
    expect(Object.keys(module.stateDict())).toEqual(["w", "count"]);
  });

  test("fields that never held state may be anything", () => {
    class Cached extends nn.Module {
      last: Tensor | number | null = null;
    }
    const module = new Cached();
    module.parameters();
    module.last = tensor([1]);
    expect(module.parameters()).toEqual([]);
  });
});

describe("modules and parameters where nobody looks", () => {
  const CONTAINERS: readonly (readonly [shown: string, layers: unknown])[] = [
    ["a plain object", { a: new nn.Linear(2, 2) }],
    ["a plain object", { a: { b: [new Parameter(ones([2]))] } }],
    ["a Map", new Map([["a", new nn.Linear(2, 2)]])],
    ["a Set", new Set([new Parameter(ones([2]))])],
  ];

  test.each(CONTAINERS)("%s", (shown, layers) => {
    class Net extends nn.Module {
      readonly layers = layers;
    }
    const net = new Net();
    expect(() => net.parameters()).toThrow(ValueError);
    expect(() => net.parameters()).toThrow(`got some in layers, ${shown}. Use a ModuleDict, ModuleList`);
  });

  test("a list in a list", () => {
    class Net extends nn.Module {
      readonly layers = [[new nn.Linear(2, 2)]];
    }
    expect(() => new Net().parameters()).toThrow("got some in layers[0], a list in a list");
  });

  test("objects that only lead to what is found elsewhere are left alone", () => {
    class Net extends nn.Module {
      readonly byName: Record<string, unknown>;
      readonly fc = new nn.Linear(2, 2);
      readonly body = new nn.Sequential(new nn.Linear(2, 2));
      constructor() {
        super();
        this.byName = { fc: this.fc, first: this.body.at(0), weight: this.fc.weight };
      }
    }
    expect(new Net().parameters()).toHaveLength(4);
  });

  test("objects without any, a weight of a loss, and what is private are left alone", () => {
    class Net extends nn.Module {
      readonly options = { sizes: [1, 2], names: new Map([["a", 1]]), at: new Date(0) };
      readonly loss = new nn.CrossEntropyLoss({ weight: new Buffer(ones([2])) });
      readonly #teacher = new nn.Linear(2, 2);
      teacher(): nn.Module {
        return this.#teacher;
      }
    }
    const net = new Net();
    expect(net.parameters()).toEqual([]);
    expect(net.teacher().parameters()).toHaveLength(2);
  });
});

test("the layers of an encoder may be replaced", () => {
  const net = models.resnet8({ numClasses: 4 });
  net.fc = new nn.Linear(64, 3);
  net.bn1 = new nn.Identity();
  expect(net.forward(zeros([2, 1, 28, 28])).shape).toEqual([2, 3]);
  expect(net.parameters().at(-2)!.shape).toEqual([3, 64]);
  const large: { conv1: nn.Conv2d; maxpool: nn.Layer; fc: nn.Layer } = models.resnet18({ numClasses: 4 });
  large.maxpool = new nn.Identity();
});

describe("registering", () => {
  test("a field that is declared only is free", () => {
    class Declared extends nn.Module {
      mean: Buffer | undefined = undefined; // what `mean!: Buffer` gives in ES2022
      w: Parameter | undefined = undefined;
      fc: nn.Linear | undefined = undefined;
      constructor() {
        super();
        this.registerBuffer("mean", zeros([2]));
        this.registerParameter("w", new Parameter(ones([2])));
        this.addModule("fc", new nn.Linear(2, 2));
      }
    }
    expect(Object.keys(new Declared().stateDict())).toEqual(["w", "mean", "fc.weight", "fc.bias"]);
  });

  test("a field with a value is not", () => {
    expect(() => new Scaled().registerBuffer("mean", zeros([2]))).toThrow("registerBuffer: the name must be free");
    expect(() => new Scaled().registerBuffer("train", zeros([2]))).toThrow("registerBuffer: the name must be free");
  });
});
