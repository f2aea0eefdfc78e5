/**
 * The optimizer's update and the key encoder's EMA over the 62 tensors of a ResNet-18, 11.2 million parameters: in one
 * dispatch over the whole arena, in two, or tensor by tensor.
 */

import type { Device } from "flywheel";
import { bindKernel, BoundLaunches, DeviceArray } from "flywheel/dev";
import { checkOutput, randomArray } from "./check";
import type { Row } from "./harness";
import { resnet18Shapes } from "./resnet18";
import { launchesRow } from "./rows";

/** Parameters are laid out at 256-byte offsets. */
const BLOCK = 64;
const LR = Math.fround(0.06);
const MOMENTUM = Math.fround(0.9);
const WEIGHT_DECAY = Math.fround(5e-4);
const EMA = Math.fround(0.99);
const EMA_REST = Math.fround(1 - 0.99);
/** Each has had gradients before: `group << 2 | live`. */
const LIVE = 2;
/** Hyper-parameters of 32 groups of 8, of which one is used: lr, momentum, 1 - dampening, weightDecay, three flags. */
const GROUPS = new Float32Array(32 * 8);
GROUPS.set([LR, MOMENTUM, 1, WEIGHT_DECAY]);

/** Arenas of one layout, and the tables of the whole one. */
interface Arenas {
  readonly param: DeviceArray;
  readonly grad: DeviceArray;
  readonly momentum: DeviceArray;
  readonly key: DeviceArray;
}

export async function rows(device: Device): Promise<Row[]> {
  const { row, whole, lookedUp, single } = prepare(device);
  return [
    await row("1 dispatch", [whole.fused]),
    await row("1 dispatch, each block looked up", [lookedUp.fused]),
    await row("2 dispatches", [whole.sgd, whole.ema]),
    await row(
      `${single.length}: fused, a tensor each`,
      single.map(({ fused }) => fused),
    ),
    await row(
      `${2 * single.length}: a tensor each`,
      single.flatMap(({ sgd, ema }) => [sgd, ema]),
    ),
  ];
}

/** What fusing gains: both updates over the whole arena in one dispatch, and one after the other. */
export async function fusionRows(device: Device): Promise<[fused: Row, apart: Row]> {
  const { row, whole } = prepare(device);
  return [await row("1 dispatch", [whole.fused]), await row("2 dispatches", [whole.sgd, whole.ema])];
}

/** Arenas with values, the kernels on them, and what makes a row of some of these, in order. */
function prepare(device: Device) {
  const segments = layOut(resnet18Shapes().map((shape) => shape.reduce((size, each) => size * each, 1)));
  const count = segments.at(-1)!.end;
  const host = {
    param: randomArray(count, { seed: 1 }),
    grad: randomArray(count, { seed: 2 }),
    momentum: randomArray(count, { seed: 3 }),
    key: randomArray(count, { seed: 4 }),
  };
  const from = (data: Float32Array | Uint32Array): DeviceArray => DeviceArray.from(device, data);
  const arenas: Arenas = {
    param: from(host.param),
    grad: from(host.grad),
    momentum: from(host.momentum),
    key: from(host.key),
  };
  const groups = from(GROUPS);
  const coefficients = from(Float32Array.of(EMA, EMA_REST, 0, 0));
  const live = from(new Uint32Array(segments.length).fill(LIVE));
  const blocks = new Uint32Array(count / BLOCK);
  segments.forEach(({ begin, end }, index) => blocks.fill(index, begin / BLOCK, end / BLOCK));
  const blockTable = from(blocks);
  const firstSegment = from(new Uint32Array(count / BLOCK)); // an arena of one parameter: all its blocks are segment 0

  /** The kernels bound to a part of the arenas. */
  const kernels = (part: (array: DeviceArray) => DeviceArray, blockOf: DeviceArray, isAlike = true) => {
    const [param, grad, momentum, key] = [arenas.param, arenas.grad, arenas.momentum, arenas.key].map(part) as [
      DeviceArray,
      DeviceArray,
      DeviceArray,
      DeviceArray,
    ];
    const info = { count: param.length, isAlike };
    const tables = [blockOf, live, groups];
    return {
      fused: () =>
        bindKernel(device, "momentumSgdEma", info, { inputs: [param, grad, momentum, key, ...tables, coefficients] }),
      sgd: () => bindKernel(device, "momentumSgd", info, { inputs: [param, grad, momentum, ...tables] }),
      ema: () => bindKernel(device, "ema", info, { inputs: [param, key, coefficients] }),
    };
  };
  const row = async (way: string, binds: readonly (() => Promise<BoundLaunches>)[]): Promise<Row> => {
    const launches = BoundLaunches.join(await Promise.all(binds.map((bind) => bind())));
    const check = (): Promise<void> => checkUpdate(arenas, host, launches);
    return launchesRow({ work: "SGD and EMA, ResNet-18", way, launches, check });
  };
  return {
    row,
    whole: kernels((array) => array, blockTable),
    lookedUp: kernels((array) => array, blockTable, false),
    single: segments.map(({ begin, end }) => kernels((array) => array.subarray(begin, end), firstSegment)),
  };
}

/** Where each tensor lies. */
function layOut(sizes: readonly number[]): { begin: number; end: number }[] {
  let begin = 0;
  return sizes.map((size) => {
    const end = begin + BLOCK * Math.ceil(size / BLOCK);
    const segment = { begin, end };
    begin = end;
    return segment;
  });
}

/** One update from the first values, against the same in f64. */
async function checkUpdate(
  arenas: Arenas,
  host: Readonly<Record<keyof Arenas, Float32Array<ArrayBuffer>>>,
  launches: BoundLaunches,
): Promise<void> {
  const names = ["param", "momentum", "key"] as const;
  for (const name of names) arenas[name].write(host[name]);
  launches.submit();
  const momentumAt = (i: number): number =>
    MOMENTUM * host.momentum[i]! + host.grad[i]! + WEIGHT_DECAY * host.param[i]!;
  const paramAt = (i: number): number => host.param[i]! - LR * momentumAt(i);
  const keyAt = (i: number): number => EMA * host.key[i]! + EMA_REST * paramAt(i);
  const expected = { param: paramAt, momentum: momentumAt, key: keyAt };
  for (const name of names) {
    checkOutput(await arenas[name].data(), host.param.length, { at: expected[name], absolute: 1e-6 });
  }
}
