/** Modules: the tree of fields, modes, state dicts that match PyTorch's, initial values. */

import { describe, expect, test } from "vitest";
import { equal, ones, tensor, zeros } from "../../src/creation";
import { DTypeError, ShapeError, StateDictError, ValueError } from "../../src/errors";
import {
  BasicBlock,
  batchNorm2d,
  Bottleneck,
  type ResNet,
  resnet18,
  resnet34,
  resnet50,
  resnet8,
  startAsIdentity,
  tinyFlat,
  tinyGap,
} from "../../src/models";
import * as F from "../../src/functional";
import * as nn from "../../src/nn";
import { Buffer, Counter, Parameter } from "../../src/parameter";
import { manualSeed, randn } from "../../src/random";
import type { Tensor } from "../../src/tensor";
import resnets from "../goldens/resnets.json";

class Block extends nn.Module {
  readonly scale = new Parameter(ones([2]));
  readonly branches = [new nn.Linear(2, 2), new nn.ReLU(), new nn.Linear(2, 1, { bias: false })];
  readonly runningSum = new Buffer(zeros([2]));
  readonly timesSeen = new Counter();
  readonly nothing: nn.Module | null = null;

  forward(x: Tensor): Tensor {
    return x.mul(this.scale);
  }
}

const stdOf = (values: ArrayLike<number>): number => {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length);
};

