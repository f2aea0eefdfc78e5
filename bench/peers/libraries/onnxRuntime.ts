/** The rows in ONNX Runtime Web on WebGPU: it runs models forward, on buffers that stay on the GPU. */

import * as ort from "onnxruntime-web/webgpu";
import packageJson from "../../../package.json";
import { EPS, type HostTensor, type Library, type Task } from "../library";
import { onnxModel, type OnnxNode } from "../onnxModel";

const FORWARD_ONLY = "forward passes only";

/** A model with one input `x` and one output `y`. */
interface Model {
  readonly nodes: readonly OnnxNode[];
  readonly x: HostTensor;
  readonly weights?: Readonly<Record<string, HostTensor>>;
  readonly yShape: readonly number[];
}

async function modelTask({ nodes, x, weights = {}, yShape }: Model): Promise<Task> {
  const bytes = onnxModel({ nodes, weights, inputs: { x: x.shape }, outputs: { y: yShape } });
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
    graphOptimizationLevel: "all",
  });
  const device = await ort.env.webgpu.device;
  const input = ort.Tensor.fromGpuBuffer(uploaded(device, x), { dataType: "float32", dims: [...x.shape] });
  let y: ort.Tensor | undefined;
  return {
    async run() {
      y?.dispose();
      ({ y } = await session.run({ x: input }));
    },
    finish: () => device.queue.onSubmittedWorkDone(),
    read: async () => ({ y: await readBuffer(device, y!.gpuBuffer, y!.size) }),
  };
}

function uploaded(device: GPUDevice, { data }: HostTensor): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

async function readBuffer(device: GPUDevice, buffer: GPUBuffer, count: number): Promise<Float32Array> {
  const size = 4 * count;
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return values;
}

const scalar = (value: number): HostTensor => ({ data: Float32Array.of(value), shape: [] });

/** Nodes one after the other, from x to y. */
const inRow = (...nodes: readonly (readonly [op: string, ...weights: string[]])[]): OnnxNode[] =>
  nodes.map(([op, ...weights], index) => ({
    op,
    inputs: [index === 0 ? "x" : `v${index}`, ...weights],
    output: index === nodes.length - 1 ? "y" : `v${index + 1}`,
  }));

/** Opens nothing yet: the first session opens the device. */
export function open(): Library {
  ort.env.wasm.numThreads = 1;
  return {
    version: `ONNX Runtime Web ${packageJson.devDependencies["onnxruntime-web"]}`,
    tasks: {
      matmul: ({ a, b }) => modelTask({ nodes: inRow(["MatMul", "b"]), x: a, weights: { b }, yShape: a.shape }),

      pointwise: ({ x }) =>
        modelTask({
          nodes: inRow(
            ["Mul", "c1.5"],
            ["Add", "c0.25"],
            ["Relu"],
            ["Sub", "c0.5"],
            ["Abs"],
            ["Pow", "c2"],
            ["Min", "c0.75"],
            ["Neg"],
            ["Add", "c2"],
            ["Mul", "c0.125"],
          ),
          x,
          weights: Object.fromEntries([1.5, 0.25, 0.5, 2, 0.75, 0.125].map((value) => [`c${value}`, scalar(value)])),
          yShape: x.shape,
        }),

      sum: ({ x }) =>
        modelTask({
          nodes: [{ op: "ReduceSum", inputs: ["x"], output: "y", attributes: { keepdims: 0 } }],
          x,
          yShape: [],
        }),

      softmax: ({ x }) =>
        modelTask({
          nodes: [{ op: "Softmax", inputs: ["x"], output: "y", attributes: { axis: -1 } }],
          x,
          yShape: x.shape,
        }),

      layerNorm: ({ x, weight, bias }) =>
        modelTask({
          nodes: [
            {
              op: "LayerNormalization",
              inputs: ["x", "weight", "bias"],
              output: "y",
              attributes: { axis: -1, epsilon: EPS },
              floats: ["epsilon"],
            },
          ],
          x,
          weights: { weight, bias },
          yShape: x.shape,
        }),

      conv2d: ({ x, weight }) =>
        modelTask({
          nodes: [
            { op: "Conv", inputs: ["x", "weight"], output: "y", attributes: { pads: [1, 1, 1, 1], strides: [1, 1] } },
          ],
          x,
          weights: { weight },
          yShape: x.shape,
        }),

      conv2dBackward: FORWARD_ONLY,
      mlp: FORWARD_ONLY,
      cnn: FORWARD_ONLY,
      update: FORWARD_ONLY,
      infoNCE: FORWARD_ONLY,
      moco: FORWARD_ONLY,
      mocoResNet18: FORWARD_ONLY,
    },
  };
}
