/** Who takes part: names for `--libraries`, and titles for the report, short as its table is wide. */

export interface Peer {
  readonly title: string;
  /** Whether ours must be faster than it: those that train on WebGPU. The others are there to know. */
  readonly isRival: boolean;
}

/** Those that run in a page; `libraries.ts` opens them. */
export const IN_PAGES = {
  flywheel: { title: "flywheel", isRival: false },
  "tfjs-webgpu": { title: "TF.js webgpu", isRival: true },
  "jax-webgpu": { title: "jax-js webgpu", isRival: true },
  "jax-webgpu-jit": { title: "jax-js webgpu jit", isRival: true },
  "onnx-webgpu": { title: "ONNX webgpu", isRival: false },
  "tfjs-wasm": { title: "TF.js wasm", isRival: false },
  "jax-wasm": { title: "jax-js wasm", isRival: false },
} as const satisfies Readonly<Record<string, Peer>>;

export type LibraryName = keyof typeof IN_PAGES;

/** Runs beside the browser, where a Python has it. */
export const TORCH = "torch";

export const PEERS: Readonly<Record<string, Peer>> = {
  ...IN_PAGES,
  [TORCH]: { title: "PyTorch", isRival: false },
};
