/** How a page opens each library; loads none of them by itself. */

import type { Library } from "./library";
import type { LibraryName } from "./names";

export const OPEN: Readonly<Record<LibraryName, () => Promise<Library>>> = {
  flywheel: async () => (await import("./libraries/flywheel")).open(),
  "tfjs-webgpu": async () => (await import("./libraries/tensorFlow")).open("webgpu"),
  "jax-webgpu": async () => (await import("./libraries/jaxJs")).open("webgpu", { compiled: false }),
  "jax-webgpu-jit": async () => (await import("./libraries/jaxJs")).open("webgpu", { compiled: true }),
  "onnx-webgpu": async () => (await import("./libraries/onnxRuntime")).open(),
  "tfjs-wasm": async () => (await import("./libraries/tensorFlow")).open("wasm"),
  "jax-wasm": async () => (await import("./libraries/jaxJs")).open("wasm", { compiled: true }),
};
