/** Commands, as data, into one command encoder: consecutive dispatches share a compute pass, which ends only for copies. */

import { InternalError } from "../errors";
import type { BindGroupHandle } from "./bindGroup";
import { type BufferRange, checkRange, type GpuContext } from "./memory";
import type { Pipeline } from "./pipeline";

export interface DispatchCommand {
  readonly kind: "dispatch";
  readonly pipeline: Pipeline;
  /** Of the pipeline's layout. */
  readonly bindGroup: BindGroupHandle;
  /** Workgroups in x, y, z; with a zero among them nothing runs. */
  readonly grid: readonly [number, number, number];
}

/** Copies bytes between two buffers; both ranges have the same length, a multiple of 4. */
export interface CopyCommand {
  readonly kind: "copy";
  readonly from: BufferRange;
  readonly to: BufferRange;
}

export type Command = DispatchCommand | CopyCommand;

export interface EncodeOptions {
  /** Wraps each dispatch in a debug group, for GPU debuggers. */
  readonly debugGroups?: boolean;
  /** Gives each dispatch a pass of its own, with these timestamps. */
  readonly timestamps?: (dispatch: number) => GPUComputePassTimestampWrites;
}

/**
 * Checks commands, which may be encoded later: what WebGPU would silently not run throws now.
 *
 * @returns the pipelines that they need
 */
export function admit(context: GpuContext, commands: readonly Command[]): Pipeline[] {
  const pipelines: Pipeline[] = [];
  for (const command of commands) {
    if (command.kind === "copy") checkCopy(command);
    else {
      checkDispatch(context, command);
      pipelines.push(command.pipeline);
    }
  }
  context.counters.dispatches += pipelines.length;
  context.counters.copies += commands.length - pipelines.length;
  return pipelines;
}

/**
 * Submits what `fill` encodes, in an error scope of its own, as soon as the pipelines are there and it is its turn; not at all
 * where one of them failed, which the next read says.
 */
export function submit(
  { device, faults, sequence, counters }: GpuContext,
  pipelines: readonly Pipeline[],
  fill: (encoder: GPUCommandEncoder) => void,
): void {
  const submitted = sequence.run(() => {
    if (pipelines.some(({ state }) => state === "failed")) return Promise.resolve(null);
    const encoder = device.createCommandEncoder({ label: "flywheel" });
    fill(encoder);
    // Nothing between push and pop can throw.
    device.pushErrorScope("validation");
    device.queue.submit([encoder.finish()]);
    return device.popErrorScope();
  }, pipelines);
  faults.watchSubmit(submitted);
  counters.submits++;
}

/** Encodes commands that were admitted, and whose pipelines are there. */
export function encode(
  encoder: GPUCommandEncoder,
  commands: readonly Command[],
  { debugGroups = false, timestamps }: EncodeOptions = {},
): void {
  let pass: GPUComputePassEncoder | null = null;
  let pipeline: Pipeline | null = null;
  let bindGroup: BindGroupHandle | null = null;
  let dispatches = 0;
  const endPass = (): void => {
    pass?.end();
    pass = pipeline = bindGroup = null;
  };
  for (const command of commands) {
    if (command.kind === "copy") {
      endPass();
      encodeCopy(encoder, command);
      continue;
    }
    const [x, y, z] = command.grid;
    if (timestamps) endPass();
    pass ??= encoder.beginComputePass(timestamps && { timestampWrites: timestamps(dispatches) });
    if (pipeline !== command.pipeline) pass.setPipeline((pipeline = command.pipeline).raw!);
    if (bindGroup !== command.bindGroup) pass.setBindGroup(0, (bindGroup = command.bindGroup).raw);
    if (debugGroups) pass.pushDebugGroup(pipeline.label);
    if (x > 0 && y > 0 && z > 0) pass.dispatchWorkgroups(x, y, z);
    if (debugGroups) pass.popDebugGroup();
    dispatches++;
  }
  endPass();
}

/** WebGPU makes these silent no-ops. */
function checkDispatch({ limits }: GpuContext, { pipeline, bindGroup, grid }: DispatchCommand): void {
  if (pipeline.error) throw pipeline.error;
  const most = limits.maxComputeWorkgroupsPerDimension;
  for (const size of grid) {
    if (Number.isInteger(size) && size >= 0 && size <= most) continue;
    throw new InternalError(
      `${pipeline.label}: a grid must have 0 to ${most} workgroups a dimension, got [${grid.join()}].`,
    );
  }
  if (bindGroup.layout !== pipeline.layout) {
    throw new InternalError(`${pipeline.label}: the bind group must be of the pipeline's layout, got another one's.`);
  }
  for (const { range } of bindGroup.bindings) {
    if (range.buffer.state !== "live" || range.buffer.fault) checkRange(pipeline.label, range);
  }
}

function checkCopy({ from, to }: CopyCommand): void {
  checkRange("copy", from);
  checkRange("copy", to);
  if (from.byteLength !== to.byteLength || from.byteLength % 4 !== 0 || from.buffer === to.buffer) {
    throw new InternalError(
      "copy: two buffers and one length, a multiple of 4, " +
        `got ${from.byteLength} bytes of buffer ${from.buffer.id} and ${to.byteLength} of ${to.buffer.id}.`,
    );
  }
}

function encodeCopy(encoder: GPUCommandEncoder, { from, to }: CopyCommand): void {
  if (from.byteLength === 0) return;
  encoder.copyBufferToBuffer(from.buffer.raw, from.byteOffset, to.buffer.raw, to.byteOffset, from.byteLength);
}
