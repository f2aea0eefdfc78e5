/** The trainer: recipes, learning rates, batches in parts, and checkpoints that go on to the bit. */

import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../../src/creation";
import {
  cifarAugment,
  type ImageSource,
  mocoAugment,
  mocoV1Augment,
  mocoV2Augment,
  openImages,
  writeImages,
} from "../../src/data";
import { FormatError, StateDictError, ValueError } from "../../src/errors";
import * as F from "../../src/functional";
import { readSafetensors, writeSafetensors } from "../../src/io";
import {
  AUGMENTS,
  lrFactor,
  type MoCoRecipe,
  MoCoTrainer,
  type MoCoTrainerOptions,
  loadOfficialCheckpoint,
  officialRecipe,
  readCheckpoint,
  readOfficialCheckpoint,
  RECIPES,
  writeCheckpoint,
  writeOfficialCheckpoint,
} from "../../src/moco";
import { type Norm, tinyGap } from "../../src/models";
import {
  Conv2d,
  Dropout,
  Flatten,
  type Layer,
  Linear,
  readState,
  ReLU,
  Sequential,
  SplitBatchNorm2d,
} from "../../src/nn";
import { AdamW, LambdaLR, packState, SGD } from "../../src/optim";
import { defaultGenerator, Generator, manualSeed } from "../../src/random";
import type { Tensor } from "../../src/tensor";
import { VERSION } from "../../src/version";

const RECIPE: MoCoRecipe = {
  ...RECIPES.fashionMnist,
  ...{ dim: 8, queueSize: 20, batchSize: 8, splits: 2, lr: 0.1 },
};

/** With dropout, which draws from the device's generator. */
const encoder = ({ numClasses, norm }: { numClasses: number; norm: Norm }): Layer =>
  new Sequential(
    new Conv2d(1, 4, 3, { stride: 2, padding: 1, bias: false }),
    norm(4),
    new ReLU(),
    new Dropout(0.1),
    new Flatten(),
    new Linear(4 * 16, numClasses),
  );

/** 30 images of 8x8: three batches and a rest of each epoch. */
const BYTES = Uint8Array.from({ length: 30 * 64 }, (_, i) => (i * i + 37 * (i % 64)) % 256);

/** Ten of them in colour, and an encoder for them. */
const colourImages = (): Tensor => tensor(BYTES.subarray(0, 10 * 192), { shape: [10, 3, 8, 8] });
const colourEncoder = ({ numClasses, norm }: { numClasses: number; norm: Norm }): Layer =>
  new Sequential(new Conv2d(3, 4, 3, { stride: 2 }), norm(4), new Flatten(), new Linear(36, numClasses));

const trainerOf = (options: MoCoTrainerOptions = {}, recipe = RECIPE): MoCoTrainer => {
  manualSeed(5);
  return new MoCoTrainer(tensor(BYTES, { shape: [30, 1, 8, 8] }), encoder, recipe, { steps: 12, seed: 3, ...options });
};

/** The same images in a file. */
const imageFile = (): Promise<ImageSource> => {
  const labels = new Uint8Array(30);
  const bytes = writeImages({ images: BYTES, labels, count: 30, channels: 1, height: 8, width: 8 });
  return openImages(new Blob([bytes as Uint8Array<ArrayBuffer>]));
};

const fileTrainerOf = (images: ImageSource, options: MoCoTrainerOptions = {}): MoCoTrainer<ImageSource> => {
  manualSeed(5);
  return new MoCoTrainer(images, encoder, RECIPE, { steps: 12, seed: 3, ...options });
};

async function lossesOf(trainer: MoCoTrainer<Tensor | ImageSource>, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    await trainer.ready();
    losses.push(await trainer.step().loss.item());
  }
  return losses;
}

/** A step with all logits in memory, as the paper writes it. */
function textbookStep({ model, optimizer, schedule, sampler, images, generator, recipe }: MoCoTrainer): Tensor {
  const rows = tensor(sampler.next());
  const view = (): Tensor => AUGMENTS[recipe.augmentation](images, rows, { generator });
  const { logits } = model.forward(view(), view());
  const mean = F.crossEntropy(logits, zeros([logits.size(0)], { dtype: "i32" }));
  const loss = recipe.symmetric ? mean.mul(2) : mean; // both directions
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  schedule.step();
  return loss;
}

