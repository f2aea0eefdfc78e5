/** A checkpoint of PyTorch in the official layout: loaded, gone on with, written back. */

import { describe, expect, test } from "vitest";
import { FormatError, StateDictError, ValueError } from "../../src/errors";
import { readTorch, type TorchValue, writeTorch } from "../../src/io";
import {
  loadBackbone,
  loadOfficialCheckpoint,
  MoCo,
  type OfficialCheckpoint,
  readOfficialCheckpoint,
  writeOfficialCheckpoint,
} from "../../src/moco";
import { BatchNorm2d, Conv2d, type Layer, Linear, Module, readState, ReLU, Sequential } from "../../src/nn";
import { AdamW, packState, SGD } from "../../src/optim";
import type { Parameter } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";
import goldens from "../goldens/official.json";
import { fromBase64 } from "../helpers/checkpoints";
import { expectGoldens, type GoldenTensor, goldenTensor } from "./golden";

class Encoder extends Module {
  readonly conv1 = new Conv2d(1, 4, 3, { stride: 2, padding: 1, bias: false });
  readonly bn1 = new BatchNorm2d(4);
  fc: Layer = new Sequential(new Linear(4, 4), new ReLU(), new Linear(4, 8));

  features(x: Tensor): Tensor {
    return this.bn1.forward(this.conv1.forward(x)).relu().mean([2, 3]);
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }
}

const zip = fromBase64(goldens.zip);
const legacy = fromBase64(goldens.legacy);

/** A model with other values than the checkpoint's, and its optimizer. */
function fresh(parametersOf: (model: MoCo) => readonly Parameter[] = (model) => model.parameters()): {
  model: MoCo;
  optimizer: SGD;
} {
  const model = new MoCo(() => new Encoder(), { dim: 8, queueSize: 16, momentum: 0.9, temperature: 0.2 });
  return { model, optimizer: new SGD(parametersOf(model), { lr: 1, momentum: 0.5 }) };
}

const ofQuery = (model: MoCo): readonly Parameter[] => model.encoderQ.parameters();

/** The recorded views of a step. */
const view = (golden: object, step: number): Tensor => goldenTensor(golden as GoldenTensor).select(0, step);

async function goOn({ model, optimizer }: ReturnType<typeof fresh>): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < goldens.losses.length; step++) {
    const permutation = goldens.orders.data.slice(8 * step, 8 * step + 8);
    const { loss } = model.forward(view(goldens.imQ, step), view(goldens.imK, step), { permutation });
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  return losses;
}

/** All that a run depends on. */
const everything = async ({ model, optimizer }: ReturnType<typeof fresh>): Promise<unknown> => [
  await readState(model.stateDict()),
  await packState(optimizer.stateDict()),
];

/** The checkpoint with another value somewhere. */
function changed(change: (root: Record<string, TorchValue>) => void): Uint8Array {
  const root = structuredClone(readTorch(zip)) as Record<string, TorchValue>;
  change(root);
  return writeTorch(root);
}

const part = (root: Record<string, TorchValue>, name: string): Record<string, TorchValue> =>
  root[name] as Record<string, TorchValue>;

const firstGroup = (root: Record<string, TorchValue>): Record<string, TorchValue> =>
  (part(root, "optimizer")["param_groups"] as Record<string, TorchValue>[])[0]!;

const momenta = (root: Record<string, TorchValue>): Map<number, TorchValue> =>
  part(root, "optimizer")["state"] as Map<number, TorchValue>;

