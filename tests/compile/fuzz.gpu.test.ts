/** Random sequences of what may happen around compiled steps: all is as without compiling, to the bit. */

import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import {
  compile,
  type Compiled,
  type CompiledResult,
  defaultDevice,
  defaultGenerator,
  F,
  init,
  keep,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  StaleTensorError,
  tensor,
  type Tensor,
} from "flywheel";

beforeAll(async () => {
  await init({ device: "webgpu" });
});

class Model extends nn.Module {
  readonly first = new nn.Linear(3, 6);
  readonly norm = new nn.BatchNorm1d(6);
  readonly dropout = new nn.Dropout(0.3);
  readonly last = new nn.Linear(6, 2);
  readonly centre = new nn.Buffer(rand([2]));
  readonly row = new nn.Counter(0);
  readonly queue = new nn.Buffer(rand([4, 2]));

  forward(x: Tensor): Tensor {
    return this.last.forward(this.dropout.forward(this.norm.forward(this.first.forward(x)).relu()));
  }

  /** Moves the centre, and writes it to the queue. */
  remember(scores: Tensor): void {
    this.centre.assign(this.centre.mul(0.9).add(scores.detach().mean(0).mul(0.1)));
    this.queue.assignRows(this.row, this.centre.unsqueeze(0));
    this.row.update((row) => (row + 1) % 4);
  }
}

type Wrap = <Args extends readonly unknown[], Result extends CompiledResult>(
  fn: (...args: Args) => Result,
) => (...args: Args) => Result;

const KINDS = ["sgd", "adam", "clipped", "accumulating", "schedule inside"] as const;

class World {
  readonly model = new Model();
  readonly optimizer: optim.Optimizer;
  readonly schedule: optim.StepLR;
  readonly step: (x: Tensor, y: Tensor) => readonly Tensor[];
  readonly infer: (x: Tensor) => Tensor;
  readonly seen: Tensor[] = [];
  saved: nn.HostStateDict | null = null;
  private inputs = 0;