/** All that a training has learnt. */
const stateOf = async ({ model, optimizer }: MoCoTrainer<Tensor | ImageSource>): Promise<unknown[]> => [
  await readState(model.stateDict()),
  (await packState(optimizer.stateDict())).tensors,
];

/** A checkpoint with other metadata, or another set of tensors; of the older kind, which has no checksum. */
function changed(bytes: Uint8Array, change: (file: ReturnType<typeof readSafetensors>) => void): Uint8Array {
  const file = readSafetensors(bytes);
  file.metadata["format"] = "flywheel checkpoint 1";
  delete file.metadata["checksum"];
  change(file);
  return writeSafetensors(file.tensors, file.metadata);
}

export function trainer(): void {
  describe("MoCoTrainer", () => {
    test.each([
      ["SGD", RECIPE],
      ["a momentum that rises", { ...RECIPE, keyMomentumRule: "cosine", keyMomentum: 0.9 }],
      ["AdamW, symmetric, with warm-up", { ...RECIPE, optimizer: "adamW", lr: 1e-3, symmetric: true, warmUpEpochs: 1 }],
    ] as const)("goes on from a checkpoint in mid-epoch to the bit: %s", async (_, recipe) => {
      const whole = trainerOf({}, recipe);
      const first = await lossesOf(whole, 5);
      const bytes = await whole.save({ note: "five" });
      const rest = await lossesOf(whole, 5);

      const resumed = trainerOf({ seed: 99 }, recipe);
      await lossesOf(resumed, 4); // it was somewhere else, and is compiled
      expect(await resumed.load(bytes)).toEqual({ note: "five", version: VERSION });
      expect(resumed.stepsDone).toBe(5);
      expect(await lossesOf(resumed, 5)).toEqual(rest);
      expect(await stateOf(resumed)).toEqual(await stateOf(whole));
      expect(first).not.toEqual(rest);
    });

    test("takes all of a checkpoint or nothing", async () => {
      const trainer = trainerOf();
      await lossesOf(trainer, 3);
      const bytes = await trainer.save();
      await lossesOf(trainer, 1); // so that what was loaded and not taken back would show
      const words = defaultGenerator().getState();
      const broken: readonly (readonly [string, Uint8Array, new (...args: never[]) => Error])[] = [
        ["cut", bytes.slice(0, -1), FormatError],
        ["no checkpoint", changed(bytes, ({ metadata }) => delete metadata["format"]), FormatError],
        ["no sampler", changed(bytes, ({ metadata }) => (metadata["states"] = '{"schedule":{}}')), FormatError],
        ["bad words", changed(bytes, ({ metadata }) => (metadata["generators"] = "{")), FormatError],
        ["a tensor less", changed(bytes, ({ tensors }) => delete tensors["model.queue"]), StateDictError],
        [
          "a foreign tensor",
          changed(bytes, (file) => (file.tensors["other"] = file.tensors["model.queue"]!)),
          FormatError,
        ],
        [
          "another rate",
          changed(bytes, ({ metadata }) => setState(metadata, "schedule", { _last_lr: [1, 2] })),
          ValueError,
        ],
        [
          "another batch",
          changed(bytes, ({ metadata }) => setState(metadata, "sampler", { batchSize: 4 })),
          StateDictError,
        ],
        ["another temperature", changed(bytes, ({ metadata }) => setState(metadata, "trainer", { recipe: { ...RECIPE, temperature: 1 } })), StateDictError], // prettier-ignore
        ["other steps", changed(bytes, ({ metadata }) => setState(metadata, "trainer", { steps: 13 })), StateDictError],
        [
          "key momentum",
          changed(bytes, ({ metadata }) => setState(metadata, "trainer", { keyMomentum: 2 })),
          ValueError,
        ],
        [
          "a rate below 0",
          changed(bytes, ({ metadata }) => setState(metadata, "schedule", { _last_lr: [-1] })),
          ValueError,
        ],
        [
          "no base rates",
          changed(bytes, ({ metadata }) => setState(metadata, "schedule", { base_lrs: [] })),
          ValueError,
        ],
        [
          "half a step",
          changed(bytes, ({ metadata }) => setState(metadata, "schedule", { last_epoch: 1.5 })),
          ValueError,
        ],
        ["a late epoch", changed(bytes, ({ metadata }) => setState(metadata, "sampler", { epoch: 2 ** 53 - 1 })), StateDictError], // prettier-ignore
        [
          "a momentum less",
          changed(bytes, ({ tensors }) => delete tensors["optimizer.state.0.momentum_buffer"]),
          FormatError,
        ],
        ["a momentum more", changed(bytes, ({ tensors }) => (tensors["optimizer.state.99.momentum_buffer"] = tensors["model.queue"]!)), FormatError], // prettier-ignore
        ...[999, -3, 20].map((pointer) => [`pointer ${pointer}`, changed(bytes, ({ tensors }) => (tensors["model.queue_ptr"] = { shape: [1], dtype: "i32", data: Int32Array.of(pointer) })), StateDictError] as const), // prettier-ignore
        ["no offset", changed(bytes, ({ metadata }) => (metadata["generators"] = '{"generator":{"seed":1,"offset":2},"device":{"seed":-1}}')), ValueError], // prettier-ignore
      ];
      for (const [name, file, kind] of broken) await expect(trainer.load(file), name).rejects.toThrow(kind);
      expect(defaultGenerator().getState()).toEqual(words);
      const rest = await lossesOf(trainer, 2);
      const twin = trainerOf({ seed: 1 });
      await twin.load(bytes);
      expect((await lossesOf(twin, 3)).slice(1)).toEqual(rest);
    });

    test("takes no damaged file: 300 with a bit flipped, 50 that are cut", { timeout: 120_000 }, async () => {
      const trainer = trainerOf();
      await lossesOf(trainer, 3);
      const bytes = await trainer.save();
      await lossesOf(trainer, 1);
      const before = await trainer.save();
      const harmless: number[] = [];
      for (let i = 0; i < 300; i++) {
        const damaged = bytes.slice();
        const at = Math.floor((i / 300) * bytes.length);
        damaged[at]! ^= 1 << (i % 8);
        const error = await trainer.load(damaged).then(
          () => null,
          (refusal: unknown) => refusal,
        );
        if (error === null) harmless.push(at);
        else expect(error, `byte ${at}`).toBeInstanceOf(FormatError);
      }
      expect(harmless, "each byte has a meaning").toEqual([]);
      for (let i = 0; i < 50; i++)
        await expect(trainer.load(bytes.slice(0, Math.floor((i / 50) * bytes.length)))).rejects.toThrow(FormatError);
      expect(await trainer.save(), "nothing is half loaded").toEqual(before);
      await expect(trainer.load(bytes)).resolves.toEqual({ version: VERSION });
    });

    test("says that a file was changed by hand, and takes those of before there was a checksum", async () => {
      const trainer = trainerOf();
      await lossesOf(trainer, 1);
      const file = readSafetensors(await trainer.save({ note: "one" }));
      const edited = writeSafetensors(file.tensors, { ...file.metadata, note: "two" });
      await expect(trainer.load(edited)).rejects.toThrow(
        /^readCheckpoint: the file must have its checksum, got [0-9a-f]{8} instead of [0-9a-f]{8}\. It is damaged, or/,
      );
      const { checksum, ...others } = file.metadata;
      expect(checksum).toMatch(/^[0-9a-f]{8}$/);
      await expect(trainer.load(writeSafetensors(file.tensors, others))).rejects.toThrow("instead of one.");
      const older = writeSafetensors(file.tensors, { ...others, format: "flywheel checkpoint 1" });
      await expect(trainer.load(older)).resolves.toEqual({ note: "one", version: VERSION });
    });

    test("momentum rises to 1 by half a cosine, where the recipe says so", async () => {
      const recipe = { ...RECIPE, keyMomentumRule: "cosine", keyMomentum: 0.9 } as const;
      const trainer = trainerOf({ steps: 4 }, recipe);
      const found: number[] = [trainer.model.momentum];
      for (let step = 0; step < 5; step++) {
        trainer.step();
        found.push(trainer.model.momentum);
      }
      // m = 1 - 0.1 (1 + cos(pi step / 4)) / 2
      [0.9, 0.9146447, 0.95, 0.9853553, 1, 1].forEach((m, step) => expect(found[step]).toBeCloseTo(m, 6));
      const constant = trainerOf({ steps: 4 });
      expect(constant.momentumSchedule).toBeNull();
      await expect(constant.load(await trainer.save())).rejects.toThrow(FormatError);
      const named = trainerOf({}, { ...RECIPE, keyMomentumRule: "constant" });
      await expect(named.load(await trainerOf().save())).resolves.toBeDefined();
      expect(() => trainerOf({}, { ...RECIPE, keyMomentumRule: "linear" as never })).toThrow(
        /keyMomentumRule must be "constant" or "cosine", got the string "linear"/,
      );
    });

    test("encodes a batch in parts: gradients add up, the key encoder follows once", async () => {
      const [trainer, byHand] = [trainerOf({ accumulationSteps: 2 }), trainerOf()];
      manualSeed(9);
      const losses: number[] = [];
      for (let step = 0; step < 4; step++) losses.push(await trainer.step().loss.item());
      manualSeed(9);
      const { model, optimizer, schedule, sampler, images, generator } = byHand;
      for (let step = 0; step < 4; step++) {
        const rows = tensor(sampler.next());
        optimizer.zeroGrad();
        const parts = [0, 1].map((part) => {
          const view = (): Tensor => mocoAugment(images, rows.narrow(0, 4 * part, 4), { generator });
          const { loss } = model.forward(view(), view(), { updateKeyEncoder: part === 0 });
          loss.div(2).backward();
          return loss;
        });
        optimizer.step();
        schedule.step();
        const mean = (await parts[0]!.item()) / 2 + (await parts[1]!.item()) / 2;
        expect(losses[step]).toBeCloseTo(mean, 5);
      }
    });

    test.each([
      ["fashionMnist", RECIPES.fashionMnist],
      ["cifar", RECIPES.cifar],
      ["cifar, symmetric", { ...RECIPES.cifar, symmetric: true }],
      ["v1", RECIPES.v1],
      ["v2", RECIPES.v2],
    ] as const)("%s trains to the same losses with streamed, held and textbook logits", async (_, original) => {
      const recipe = { ...original, dim: 8, queueSize: 64, batchSize: 8, splits: 2 };
      const losses = async (step: (trainer: MoCoTrainer) => Tensor, streaming?: boolean): Promise<number[]> => {
        manualSeed(5);
        const options = { steps: 12, seed: 3, ...(streaming !== undefined && { streaming }) };
        const trainer =
          recipe.augmentation === "fashionMnist"
            ? trainerOf(options, recipe)
            : new MoCoTrainer(colourImages(), colourEncoder, recipe, options);
        const found: number[] = [];
        for (let i = 0; i < 8; i++) found.push(await step(trainer).item());
        return found;
      };
      const compiled = (trainer: MoCoTrainer): Tensor => trainer.step().loss;
      const textbook = await losses(textbookStep);
      for (const streaming of [true, false]) {
        const found = await losses(compiled, streaming);
        // 8 steps of SGD; each loss is a sum of 65 exponentials, so f32 gives five digits
        found.forEach((loss, i) => expect(Math.abs(loss / textbook[i]! - 1), `step ${i}`).toBeLessThan(1e-5));
      }
    });

    test.each([{}, { accumulationSteps: 2 }, { prefetchFactor: 0 }])(
      "trains on images of a file as on a tensor, to the bit, and each goes on from the other: %o",
      async (options) => {
        const { accumulationSteps = 1 } = options as MoCoTrainerOptions;
        const held = trainerOf({ accumulationSteps });
        const first = await lossesOf(held, 5);
        const saved = await held.save();
        const rest = await lossesOf(held, 5);

        const images = await imageFile();
        const read = fileTrainerOf(images, options);
        expect(await lossesOf(read, 5)).toEqual(first);
        expect(await read.save()).toEqual(saved); // what has been read ahead is not in it
        expect(await lossesOf(read, 5)).toEqual(rest);
        expect(await stateOf(read)).toEqual(await stateOf(held));

        await read.load(saved); // back, in mid-epoch: what was read ahead is of other batches
        expect(await lossesOf(read, 5)).toEqual(rest);
        const back = trainerOf({ accumulationSteps, seed: 99 });
        await back.load(saved);
        expect(await lossesOf(back, 5)).toEqual(rest);
      },
    );

    test("waits for images that are read, and loses nothing where they cannot be", async () => {
      const images = await imageFile();
      let isGone = false;
      const source: ImageSource = {
        ...images,
        read: (rows) => (isGone ? Promise.reject(new Error("the disk is gone")) : images.read(rows)),
      };
      const trainer = fileTrainerOf(source, { prefetchFactor: 0 });
      expect(() => trainer.step()).toThrow(/the next batch must be here.*await trainer\.ready\(\)/);
      const losses = await lossesOf(trainer, 2);
      isGone = true;
      await expect(trainer.ready()).rejects.toThrow("the disk is gone");
      expect(() => trainer.step()).toThrow(ValueError);
      isGone = false;
      losses.push(...(await lossesOf(trainer, 2)));
      expect(losses).toEqual(await lossesOf(trainerOf(), 4));
      expect(trainer.stepsDone).toBe(4);
    });

    test("goes on from a checkpoint of the authors' layout, at the step that it is told", async () => {
      const recipe: MoCoRecipe = { ...RECIPE, keyMomentumRule: "cosine" };
      const first = trainerOf({}, recipe);
      await lossesOf(first, 5); // of three batches an epoch
      const { model, optimizer, generator } = first;
      const bytes = await writeOfficialCheckpoint({ model, optimizer, epoch: 1, arch: "ours" });
      const words = generator.getState();
      manualSeed(9);
      const expected = await lossesOf(first, 4);

      const second = trainerOf({}, recipe);
      loadOfficialCheckpoint(readOfficialCheckpoint(bytes), { model: second.model, optimizer: second.optimizer });
      for (const wrong of [-1, 1.5, 13, "5" as never]) expect(() => second.skipTo(wrong)).toThrow(ValueError);
      expect(second.stepsDone).toBe(0);
      second.optimizer.paramGroups[0]!.lr = 7; // whatever the file has: the recipe's takes its place
      second.skipTo(5);
      expect([second.stepsDone, second.sampler.epoch, second.sampler.position]).toEqual([5, 1, 16]);
      second.generator.setState(words);
      manualSeed(9);
      expect(await lossesOf(second, 4)).toEqual(expected);
      expect([second.model.momentum, second.schedule.getLastLr()]).toEqual([
        first.model.momentum,
        first.schedule.getLastLr(),
      ]);
    });

    test("a step that throws takes no batch: the next one trains on it", async () => {
      let isBroken = true;
      const augment: MoCoTrainerOptions["augment"] = (images, rows, options) => {
        const view = mocoAugment(images, rows, options);
        if (isBroken) throw new Error("no view");
        return view;
      };
      const expected = await lossesOf(trainerOf(), 4);
      const images = await imageFile();
      for (const made of [() => trainerOf({ augment }), () => fileTrainerOf(images, { augment })]) {
        const trainer = made();
        isBroken = true;
        await trainer.ready();
        expect(() => trainer.step()).toThrow("no view");
        expect([trainer.stepsDone, trainer.sampler.position]).toEqual([0, 0]);
        isBroken = false;
        expect(await lossesOf(trainer, 4)).toEqual(expected);
      }
    });

    test("a step that throws when a part is done takes the batch: its keys are no negatives of their images", async () => {
      let views = 0;
      const augment: MoCoTrainerOptions["augment"] = (images, rows, options) => {
        if (++views === 3) throw new Error("no third view");
        return mocoAugment(images, rows, options);
      };
      for (const queueSize of [20, 4]) {
        views = 0;
        const trainer = trainerOf({ augment, accumulationSteps: 2 }, { ...RECIPE, queueSize }); // of 4, its pointer stays at 0
        expect(() => trainer.step()).toThrow("no third view");
        expect([trainer.stepsDone, trainer.sampler.position, trainer.model.queuePtr.value]).toEqual([
          0,
          8,
          4 % queueSize,
        ]);
        const [loss] = await lossesOf(trainer, 1);
        expect(loss).toBeGreaterThan(0);
        expect([trainer.stepsDone, trainer.sampler.position, trainer.model.queuePtr.value]).toEqual([
          1,
          16,
          12 % queueSize,
        ]);
      }
    });

    test("a load that fails puts back the moment in which it began, though steps ran meanwhile", async () => {
      const trainer = trainerOf();
      await lossesOf(trainer, 3);
      const bytes = await trainer.save();
      const broken = changed(bytes, ({ metadata }) => setState(metadata, "trainer", { keyMomentum: 2 }));
      const loading = trainer.load(broken);
      trainer.step();
      await expect(loading).rejects.toThrow(ValueError);
      expect(await trainer.save()).toEqual(bytes);
    });

    test("an undone load leaves no options that the file alone has", async () => {
      const made = (): { model: Linear; optimizer: SGD; generators: { draws: Generator } } => {
        const model = new Linear(2, 2);
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
        return { model, optimizer, generators: { draws: new Generator(1) } };
      };
      const [saved, other] = [made(), made()];
      new LambdaLR(saved.optimizer, () => 0.5);
      const bytes = changed(await writeCheckpoint(saved), ({ metadata }) => (metadata["generators"] = '{"draws":{"seed":-1}}')); // prettier-ignore
      const before = { ...other.optimizer.paramGroups[0] };
      await expect(readCheckpoint(other, bytes)).rejects.toThrow(ValueError);
      expect(other.optimizer.paramGroups).toEqual([before]);
      expect(Object.keys(other.optimizer.paramGroups[0]!)).not.toContain("initialLr");
    });

    test("names a few of the tensors that a damaged file lacks", async () => {
      const trainer = trainerOf();
      await lossesOf(trainer, 1);
      const lacking = changed(await trainer.save(), ({ tensors }) => {
        for (const name of Object.keys(tensors))
          if (name.startsWith("optimizer.")) Reflect.deleteProperty(tensors, name);
      });
      await expect(trainer.load(lacking)).rejects.toThrow(
        /got none of state\.0\.momentum_buffer(, [\w.]+){4}\. The file/,
      );
      const none = changed(await trainer.save(), ({ metadata }) => delete metadata["slots"]);
      await expect(trainer.load(none)).rejects.toThrow("got no list.");
    });

    test("a recipe reaches model, optimizer, views and batches", async () => {
      const recipe: MoCoRecipe = {
        ...RECIPES.fashionMnist,
        ...{ dim: 6, queueSize: 24, keyMomentum: 0.8, temperature: 0.3, mlp: true, symmetric: true, shuffle: false },
        ...{ splits: 3, batchSize: 6, lr: 0.07, momentum: 0.85, weightDecay: 0.002 },
      };
      const images = tensor(BYTES, { shape: [30, 1, 8, 8] });
      const augment: MoCoTrainerOptions["augment"] = (all, rows) => all.indexSelect(0, rows).float().div(255); // draws nothing
      const made = (change: Partial<MoCoRecipe> = {}): MoCoTrainer =>
        new MoCoTrainer(images, tinyGap, { ...recipe, ...change }, { steps: 4, augment });
      const { model, optimizer, sampler } = made();
      const state = model.stateDict();
      expect(state["encoder_q.fc.0.weight"]!.shape).toEqual([64, 64]);
      expect(state["encoder_q.fc.2.weight"]!.shape).toEqual([6, 64]);
      expect(state["queue"]!.shape).toEqual([6, 24]);
      const splits = [...model.modules()].flatMap((each) => (each instanceof SplitBatchNorm2d ? [each.numSplits] : []));
      expect(splits).toEqual([3, 3, 3, 3, 3, 3]);
      expect(model).toMatchObject({ dim: 6, queueSize: 24, momentum: 0.8, temperature: 0.3, symmetric: true });
      expect(sampler.batchSize).toBe(6);
      expect(optimizer).toBeInstanceOf(SGD);
      expect(optimizer.paramGroups).toHaveLength(1);
      expect(optimizer.paramGroups[0]).toMatchObject({ lr: 0.07, momentum: 0.85, weightDecay: 0.002 });
      const adam = made({ optimizer: "adamW" }).optimizer;
      expect(adam).toBeInstanceOf(AdamW);
      expect(adam.paramGroups[0]).toMatchObject({ lr: 0.07, weightDecay: 0.002 });
      expect(made({ mlp: false }).model.stateDict()["encoder_q.fc.weight"]!.shape).toEqual([6, 64]);

      for (const [shuffle, draws] of [
        [false, false],
        [true, true],
      ] as const) {
        // prettier-ignore
        const trainer = made({ shuffle });
        const { offset } = trainer.generator.getState();
        expect(await trainer.step().loss.item()).toBeGreaterThan(0);
        expect(trainer.generator.getState().offset > offset, `shuffle ${shuffle}`).toBe(draws);
      }
    });

    test("a checkpoint says whether logits were streamed; older ones do not", async () => {
      const bytes = await trainerOf({ streaming: true }).save();
      const otherwise = trainerOf({ streaming: false });
      await expect(otherwise.load(bytes)).rejects.toThrow(
        "MoCoTrainer: streaming must be the checkpoint's true, got false. Make the trainer as it was saved.",
      );
      await expect(trainerOf().load(bytes)).rejects.toThrow(StateDictError);
      const older = changed(bytes, ({ metadata }) => setState(metadata, "trainer", { streaming: undefined }));
      await expect(otherwise.load(older)).resolves.toBeDefined();
      await expect(trainerOf({ streaming: true }).load(bytes)).resolves.toBeDefined();
    });

    test("keeps a key momentum that was changed", async () => {
      const trainer = trainerOf();
      trainer.model.momentum = 0.5;
      const resumed = trainerOf();
      await resumed.load(await trainer.save());
      expect(resumed.model.momentum).toBe(0.5);
    });

    test.each([
      ["v1", mocoV1Augment],
      ["v2", mocoV2Augment],
      ["cifar", cifarAugment],
      ["fashionMnist", mocoAugment],
    ] as const)("%s makes its views by its own chain", async (augmentation, augment) => {
      const statistics = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
      const losses = (options: MoCoTrainerOptions): Promise<number[]> => {
        manualSeed(5);
        const trainer = new MoCoTrainer(
          colourImages(),
          colourEncoder,
          { ...RECIPE, augmentation },
          { steps: 6, ...options },
        );
        return lossesOf(trainer, 6);
      };
      const found = await losses({});
      expect(found).toEqual(await losses({ augment }));
      expect(new Set(found).size).toBe(6);
      const rows = tensor([3, 1], { dtype: "i32" });
      const view = (chain: typeof augment): Promise<unknown> =>
        chain(colourImages(), rows, { statistics, generator: new Generator(7) }).toArray();
      expect(await view(AUGMENTS[augmentation] as typeof augment)).toEqual(await view(augment));
    });

    test("refuses what does not fit", () => {
      expect(() => trainerOf({ accumulationSteps: 3 })).toThrow(/got 3 parts and 2 groups of 8/);
      expect(() => trainerOf({}, { ...RECIPE, symmetric: true, queueSize: 15 })).toThrow(
        "MoCoTrainer: queueSize must be at least the keys of a batch, got 15 for 16 keys, two of each image.",
      );
      expect(() => trainerOf({ accumulationSteps: 2 }, { ...RECIPE, queueSize: 3 })).toThrow(
        /got 3 for 4 keys\. Change/,
      );
      expect(() => trainerOf({ accumulationSteps: 2 }, { ...RECIPE, queueSize: 4 })).not.toThrow();
      expect(() => trainerOf({}, { ...RECIPE, keyMomentun: 0.9 } as MoCoRecipe)).toThrow(
        /^recipe: options must have names of arch, .*, got keyMomentun\./,
      );
      expect(() => trainerOf({}, { ...RECIPE, splits: 3 })).toThrow(/splits must divide batchSize, got 3 and 8/);
      expect(() => trainerOf({}, { ...RECIPE, lr: NaN })).toThrow(/lr must be a number of 0 or more, got NaN/);
      expect(() => trainerOf({}, { ...RECIPE, temperature: 0 })).toThrow(ValueError);
      for (const lrRule of [
        { kind: "cosin" },
        { kind: "cosine", per: "epochs" },
        { kind: "milestones", epochs: ["x"] },
        { kind: "milestones", epochs: [NaN] },
        { kind: "milestones", epochs: [-1] },
      ])
        expect(() => trainerOf({}, { ...RECIPE, lrRule: lrRule as never })).toThrow(/lrRule must be/);
      expect(() => trainerOf({}, { ...RECIPE, augmentation: "v9" as never })).toThrow(/augmentation must be one of v1/);
      expect(() => trainerOf({}, { ...RECIPE, warmUpEpochs: 201 })).toThrow(
        /warmUpEpochs must be at most the 200 epochs/,
      );
      expect(() => trainerOf({ steps: 0 })).toThrow(/steps must be a positive integer/);
      expect(() => trainerOf({ prefetchFactor: 2 })).toThrow(
        /prefetchFactor must be left out where images are a tensor/,
      );
      expect(() => fileTrainerOf({} as ImageSource)).toThrow(/images must be a tensor or have a method read\(rows\)/);
      expect(() => fileTrainerOf({ read: () => Promise.reject(new Error()) } as never)).toThrow(/count of the images/);
      expect(() => officialRecipe({ mocoM: 2 })).toThrow(/keyMomentum must be in \[0, 1\], got 2/);
    });
  });

  describe("recipes", () => {
    test("official flags have the official defaults", () => {
      expect(RECIPES.v1).toMatchObject({
        ...{ arch: "resnet50", dim: 128, queueSize: 65536, keyMomentum: 0.999, temperature: 0.07, mlp: false },
        ...{ shuffle: true, splits: 8, symmetric: false }, // shuffling does nothing without groups
        ...{ batchSize: 256, epochs: 200, lr: 0.03, momentum: 0.9, weightDecay: 1e-4, augmentation: "v1" },
        lrRule: { kind: "milestones", epochs: [120, 160] },
      });
      expect(RECIPES.v2).toMatchObject({ mlp: true, temperature: 0.2, augmentation: "v2", lrRule: { kind: "cosine" } });
      expect(RECIPES.v2).toMatchObject({ shuffle: true, splits: 8 });
      expect(officialRecipe({ batchSize: 10, splits: 5 })).toMatchObject({ batchSize: 10, splits: 5 });
      expect(() => officialRecipe({ batchSize: 10 })).toThrow("splits must divide batchSize, got 8 and 10.");
      expect(RECIPES.cifar).toMatchObject({ queueSize: 4096, keyMomentum: 0.99, batchSize: 512, lr: 0.06, splits: 8 });
    });

    test("learning rates follow the authors' rules", () => {
      const v1 = lrFactor(RECIPES.v1, 10);
      expect([0, 1199, 1200, 1599, 1600, 1999].map(v1)).toEqual([1, 1, 0.1, 0.1, 0.1 ** 2, 0.1 ** 2]);
      const part = lrFactor({ ...RECIPES.v1, lrRule: { kind: "milestones", epochs: [6 / 10, 1.5] } }, 10);
      expect([5, 6, 14, 15].map(part), "in the middle of an epoch").toEqual([1, 0.1, 0.1, 0.1 ** 2]);
      const v2 = lrFactor(RECIPES.v2, 10);
      expect(v2(9)).toBe(1); // set once an epoch
      expect(v2(1005)).toBeCloseTo(0.5, 12);
      const perStep = lrFactor(RECIPES.fashionMnist, 10, 300);
      expect(perStep(150)).toBeCloseTo(0.5, 12);
      expect(perStep(300)).toBeCloseTo(0, 12);
      const warm = lrFactor({ ...RECIPES.v2, warmUpEpochs: 2, epochs: 4 }, 10);
      expect([0, 5, 10, 20, 30].map(warm)).toEqual([0, 0.25, 0.5, 1, 0.5 * (1 + Math.cos(Math.PI / 2))]);
      const onlyWarm = lrFactor({ ...RECIPES.fashionMnist, warmUpEpochs: 2, epochs: 2 }, 10);
      expect([19, 20, 21].map(onlyWarm)).toEqual([0.95, 0, 0]); // it ends there, and makes no NaN of 0 / 0
      const half = lrFactor({ ...RECIPES.v2, warmUpEpochs: 0.5, epochs: 4 }, 10);
      expect([4, 5, 9].map(half)).toEqual([0.8, 1, 1]);
    });
  });
}

function setState(metadata: Record<string, string>, name: string, values: object): void {
  const states = JSON.parse(metadata["states"]!) as Record<string, object>;
  metadata["states"] = JSON.stringify({ ...states, [name]: { ...states[name], ...values } });
}
