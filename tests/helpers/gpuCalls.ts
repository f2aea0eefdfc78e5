/** Counts what goes to WebGPU, by wrapping the prototypes: independent of what the library says of itself. */

export interface GpuCalls {
  dispatches: number;
  /** Labels of the pipelines that were dispatched, in order. */
  kernels: string[];
  copies: number;
  submits: number;
  buffers: number;
  bindGroups: number;
  pipelines: number;
  modules: number;
}

const calls: GpuCalls = {
  dispatches: 0,
  kernels: [],
  copies: 0,
  submits: 0,
  buffers: 0,
  bindGroups: 0,
  pipelines: 0,
  modules: 0,
};
const current = new WeakMap<object, string>();

type Method = (this: object, ...args: unknown[]) => unknown;

/** Runs `before` on every call of a prototype's method. */
function watch(prototype: object, name: string, before: (self: object, args: unknown[]) => void): void {
  const methods = prototype as Record<string, Method>;
  const original = methods[name]!;
  methods[name] = function (...args) {
    before(this, args);
    return original.apply(this, args);
  };
}

let isWatching = false;

function watchAll(): void {
  if (isWatching) return;
  isWatching = true;
  watch(GPUComputePassEncoder.prototype, "setPipeline", (pass, [pipeline]) => {
    current.set(pass, (pipeline as GPUComputePipeline).label);
  });
  watch(GPUComputePassEncoder.prototype, "dispatchWorkgroups", (pass) => {
    calls.dispatches++;
    calls.kernels.push(current.get(pass) ?? "");
  });
  watch(GPUCommandEncoder.prototype, "copyBufferToBuffer", () => calls.copies++);
  watch(GPUQueue.prototype, "submit", () => calls.submits++);
  watch(GPUDevice.prototype, "createBuffer", () => calls.buffers++);
  watch(GPUDevice.prototype, "createBindGroup", () => calls.bindGroups++);
  for (const name of ["createComputePipeline", "createComputePipelineAsync"])
    watch(GPUDevice.prototype, name, () => calls.pipelines++);
  watch(GPUDevice.prototype, "createShaderModule", () => calls.modules++);
}

/** What `body` sends to WebGPU. */
export async function gpuCallsOf(body: () => Promise<void> | void): Promise<GpuCalls> {
  watchAll();
  const before = { ...calls, kernels: calls.kernels.length };
  await body();
  const difference = (name: Exclude<keyof GpuCalls, "kernels">): number => calls[name] - before[name];
  return {
    dispatches: difference("dispatches"),
    kernels: calls.kernels.slice(before.kernels),
    copies: difference("copies"),
    submits: difference("submits"),
    buffers: difference("buffers"),
    bindGroups: difference("bindGroups"),
    pipelines: difference("pipelines"),
    modules: difference("modules"),
  };
}
