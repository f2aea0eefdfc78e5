/**
 * What the adapter can do at most, measured in the same rounds as the rest: multiply-adds in registers, and streaming
 * through memory. Both kernels are the bench's own and know nothing of the library.
 */

import type { Device } from "flywheel";
import { bindShader, DeviceArray } from "flywheel/dev";
import { checkOutput, randomArray } from "./check";
import copyShader from "./copy.wgsl?raw";
import flatSgdShader from "./flatSgd.wgsl?raw";
import type { Row } from "./harness";
import multiplyAddShader from "./multiplyAdd.wgsl?raw";
import { launchesRow } from "./rows";

export const PEAK = "limit: multiply-add";
export const STREAM = "limit: flat SGD";

const WORKGROUP = 64;
const FACTOR = Math.fround(0.9999);
const ADDEND = Math.fround(0.0002);
/** Software needs few invocations with long loops, hardware many; this many with this long a loop does for both. */
const INVOCATIONS = 65_536;
const TURNS = 256;
/** Of each of the eight values, in a turn: `UNROLL` in the shader. */
const UNROLL = 32;
const REGISTERS = 8;
/** 64 MiB in, 64 MiB out: more than any cache holds. */
const COPIED = 2 ** 24;
/** Few invocations, as software wants it, and many, as hardware does; a limit is what the faster one makes. */
const GRIDS = [32, 8192];

export async function limitRows(device: Device): Promise<Row[]> {
  return [await multiplyAddRow(device), ...(await flatSgdRows(device)), ...(await copyRows(device))];
}

export async function multiplyAddRow(device: Device): Promise<Row> {
  const output = DeviceArray.from(device, new Float32Array(INVOCATIONS));
  const launches = await bindShader(device, {
    name: "multiplyAdd",
    wgsl: multiplyAddShader,
    bindings: [output, multiplyAddParams(device)],
    grid: [INVOCATIONS / WORKGROUP, 1, 1],
    flops: 2 * INVOCATIONS * TURNS * UNROLL * REGISTERS,
    bytes: 4 * INVOCATIONS,
  });
  const check = async (): Promise<void> => {
    output.write(new Float32Array(INVOCATIONS).fill(NaN));
    launches.submit();
    checkOutput(await output.data(), INVOCATIONS, { at: multiplyAddResult, relative: 1e-3 });
  };
  return launchesRow({ work: PEAK, way: "in registers", launches, check });
}

function multiplyAddParams(device: Device): DeviceArray {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setFloat32(0, FACTOR, true);
  bytes.setFloat32(4, ADDEND, true);
  bytes.setUint32(8, TURNS, true);
  return DeviceArray.from(device, new Uint32Array(bytes.buffer));
}

/** x -> x f + a, n times: x f^n + a (1 - f^n) / (1 - f). */
function multiplyAddResult(invocation: number): number {
  const decay = FACTOR ** (UNROLL * TURNS);
  const starts = Array.from({ length: REGISTERS }, (_, register) => (invocation % 8) + register);
  return starts.reduce((sum, start) => sum + start * decay + (ADDEND * (1 - decay)) / (1 - FACTOR), 0);
}

/** The plainest kernel that reads and writes several arrays: three reads and two writes an element. */
export async function flatSgdRows(device: Device): Promise<Row[]> {
  const grads = randomArray(COPIED);
  const arrays = [grads, new Float32Array(COPIED), new Float32Array(COPIED)].map((data) =>
    DeviceArray.from(device, data),
  );
  const [, param, momentum] = arrays;
  const count = DeviceArray.from(device, Uint32Array.of(COPIED / 4, 0, 0, 0));
  return Promise.all(
    GRIDS.map(async (workgroups) => {
      const launches = await bindShader(device, {
        name: "flatSgd",
        wgsl: flatSgdShader,
        bindings: [...arrays, count],
        grid: [workgroups, 1, 1],
        bytes: 20 * COPIED,
      });
      const check = async (): Promise<void> => {
        for (const array of [param!, momentum!]) array.write(new Float32Array(COPIED));
        launches.submit();
        const moved = { at: (index: number) => -0.01 * grads[index]!, relative: 1e-6, absolute: 1e-12 };
        checkOutput(await param!.data(), COPIED, moved);
      };
      return launchesRow({ work: STREAM, way: `by ${workgroups * WORKGROUP} invocations`, launches, check });
    }),
  );
}

/** The plainest of all: a read and a write an element. */
export async function copyRows(device: Device): Promise<Row[]> {
  const values = randomArray(COPIED);
  const input = DeviceArray.from(device, values);
  const output = DeviceArray.from(device, new Float32Array(COPIED));
  return Promise.all(
    GRIDS.map(async (workgroups) => {
      const launches = await bindCopy(device, { input, output, workgroups });
      const check = async (): Promise<void> => {
        output.write(new Float32Array(COPIED).fill(NaN));
        launches.submit();
        checkOutput(await output.data(), COPIED, { at: (index) => values[index]!, relative: 0, absolute: 1e-30 });
      };
      return launchesRow({ work: "copy", way: `by ${workgroups * WORKGROUP} invocations`, launches, check });
    }),
  );
}

/** The copy kernel between two arrays of one length, a multiple of 4. */
export const bindCopy = (
  device: Device,
  { input, output, workgroups }: { input: DeviceArray; output: DeviceArray; workgroups: number },
  wgsl = copyShader,
): ReturnType<typeof bindShader> =>
  bindShader(device, {
    name: "copy",
    wgsl,
    bindings: [input, output, DeviceArray.from(device, Uint32Array.of(input.length / 4, 0, 0, 0))],
    grid: [workgroups, 1, 1],
    bytes: 8 * input.length,
  });