export function officialCheckpoints(): void {
  describe("official checkpoints", () => {
    test.each([
      ["zip", zip, undefined],
      ["legacy", legacy, undefined],
      ["zip, into an optimizer of the query encoder", zip, ofQuery],
    ] as const)("are gone on with as in PyTorch: %s", async (_, file, parametersOf) => {
      const trained = fresh(parametersOf);
      loadOfficialCheckpoint(readOfficialCheckpoint(file), trained);
      expect(trained.optimizer.paramGroups[0]).toMatchObject({ lr: 0.05, momentum: 0.9, weightDecay: 5e-4 });
      const losses = await goOn(trained);
      // PyTorch's are of f64, ours of f32: a few roundings of 6e-8
      losses.forEach((loss, step) => expect(Math.abs(loss / goldens.losses[step]! - 1)).toBeLessThan(1e-5));
      const state = trained.model.stateDict();
      expect(Object.keys(state)).toEqual(Object.keys(goldens.final));
      await expectGoldens(
        Object.entries(goldens.final as unknown as Record<string, GoldenTensor>).map(([name, golden]) => ({
          name,
          actual: state[name]!,
          golden,
        })),
        { steps: goldens.losses.length, spread: 1e-6 },
      );
    });

    test.each([
      ["both encoders", undefined],
      ["the query encoder", ofQuery],
    ] as const)("are written as PyTorch writes them, by an optimizer of %s", async (_, parametersOf) => {
      const trained = fresh(parametersOf);
      loadOfficialCheckpoint(readOfficialCheckpoint(zip), trained);
      const written = readTorch(await writeOfficialCheckpoint({ ...trained, epoch: 1, arch: "tiny" }));
      const original = readTorch(zip);
      expect(written).toStrictEqual(original);
      const order = (root: TorchValue): string[] => Object.keys(part(root as Record<string, TorchValue>, "state_dict"));
      expect(order(written)).toEqual(order(original));
    });

    test("hold a model that was never trained", async () => {
      const trained = fresh();
      const bytes = await writeOfficialCheckpoint({ ...trained, epoch: 0, arch: "tiny" });
      const checkpoint = readOfficialCheckpoint(bytes);
      expect(checkpoint).toMatchObject({ epoch: 0, arch: "tiny", optimizer: { state: {} } });
      const other = fresh();
      loadOfficialCheckpoint(checkpoint, other);
      expect(await everything(other)).toEqual(await everything(trained));
    });

    test.each<[string, (place: number) => number | bigint]>([
      ["of 48 bits", (place) => 140_230_000_000_000 - 64 * ((5 * place) % 14)],
      ["of 60 bits", (place) => 2n ** 60n - BigInt((5 * place) % 14)],
    ])("may have addresses as indices, %s, as before PyTorch 1.6", async (_, addressOf) => {
      const file = changed((root) => {
        const old = [...momenta(root)].map(([index, slot]) => [addressOf(index), slot] as const);
        part(root, "optimizer")["state"] = new Map(old.reverse());
        firstGroup(root)["params"] = Array.from({ length: 14 }, (_, place) => addressOf(place));
      });
      for (const parametersOf of [undefined, ofQuery]) {
        const [trained, wanted] = [fresh(parametersOf), fresh(parametersOf)];
        loadOfficialCheckpoint(readOfficialCheckpoint(file), trained);
        loadOfficialCheckpoint(readOfficialCheckpoint(zip), wanted);
        expect(await everything(trained)).toEqual(await everything(wanted));
      }
    });

    test("give linear evaluation its backbone, and leave the head", async () => {
      const encoder = new Encoder();
      encoder.fc = new Linear(4, 3);
      const before = await readState(encoder.fc.stateDict());
      const { missingKeys, unexpectedKeys } = loadBackbone(encoder, readOfficialCheckpoint(zip));
      expect([missingKeys, unexpectedKeys]).toEqual([["fc.weight", "fc.bias"], []]);
      expect(await readState(encoder.fc.stateDict())).toEqual(before);
      encoder.eval();
      const golden = goldens.features as GoldenTensor;
      await expectGoldens([{ name: "features", actual: encoder.features(view(goldens.imQ, 0)), golden }]);
    });

    test("may have the query encoder alone, as published ones", () => {
      const file = changed((root) => {
        delete root["optimizer"];
        delete root["epoch"];
        const names = Object.entries(part(root, "state_dict")).filter(([name]) => name.startsWith("module.encoder_q."));
        root["state_dict"] = Object.fromEntries(names);
      });
      const checkpoint = readOfficialCheckpoint(file);
      expect(checkpoint).toMatchObject({ epoch: null, arch: "tiny", optimizer: null });
      loadBackbone(new Encoder(), checkpoint);
      expect(() => loadOfficialCheckpoint(checkpoint, fresh())).toThrow("must have the optimizer's state");
      const other = new Sequential(new Linear(1, 1));
      expect(() => loadBackbone(other, checkpoint)).toThrow("missing: 0.weight, 0.bias; unexpected: conv1.weight");
    });

    test.each([2n ** 40n, 2n ** 31n, -1n])("give no backbone with %s batches counted", async (count) => {
      const file = changed((root) => {
        const tracked = { dtype: "i64", shape: [], data: BigInt64Array.of(count) } as const;
        part(root, "state_dict")["module.encoder_q.bn1.num_batches_tracked"] = tracked;
      });
      const encoder = new Encoder();
      const before = await readState(encoder.stateDict());
      const load = (): unknown => loadBackbone(encoder, readOfficialCheckpoint(file));
      expect(load).toThrow(StateDictError);
      expect(load).toThrow(`bn1.num_batches_tracked of ${count} instead of a whole number`);
      expect(await readState(encoder.stateDict())).toEqual(before);
    });

    const NOT_FITTING: [what: string, change: (root: Record<string, TorchValue>) => void, message: string][] = [
      ["a weight is missing", (root) => delete part(root, "state_dict")["module.encoder_k.conv1.weight"], "missing"],
      [
        "a weight has another shape",
        (root) =>
          (part(root, "state_dict")["module.queue"] = { dtype: "f32", shape: [8, 8], data: new Float32Array(64) }),
        "queue of shape [8, 8]",
      ],
      [
        "momentum has another shape",
        (root) => momenta(root).set(0, { momentum_buffer: { dtype: "f32", shape: [1], data: new Float32Array(1) } }),
        "momentum_buffer must fit its parameter",
      ],
      ["the key encoder has momentum", (root) => momenta(root).set(7, momenta(root).get(0)!), "must have no momentum"],
      ["the group has fewer parameters", (root) => (firstGroup(root)["params"] = [0, 1]), "14 parameters, got 2."],
      [
        "there are two groups",
        (root) => (part(root, "optimizer")["param_groups"] as TorchValue[]).push(firstGroup(root)),
        "one group, got 2.",
      ],
      ["there is no group", (root) => (part(root, "optimizer")["param_groups"] = []), "one group, got 0."],
      [
        "the group has another order",
        (root) => (firstGroup(root)["params"] as number[]).reverse(),
        "must have no momentum",
      ],
      ["a parameter is there twice", (root) => ((firstGroup(root)["params"] as number[])[13] = 3), "once, got 3 again"],
      ["there is momentum of no parameter", (root) => momenta(root).set(14, momenta(root).get(0)!), "got some of 14."],
      ["the rate is negative", (root) => (firstGroup(root)["lr"] = -1), "lr must not be negative"],
      [
        "the pointer is outside the queue",
        (root) =>
          (part(root, "state_dict")["module.queue_ptr"] = { dtype: "i64", shape: [1], data: BigInt64Array.of(16n) }),
        "queue_ptr of 16 instead of a whole number from 0 to 15",
      ],
    ];
    test.each(NOT_FITTING)("change nothing where %s", async (_, change, message) => {
      const trained = fresh();
      const before = await everything(trained);
      const checkpoint = readOfficialCheckpoint(changed(change));
      expect(() => loadOfficialCheckpoint(checkpoint, trained)).toThrow(message);
      expect(await everything(trained)).toEqual(before);
      expect(trained.optimizer.paramGroups[0]).toMatchObject({ lr: 1, momentum: 0.5, weightDecay: 0 });
    });

    test.each<[string, (root: Record<string, TorchValue>) => void, string]>([
      ["no state_dict", (root) => delete root["state_dict"], "state_dict must be a dict of tensors"],
      ["a number among tensors", (root) => (part(root, "state_dict")["module.x"] = 1), "module.x in state_dict"],
      ["no query encoder", (root) => (root["state_dict"] = {}), "must have module.encoder_q.*"],
      [
        "a name with module. and without",
        (root) => (part(root, "state_dict")["queue"] = part(root, "state_dict")["module.queue"]!),
        "names must differ",
      ],
      ["an epoch that is no count", (root) => (root["epoch"] = -1), "epoch must be a count"],
      ["an arch that is no string", (root) => (root["arch"] = 18), "arch must be a string"],
      ["an optimizer that is none", (root) => (root["optimizer"] = []), "optimizer must have state and param_groups"],
      ["state by name", (root) => (part(root, "optimizer")["state"] = { a: {} }), "must have state and param_groups"],
      ["state at -1", (root) => momenta(root).set(-1, {}), "must have indices of parameters"],
      ["a number as state", (root) => momenta(root).set(0, 1), "must be SGD's"],
      ["a number as momentum", (root) => momenta(root).set(0, { momentum_buffer: 1 }), "must be SGD's"],
      [
        "Adam's state",
        (root) => momenta(root).set(0, { step: 1, exp_avg: null, exp_avg_sq: null }),
        "as momentum_buffer, got an object with step, exp_avg, exp_avg_sq.",
      ],
      ["empty state of a parameter", (root) => momenta(root).set(0, {}), "as momentum_buffer, got an object."],
      ["a group without params", (root) => delete firstGroup(root)["params"], "each with indices as params"],
      ["a parameter at 0.5", (root) => (firstGroup(root)["params"] = [0.5]), "each with indices as params"],
      [
        "Adam's options",
        (root) =>
          (part(root, "optimizer")["param_groups"] = [{ lr: 0.1, betas: [0.9, 0.999], weight_decay: 0, params: [] }]),
        "a finite number as momentum, got an object with lr, betas, weight_decay, params.",
      ],
      ["a group without lr", (root) => delete firstGroup(root)["lr"], "a finite number as lr"],
      [
        "a group without weight_decay",
        (root) => delete firstGroup(root)["weight_decay"],
        "a finite number as weight_decay",
      ],
      [
        "a rate that is a string",
        (root) => (firstGroup(root)["lr"] = "0.1"),
        'a finite number as lr, got the string "0.1".',
      ],
      ["a rate that is none", (root) => (firstGroup(root)["lr"] = NaN), "a finite number as lr, got NaN."],
      ["endless decay", (root) => (firstGroup(root)["weight_decay"] = Infinity), "as weight_decay, got Infinity."],
      ["a list as momentum", (root) => (firstGroup(root)["momentum"] = [0.9]), "as momentum, got an array."],
    ])("are refused with %s", (_, change, message) => {
      const file = changed(change);
      expect(() => readOfficialCheckpoint(file)).toThrow(FormatError);
      expect(() => readOfficialCheckpoint(file)).toThrow(message);
    });

    test("need an optimizer that PyTorch could have", async () => {
      const { model } = fresh();
      const parts = new SGD([{ params: model.encoderQ.parameters() }, { params: model.encoderK.parameters() }], {
        lr: 1,
      });
      const rest = { model, epoch: 1, arch: "tiny" };
      await expect(writeOfficialCheckpoint({ ...rest, optimizer: parts })).rejects.toThrow(ValueError);
      const checkpoint = readOfficialCheckpoint(zip);
      expect(() => loadOfficialCheckpoint(checkpoint, { model, optimizer: parts })).toThrow("2 groups of 7, 7");
      const adam = new AdamW(model.encoderQ.parameters(), { lr: 1 });
      await expect(writeOfficialCheckpoint({ ...rest, optimizer: adam })).rejects.toThrow(
        "writeOfficialCheckpoint: the optimizer must be SGD, as the authors' code has, got an AdamW",
      );
      const classical = new SGD(model.parameters(), { lr: 1, momentum: 0.9, classical: true });
      await expect(writeOfficialCheckpoint({ ...rest, optimizer: classical })).rejects.toThrow("got classical");
      const { optimizer } = fresh();
      await expect(writeOfficialCheckpoint({ ...rest, optimizer })).rejects.toThrow("must have one group");
      await expect(writeOfficialCheckpoint({ ...fresh(), epoch: 0.5, arch: "a" })).rejects.toThrow("must be a count");
      expect(() => readOfficialCheckpoint(writeTorch([1]))).toThrow("must be a dict with state_dict, got an array.");
      const state = { "module.encoder_q.w": 3 };
      for (const [content, message] of [
        [{ epoch: -1, state_dict: {} }, "epoch must be a count, got -1."],
        [{ arch: 18, state_dict: {} }, "arch must be a string, got 18."],
        [{ state_dict: "none" }, 'state_dict must be a dict of tensors, got the string "none".'],
        [{ state_dict: state }, "module.encoder_q.w in state_dict must be a tensor, got 3."],
      ] as const)
        expect(() => readOfficialCheckpoint(writeTorch(content as unknown as TorchValue))).toThrow(message);
    });

    test("are typed as errors of state dicts", () => {
      const other: OfficialCheckpoint = { ...readOfficialCheckpoint(zip), stateDict: {} };
      expect(() => loadOfficialCheckpoint(other, fresh())).toThrow(StateDictError);
    });
  });
}