export function modules(): void {
  describe("Module", () => {
    test("finds parameters, buffers, counters and modules in its fields and in lists of them", () => {
      const block = new Block();
      expect([...block.namedParameters()].map(([name]) => name)).toEqual([
        "scale",
        "branches.0.weight",
        "branches.0.bias",
        "branches.2.weight",
      ]);
      expect([...block.namedBuffers()].map(([name]) => name)).toEqual(["running_sum"]);
      expect(Object.keys(block.stateDict())).toEqual([
        "scale",
        "running_sum",
        "times_seen",
        "branches.0.weight",
        "branches.0.bias",
        "branches.2.weight",
      ]);
      expect([...block.namedModules()].map(([name]) => name)).toEqual(["", "branches.0", "branches.1", "branches.2"]);
      expect(block.scale.variable.name).toBe("scale");
    });

    test("lists a shared parameter once", () => {
      const layer = new nn.Linear(2, 2);
      const twice = new nn.Sequential(layer, new nn.ReLU(), layer);
      expect(twice.parameters()).toHaveLength(2);
      expect([twice.length, twice.at(-1), [...twice].length]).toEqual([3, layer, 3]);
    });

    test("lists a shared module once, and finds it under each of its names", () => {
      const norm = new nn.BatchNorm1d(2);
      const model = new nn.Sequential(new nn.Sequential(norm), norm, norm);
      expect([...model.namedModules()].map(([name]) => name)).toEqual(["", "0", "0.0"]);
      expect(model.children()).toHaveLength(2);
      expect([...model.namedBuffers()].map(([name]) => name)).toEqual(["0.0.running_mean", "0.0.running_var"]);
      expect(model.getSubmodule("2")).toBe(norm);
      expect(model.getParameter("1.weight")).toBe(norm.weight);
      expect(model.getBuffer("2.running_var")).toBe(norm.runningVar);
      expect(Object.keys(model.stateDict())).toHaveLength(15); // all of its names, as PyTorch has it
    });

    test("train and eval reach everything", () => {
      const model = new nn.Sequential(new nn.Sequential(new nn.Dropout()), new nn.Dropout(1));
      model.eval();
      expect([...model.modules()].map(({ training }) => training)).toEqual([false, false, false, false]);
      const x = ones([3]);
      expect(model.forward(x)).toBe(x);
      model.train();
      expect([...model.modules()].every(({ training }) => training)).toBe(true);
    });

    test("freezes and clears", () => {
      const block = new Block().requiresGrad_(false);
      expect(block.parameters().some(({ requiresGrad }) => requiresGrad)).toBe(false);
      block.requiresGrad_();
      block
        .forward(ones([2]))
        .sum()
        .backward();
      expect(block.scale.grad).not.toBeNull();
      block.zeroGrad();
      expect(block.scale.grad).toBeNull();
    });
  });

  describe("state dicts", () => {
    test("are loaded from another model, and from files", async () => {
      const [from, to] = [new Block(), new Block()];
      from.timesSeen.value = 3;
      to.loadStateDict(from.stateDict());
      expect(await to.branches[0]!.parameters()[0]!.toArray()).toEqual(
        await from.branches[0]!.parameters()[0]!.toArray(),
      );
      expect(to.timesSeen.value).toBe(3);
      const saved = await nn.readState(from.stateDict());
      to.loadStateDict({ ...saved, times_seen: { shape: [], dtype: "i64", data: BigInt64Array.of(5n) } });
      expect(to.timesSeen.value).toBe(5);
      expect(saved["running_sum"]).toEqual({ shape: [2], dtype: "f32", data: Float32Array.of(0, 0) });
    });

    test("that do not fit change nothing", async () => {
      const block = new Block();
      const state = await nn.readState(block.stateDict());
      const { scale: _scale, ...missing } = state;
      const wrong = { ...state, scale: { shape: [3], dtype: "f32", data: [1, 2, 3] } };
      expect(() => block.loadStateDict(missing)).toThrow(/missing: scale/);
      expect(() => block.loadStateDict({ ...state, extra: state["scale"]! })).toThrow(/unexpected: extra/);
      expect(() => block.loadStateDict(wrong)).toThrow(/scale of shape \[3\] instead of \[2\]/);
      expect(() => block.loadStateDict(wrong, { strict: false })).toThrow(StateDictError);
      expect(() => block.loadStateDict({ ...state, scale: { shape: [2], dtype: "i32", data: [1, 2] } })).toThrow(
        /dtype i32/,
      );
      const short = { ...state, scale: { shape: [2], dtype: "f32", data: [1] } };
      expect(() => block.loadStateDict(short)).toThrow(/scale of 1 values instead of 2/);
      expect(() =>
        block.loadStateDict({ ...state, scale: { shape: [2], dtype: "bf16", data: [16256, 16256] } }),
      ).toThrow(/dtype bf16/);
      expect(await block.scale.toArray()).toEqual([1, 1]);
      const found = block.loadStateDict({ scale: tensor([4, 5]), extra: tensor(1) }, { strict: false });
      expect(found.unexpectedKeys).toEqual(["extra"]);
      expect(found.missingKeys).toHaveLength(5);
      expect(await block.scale.toArray()).toEqual([4, 5]);
    });
  });

  describe("transposed convolutions", () => {
    test("make outputs of the size that is asked for", async () => {
      const down = new nn.Conv2d(1, 2, 3, { stride: 2, padding: 1 });
      const up = new nn.ConvTranspose2d(2, 1, 3, { stride: 2, padding: 1 });
      for (const size of [7, 8]) {
        const x = down.forward(ones([1, 1, size, 7]));
        expect(up.forward(x, [size, 7]).shape).toEqual([1, 1, size, 7]);
      }
      expect(up.forward(ones([2, 4, 4])).shape).toEqual([1, 7, 7]);
      expect(() => up.forward(ones([2, 4, 4]), 9)).toThrow(/outputSize must lie in \[7, 7\]..\[8, 8\], got \[9, 9\]/);
      const weight = await up.weight.data();
      expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(9)); // PyTorch's fan: 1 output channel
    });
  });

  describe("initial values", () => {
    test("are PyTorch's", async () => {
      manualSeed(1);
      const linear = new nn.Linear(100, 300);
      const weight = await linear.weight.data();
      expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(0.1);
      expect(stdOf(weight)).toBeCloseTo(0.1 / Math.sqrt(3), 3);
      expect(Math.max(...(await linear.bias!.data()).map(Math.abs))).toBeLessThanOrEqual(0.1);
      const conv = new nn.Conv2d(4, 8, 3, { groups: 2 });
      expect(conv.weight.shape).toEqual([8, 2, 3, 3]);
      expect(Math.max(...(await conv.weight.data()).map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(18));
    });
  });

  describe("containers", () => {
    test("name their elements by place and key, as PyTorch does", () => {
      class Tower extends nn.Module {
        readonly layers = new nn.ModuleList([new nn.Linear(2, 3), new nn.Linear(3, 2)]);
        readonly scales = new nn.ParameterList([new Parameter(ones([2]))]);
        readonly heads = new nn.ModuleDict({ left: new nn.Linear(2, 1), right: new nn.Linear(2, 1, { bias: false }) });

        forward(x: Tensor): Tensor {
          for (const layer of this.layers) x = layer.forward(x).relu();
          return this.heads.get("right").forward(x.mul(this.scales.at(-1)));
        }
      }
      const tower = new Tower();
      expect(Object.keys(tower.stateDict())).toEqual([
        ...["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "scales.0"],
        ...["heads.left.weight", "heads.left.bias", "heads.right.weight"],
      ]);
      expect(tower.forward(ones([4, 2])).shape).toEqual([4, 1]);
      tower.layers.append(new nn.Linear(2, 2));
      expect(tower.layers.length).toBe(3);
      expect(tower.heads.keys()).toEqual(["left", "right"]);
      expect(() => tower.layers.at(3)).toThrow(/ModuleList: index must be in -3..2, got 3/);
      expect(() => tower.layers.append(ones([2]) as unknown as nn.Linear)).toThrow(/elements must be of class Module/);
      expect(() => tower.heads.get("up" as "left")).toThrow(/the key must be one of left, right, got "up"/);
    });

    test("take more elements later", () => {
      const model = new nn.Sequential(new nn.Linear(2, 3)).append(new nn.ReLU()).append(new nn.Linear(3, 1));
      expect(Object.keys(model.stateDict())).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
      expect(model.forward(ones([4, 2])).shape).toEqual([4, 1]);
      const [a, b, c] = [new nn.ReLU(), new nn.Tanh(), new nn.SiLU()];
      expect([...new nn.ModuleList<nn.Module>([a, c]).insert(1, b)]).toEqual([a, b, c]);
      const heads = new nn.ModuleDict({ a, b });
      expect([heads.has("a"), heads.has("toString")]).toEqual([true, false]);
      expect([heads.values(), heads.entries().map(([key]) => key)]).toEqual([[a, b], ["a", "b"]]); // prettier-ignore
    });

    test("members are found by path and given names", async () => {
      const model = new nn.Sequential(new Block(), new nn.Linear(2, 2));
      expect(model.getSubmodule("0.branches.2")).toBeInstanceOf(nn.Linear);
      expect(model.getParameter("1.weight").shape).toEqual([2, 2]);
      expect(model.getBuffer("0.running_sum").shape).toEqual([2]);
      expect(model.children()).toHaveLength(2);
      expect(() => model.getParameter("2.weight")).toThrow(/getParameter: the path must be one of .*1.weight/);

      const layer = new nn.Linear(2, 2);
      layer.registerBuffer("seenMean", ones([2]));
      layer.registerBuffer("cache", zeros([3]), { persistent: false });
      layer.registerParameter("gain", new Parameter(ones([1])));
      layer.addModule("after", new nn.Linear(2, 1));
      expect(Object.keys(layer.stateDict())).toEqual([
        ...["weight", "bias", "gain", "seen_mean", "after.weight", "after.bias"],
      ]);
      expect([...layer.namedBuffers()].map(([name]) => name)).toEqual(["seen_mean", "cache"]);
      expect(await layer.getBuffer("seen_mean").toArray()).toEqual([1, 1]);
      expect(() => layer.registerBuffer("weight", ones([1]))).toThrow(/the name must be free, got "weight" of Linear/);
    });

    test("print as a tree", () => {
      const model = new nn.Sequential(new nn.LayerNorm(4), new nn.Sequential(new nn.Dropout(0.25)));
      expect(String(model)).toBe(
        "Sequential(\n  (0): LayerNorm([4], eps=0.00001, elementwiseAffine=true)\n" +
          "  (1): Sequential(\n    (0): Dropout(p=0.25)\n  )\n)",
      );
    });

    test("print their options", () => {
      const layers = [
        new nn.Conv2d(3, 8, [3, 5], { stride: 2, padding: "valid", bias: false }),
        new nn.ConvTranspose1d(4, 2, 3, { groups: 2 }),
        new nn.MaxPool2d(3, { stride: [2, 1] }),
        new nn.AdaptiveAvgPool2d([null, 1]),
        new nn.Upsample({ scaleFactor: 2, mode: "bilinear" }),
        new nn.ReflectionPad1d(2),
      ];
      expect(layers.map(String)).toEqual([
        'Conv2d(3, 8, kernelSize=[3,5], stride=2, padding="valid", bias=false)',
        "ConvTranspose1d(4, 2, kernelSize=[3], stride=1, groups=2)",
        "MaxPool2d(kernelSize=3, stride=[2,1])",
        "AdaptiveAvgPool2d(outputSize=[null,1])",
        'Upsample(scaleFactor=2, mode="bilinear")',
        'ReflectionPad1d(padding=[2,2], mode="reflect")',
      ]);
    });

    test("a transformer's layers are copies that start equal", async () => {
      const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, dropout: 0 });
      const encoder = new nn.TransformerEncoder(layer, 2);
      expect(await equal(encoder.getParameter("layers.0.linear1.weight"), layer.linear1.weight)).toBe(true);
      expect(await equal(encoder.getParameter("layers.1.linear1.weight"), layer.linear1.weight)).toBe(true);
      expect(encoder.parameters()).toHaveLength(2 * layer.parameters().length);
      expect(() => new nn.TransformerEncoderLayer(4, 2, { activation: "tanh" as "relu" })).toThrow(ValueError);
      expect(() => new nn.MultiheadAttention(5, 2)).toThrow(/numHeads must divide embedDim/);
      const x = ones([3, 2, 4]);
      expect(() => layer.forward(x, { srcMask: ones([2, 3]) })).toThrow(/attnMask must be \[3, 3\] or \[4, 3, 3\]/);
      expect(() => layer.forward(x, { srcKeyPaddingMask: ones([3, 2]) })).toThrow(/keyPaddingMask must be \[2, 3\]/);
      expect(() => layer.selfAttn.forward(x, ones([2, 1, 4]), x)).toThrow(/Check batchFirst/);
    });
  });

  test("an embedding starts from a table, and is frozen unless told otherwise", async () => {
    const table = tensor([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    const layer = nn.Embedding.fromPretrained(table, { paddingIdx: 1 });
    expect(await layer.forward(tensor([2, 1], { dtype: "i32" })).toArray()).toEqual([[5, 6], [3, 4]]); // prettier-ignore
    expect([layer.numEmbeddings, layer.embeddingDim, layer.paddingIdx]).toEqual([3, 2, 1]);
    expect(layer.weight.requiresGrad).toBe(false);
    expect(nn.Embedding.fromPretrained(table, { freeze: false }).weight.requiresGrad).toBe(true);
    expect(() => nn.Embedding.fromPretrained(ones([3]))).toThrow(/embeddings must be \[numEmbeddings, embeddingDim\]/);
    expect(() => nn.Embedding.fromPretrained(table, false as never)).toThrow(ValueError);
  });

  test("parameters become a vector, and take one", async () => {
    const layer = new nn.Linear(2, 1);
    const { parametersToVector, vectorToParameters } = nn.utils;
    vectorToParameters(tensor([1, 2, 3]), layer.parameters());
    expect([await layer.weight.toArray(), await layer.bias!.toArray()]).toEqual([[[1, 2]], [3]]);
    const vector = parametersToVector(layer.parameters());
    expect(await vector.toArray()).toEqual([1, 2, 3]);
    vector.square().sum().backward();
    expect(await layer.weight.grad!.toArray()).toEqual([[2, 4]]);
    for (const wrong of [ones([4]), ones([1, 3])]) {
      expect(() => {
        vectorToParameters(wrong, layer.parameters());
      }).toThrow(/vectorToParameters: the vector must be \[3\]/);
    }
    expect(() => parametersToVector([])).toThrow(ValueError);
  });

  test("layers refuse sizes that cannot be", () => {
    expect(() => new nn.Linear(0, 2)).toThrow(ShapeError);
    expect(() => new nn.Conv2d(3, 4, 3, { groups: 2 })).toThrow(/groups must divide/);
    expect(() => new nn.Conv2d(3, 4, 0)).toThrow(ShapeError);
    expect(() => new nn.BatchNorm2d(1.5)).toThrow(ShapeError);
    expect(() => new nn.Dropout(-1)).toThrow(ValueError);
    expect(() => new nn.Linear(3, 2).forward(ones([2, 4]))).toThrow(/linear: the last dimension/);
  });

  test("what is no module, parameter or state is an error at once", () => {
    const layer = new nn.Linear(2, 2);
    expect(() => new nn.Sequential([new nn.ReLU()] as never)).toThrow(/Sequential: each layer must be of class Module/);
    expect(() => new nn.ModuleDict({ a: 3 as never })).toThrow(/ModuleDict: a must be of class Module, got 3/);
    expect(() => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(2, 1), 1, { norm: true as never })).toThrow(
      DTypeError,
    );
    expect(() => layer.registerParameter("gain", ones([1]) as never)).toThrow(DTypeError);
    expect(() => layer.addModule("after", F.relu as never)).toThrow(DTypeError);
    expect(() => layer.registerBuffer("seen", null as never)).toThrow(DTypeError);
    expect(() => layer.loadStateDict({}, false as never)).toThrow(/names of strict, got false/);
    expect(() => layer.loadStateDict(null as never)).toThrow(StateDictError);
    expect(() => layer.loadStateDict({ weight: [[1]] as never, bias: 3 as never })).toThrow(
      /weight of an array instead of a tensor .*bias of 3 instead/,
    );
  });

  test("layers and losses refuse what is no tensor", () => {
    // prettier-ignore
    const rows: nn.Layer[] = [
      new nn.Linear(2, 2), new nn.BatchNorm1d(2), new nn.InstanceNorm1d(2), new nn.LayerNorm(2), new nn.GroupNorm(1, 2),
      new nn.Embedding(2, 2), new nn.Dropout(), new nn.Dropout(0.5).eval(), new nn.Dropout2d(), new nn.AlphaDropout(),
      new nn.Flatten(), new nn.Unflatten(0, [1, -1]), new nn.ReLU(), new nn.Sigmoid(), new nn.Tanh(), new nn.PReLU(),
      new nn.RReLU(), new nn.Softmax(0), new nn.LogSoftmax(0), new nn.Softmin(0), new nn.MaxPool1d(1), new nn.MaxPool2d(1),
      new nn.TransformerEncoderLayer(2, 1), new nn.Sequential(new nn.GELU(), new nn.Linear(2, 2)),
    ];
    const pairs = [nn.CrossEntropyLoss, nn.NLLLoss, nn.CosineSimilarity, nn.PairwiseDistance, nn.HingeEmbeddingLoss];
    const triples = [
      nn.MarginRankingLoss,
      nn.CosineEmbeddingLoss,
      nn.TripletMarginLoss,
      nn.InfoNCELoss,
      nn.GaussianNLLLoss,
    ];
    for (const wrong of [undefined, 3, [1, 2], new Float32Array(2)] as never[]) {
      for (const layer of rows) expect(() => layer.forward(wrong), String(layer)).toThrow(DTypeError);
      for (const Loss of pairs) expect(() => new Loss().forward(ones([2, 2]), wrong), Loss.name).toThrow(DTypeError);
      for (const Loss of triples) {
        expect(() => new Loss().forward(ones([2, 2]), ones([2, 2]), wrong), Loss.name).toThrow(DTypeError);
      }
    }
  });

  test("convolutions keep the size at stride 1 only, whoever pads", () => {
    for (const paddingMode of ["zeros", "circular"] as const) {
      const options = { stride: 2, padding: "same", paddingMode } as const;
      expect(() => new nn.Conv1d(1, 1, 3, options)).toThrow(/Conv1d: padding "same" must have stride 1, got 2/);
      expect(() => new nn.Conv2d(1, 1, 3, { ...options, stride: [1, 2] })).toThrow(ValueError);
    }
  });

  test("residual blocks may start as the identity", async () => {
    for (const block of [new BasicBlock(8, 8, 1, batchNorm2d), new Bottleneck(8, 2, 1, batchNorm2d)]) {
      const x = randn([2, 8, 3, 3]).relu();
      expect(await equal(block.forward(x), x)).toBe(false);
      startAsIdentity(block);
      expect(await equal(block.forward(x), x)).toBe(true);
    }
    expect(() => resnet18({ classes: 10 } as object)).toThrow(/ResNet: options must have names of/);
  });

  describe("models", () => {
    for (const [name, golden] of Object.entries(resnets)) {
      test(`${name} has torchvision's parameters and state`, () => {
        const model = makeResNet(name, 128);
        const parameters = [...model.namedParameters()];
        expect(parameters.map(([path]) => path)).toEqual(golden.parameters);
        expect(parameters.reduce((total, [, parameter]) => total + parameter.numel(), 0)).toBe(golden.parameterCount);
        const state = Object.entries(model.stateDict()).map(([path, { shape, dtype }]) => ({
          name: path,
          shape,
          dtype,
        }));
        expect(state).toEqual(golden.stateDict);
      });
    }

    test("ResNets halve images where torchvision's do", () => {
      const sizes = (model: ResNet): (readonly number[])[] => {
        const stem = model.maxpool.forward(model.bn1.forward(model.conv1.forward(zeros([1, 3, 64, 64]))));
        const stages = [model.layer1, model.layer2, model.layer3, model.layer4];
        const values = stages.reduce<Tensor[]>((all, stage) => [...all, stage.forward(all.at(-1)!)], [stem]);
        return values.map(({ shape }) => shape.slice(1)); // shapes are known before anything runs
      };
      expect(sizes(resnet50())).toEqual([
        [64, 16, 16],
        [256, 16, 16],
        [512, 8, 8],
        [1024, 4, 4],
        [2048, 2, 2],
      ]);
      expect(sizes(resnet18({ cifarStem: true })).map(([, size]) => size)).toEqual([64, 64, 32, 16, 8]);
    });

    test("small encoders have the sizes that they promise", () => {
      const count = (model: nn.Module): number =>
        model.parameters().reduce((total, parameter) => total + parameter.numel(), 0);
      const x = randn([2, 1, 28, 28]);
      for (const [model, size] of [
        [tinyFlat(), 154_608],
        [tinyGap(), 31_728],
        [resnet8(), 85_424],
      ] as const) {
        expect(model.forward(x).shape).toEqual([2, 128]);
        expect(count(model)).toBe(size);
      }
      expect(tinyFlat({ head: "mlp", numClasses: 16 }).forward(x).shape).toEqual([2, 16]);
      expect(Object.keys(tinyGap({ head: "mlp" }).stateDict()).filter((name) => name.startsWith("fc"))).toEqual([
        "fc.0.weight",
        "fc.0.bias",
        "fc.2.weight",
        "fc.2.bias",
      ]);
      const split = tinyGap({ norm: (channels) => new nn.SplitBatchNorm2d(channels, 2) });
      expect(split.features(x).shape).toEqual([2, 64]);
    });

    test.each([
      [1, 28, 1024],
      [3, 32, 1024],
      [3, 48, 2304],
      [3, 64, 4096],
      [1, 25, 1024],
      [1, 1, 64],
    ])("small encoders take %i channels of %i pixels", (inChannels, imageSize, flat) => {
      const options = { inChannels, imageSize, numClasses: 8 };
      const x = randn([2, inChannels, imageSize, imageSize]);
      expect(tinyFlat(options).features(x).shape).toEqual([2, flat]);
      for (const model of [tinyFlat(options), tinyGap(options), resnet8({ inChannels, numClasses: 8 })])
        expect(model.forward(x).shape).toEqual([2, 8]);
    });

    test("a small encoder's images have the size that it was told", () => {
      expect(() => tinyFlat().forward(randn([2, 1, 48, 48]))).toThrow(ShapeError);
      for (const imageSize of [0, 2.5, NaN, "28" as never]) {
        expect(() => tinyFlat({ imageSize })).toThrow(ValueError);
      }
    });
  });
}

const RESNETS = { resnet18, resnet18Cifar: resnet18, resnet34, resnet50 };

const makeResNet = (name: string, numClasses: number): ResNet =>
  RESNETS[name as keyof typeof RESNETS]({ numClasses, cifarStem: name === "resnet18Cifar" });