  constructor(wrap: Wrap, kind: (typeof KINDS)[number]) {
    const { model } = this;
    const parameters = model.parameters();
    this.optimizer =
      kind === "adam"
        ? new optim.Adam(parameters, { lr: 0.02 })
        : new optim.SGD(parameters, { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
    const { optimizer } = this;
    this.schedule = new optim.StepLR(optimizer, 2, { gamma: 0.9 });
    this.step = wrap((x: Tensor, y: Tensor) => {
      if (kind !== "accumulating") optimizer.zeroGrad();
      const scores = model.forward(x);
      const loss = F.crossEntropy(scores.add(model.queue.sum(0).mul(0.01)), y);
      loss.backward();
      const norm = kind === "clipped" ? [nn.utils.clipGradNorm_(parameters, 0.5)] : [];
      model.remember(scores);
      const kept = keep(scores.exp());
      optimizer.step();
      if (kind === "schedule inside") this.schedule.step();
      return [loss, kept, ...norm];
    });
    this.infer = wrap((x: Tensor) => noGrad(() => model.forward(x).softmax(1)));
  }

  input(n: number): [Tensor, Tensor] {
    const seed = this.inputs++;
    return [
      tensor(
        Float32Array.from({ length: 3 * n }, (_, i) => Math.sin(i * 1.7 + seed)),
        { shape: [n, 3] },
      ),
      tensor(Int32Array.from({ length: n }, (_, i) => (i + seed) % 2)),
    ];
  }

  state(): Tensor[] {
    const { model } = this;
    const grads = model.parameters().flatMap(({ grad }) => (grad ? [grad] : []));
    return [...model.parameters(), ...model.buffers(), ...grads];
  }
}

const readOrStale = (x: Tensor): Promise<unknown> =>
  x.data().then(
    (values) => [...values],
    (error: unknown) => {
      if (error instanceof StaleTensorError) return "stale";
      throw error;
    },
  );

/** What may happen. Each is given a number to choose by. */
const EVENTS: readonly ((world: World, choice: number) => unknown)[] = [
  // steps come more often than all else
  ...Array.from({ length: 6 }, () => (world: World, choice: number): void => {
    const times = 1 + (choice % 4);
    for (let i = 0; i < times; i++) world.seen.push(...world.step(...world.input(choice % 8 === 7 ? 4 : 6)));
  }),
  async (world) => {
    world.seen.push(await world.infer(world.input(6)[0]).realize()); // as it is now, compiled or not
  },
  (world) => world.infer(world.input(4)[0]).dispose(),
  (world) => world.model.first.weight.data(),
  (world) => world.model.last.bias!.grad?.data(),
  (world) => world.model.queue.data(),
  (world) => world.seen.length > 0 && readOrStale(world.seen.at(-1)!),
  (world) => world.seen.push(world.model.centre.sum()),
  (world) => {
    world.seen.push(keep(world.model.last.weight.mul(2)), ...world.step(...world.input(6)));
  },
  (world) => {
    world.optimizer.zeroGrad();
  },
  (world) => {
    world.optimizer.zeroGrad({ setToNone: false });
  },
  (world, choice) => (world.optimizer.paramGroups[0]!.lr = 0.01 * (1 + (choice % 5))),
  (world) => {
    world.schedule.step();
  },
  (world) => world.model.train(!world.model.training),
  (world, choice) => {
    Object.assign(world.model.dropout, { p: (choice % 4) / 4 });
  },
  (world, choice) => world.model.first.requiresGrad_(choice % 2 === 0),
  (_world, choice) => {
    manualSeed(choice);
  },
  (world) => world.model.centre.assign(rand([2])),
  (world, choice) => world.model.row.update(() => choice % 4),
  async (world) => (world.saved = await nn.readState(world.model.stateDict())),
  (world) => world.saved && world.model.loadStateDict(world.saved),
  (world) => {
    const [x, y] = world.input(6);
    F.crossEntropy(world.model.forward(x), y).backward();
  },
  (world) => {
    world.optimizer.step();
  },
  () => {
    defaultDevice().flush();
  },
];

type Script = readonly (readonly [event: number, choice: number])[];

async function play(script: Script, kind: (typeof KINDS)[number], wrap: Wrap): Promise<unknown[]> {
  manualSeed(7);
  const world = new World(wrap, kind);
  const log: unknown[] = [];
  for (const [event, choice] of script) {
    const result: unknown = await EVENTS[event]!(world, choice);
    if (ArrayBuffer.isView(result)) log.push([...(result as Float32Array)]);
    else if (Array.isArray(result) || result === "stale") log.push(result);
  }
  const values: unknown[] = [];
  for (const each of [...world.seen, ...world.state()]) values.push(await readOrStale(each));
  return [...log, ...values, defaultGenerator().getState(), world.model.row.value, world.optimizer.paramGroups[0]!.lr];
}

/** What a compiled twin must give: where the function itself leaves nothing to read, it may. */
const expectSame = (got: readonly unknown[], expected: readonly unknown[]): void => {
  expect(got).toEqual(expected.map((value, i) => (value === "stale" ? got[i] : value)));
};

const scripts = fc.array(fc.tuple(fc.nat(EVENTS.length - 1), fc.nat(31)), {
  minLength: 10,
  maxLength: 40,
  size: "max",
});

it("is as without compiling, whatever happens", async () => {
  let replayed = 0;
  const property = fc.asyncProperty(scripts, fc.constantFrom(...KINDS), async (script, kind) => {
    const compiled: Compiled<never, unknown>[] = [];
    const wrap: Wrap = (fn) => {
      const made = compile(fn, { onFallback: () => undefined });
      compiled.push(made);
      return made;
    };
    expectSame(await play(script, kind, wrap), await play(script, kind, (fn) => fn));
    for (const { status } of compiled) replayed += status.replayed;
  });
  const runs = Number(process.env["FLYWHEEL_FUZZ_SCRIPTS"]);
  await fc.assert(property, { numRuns: runs, seed: Number(process.env["FLYWHEEL_FUZZ_SEED"]) });
  expect(replayed / runs, "replays a script").toBeGreaterThan(4);
}, 600_000);
