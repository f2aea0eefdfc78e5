/** Random programs on state, through the public API: the GPU reads what the CPU reference reads, stale tensors included. */

import {
  Buffer,
  type Device,
  init,
  keep,
  ones,
  openDevice,
  optim,
  Parameter,
  type Tensor,
  tensor,
  withDevice,
} from "flywheel";
import { expect, test } from "vitest";
import { boundsOfState, firstOff } from "../helpers/tolerance";

/** Whole numbers below a limit, from a seed: splitmix32. */
function draws(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return Math.floor((((z ^ (z >>> 16)) >>> 0) / 2 ** 32) * limit);
  };
}

/** What something reads: its numbers, or the name of its error. */
async function shown(x: Tensor): Promise<number[] | string> {
  try {
    return [...(await x.data())];
  } catch (error) {
    return (error as Error).name;
  }
}

/** One program: three buffers, a parameter and its optimizer, values made of them, and reads in between. */
class Program {
  readonly seen: (number[] | string)[] = [];
  private readonly draw: (limit: number) => number;
  private readonly size: number;
  private readonly buffers: readonly Buffer[];
  private readonly p: Parameter;
  private readonly optimizer: optim.SGD;
  private readonly values: Tensor[] = [];

  constructor(
    private readonly device: Device,
    seed: number,
  ) {
    this.draw = draws(seed);
    this.size = [4, 6, 12][this.draw(3)]!;
    const rows = Array.from({ length: this.size }, (_, i) => i);
    this.buffers = [0, 10, 20].map((first) => new Buffer(tensor(rows.map((row) => first + row))));
    this.p = new Parameter(ones([this.size]));
    this.optimizer = new optim.SGD([this.p], { lr: 0.5, momentum: 0.5 });
  }

  async run(): Promise<void> {
    for (let left = 4 + this.draw(12); left > 0; left--) {
      try {
        await this.act();
      } catch (error) {
        this.seen.push((error as Error).name);
      }
    }
    for (const each of [...this.buffers, this.p, ...this.values]) this.seen.push(await shown(each));
    try {
      this.device.flush();
    } catch (error) {
      this.seen.push((error as Error).name);
    }
  }

  private async act(): Promise<void> {
    const { draw, buffers, values } = this;
    const kind = draw(12);
    if (kind < 4) values.push(this.newValue());
    else if (kind < 7) buffers[draw(3)]!.assign(this.pick());
    else if (kind === 7) {
      const rows = 1 + draw(this.size - 1);
      buffers[draw(3)]!.assignRows(draw(this.size - rows + 1), this.pick().narrow(0, 0, rows));
    } else if (kind === 8) await this.train();
    else if (kind < 11) this.seen.push(await shown(this.pick()));
    else if (values.length > 0) keep(values[draw(values.length)]!);
  }

  private async train(): Promise<void> {
    const loss = this.p.mul(this.pick().detach()).sum();
    this.optimizer.zeroGrad();
    loss.backward();
    this.optimizer.step();
    this.values.push(loss.detach().add(this.buffers[0]!.detach().mul(0)));
    this.seen.push(await shown(loss));
  }

  /** A value made before, or state as it is. */
  private pick(): Tensor {
    const { draw, values } = this;
    if (values.length > 0 && draw(2) === 1) return values[draw(values.length)]!;
    return [...this.buffers, this.p.detach()][draw(4)]!;
  }

  private newValue(): Tensor {
    const [x, y] = [this.pick(), this.pick()];
    const half = this.size / 2;
    const ways = [
      () => x.add(y).mul(0.5),
      () => x.detach(),
      () => x.reshape(2, half).reshape(this.size),
      () => x.flip(0),
      () => x.sub(y),
      () => x.cumsum(0).mul(0.1),
      () => x.reshape(2, half).transpose(0, 1).reshape(this.size),
      () => x.sum().add(y),
    ];
    return ways[this.draw(ways.length)]!();
  }
}

/** Writes that may feed back on each other. */
const MOST_WRITES = 16;

function agree(got: number[] | string, wanted: number[] | string): boolean {
  if (typeof got === "string" || typeof wanted === "string") return got === wanted;
  const want = Float32Array.from(wanted);
  return firstOff(Float32Array.from(got), want, boundsOfState(want, { device: "webgpu", steps: MOST_WRITES })) === null;
}

test("random programs read the same on both devices", { timeout: 120_000 }, async () => {
  const cpu = await openDevice("cpu");
  const gpu = await init({ device: "webgpu" });
  let numbersRead = 0;
  for (let seed = 5300; seed < 5700; seed++) {
    const [wanted, got] = [cpu, gpu].map((device) => withDevice(device, () => new Program(device, seed))) as [Program, Program]; // prettier-ignore
    await wanted.run();
    await got.run();
    numbersRead += wanted.seen.filter((value) => typeof value !== "string").length;
    const different = wanted.seen.findIndex((value, i) => !agree(got.seen[i] ?? "nothing", value));
    if (different >= 0 || got.seen.length !== wanted.seen.length) {
      expect.fail(
        `seed ${seed}, ${different}: got ${String(got.seen[different])}, reference ${String(wanted.seen[different])}`,
      );
    }
  }
  expect(numbersRead).toBeGreaterThan(2000);
});
