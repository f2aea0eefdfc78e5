// @ts-check
/** TypeScript of this repository in Node, and a GPU for it: what `npm run explain`, `npm run tune` and `npm run peers` are made of. */
import { join } from "node:path";
import { nodeAdapter } from "./adapters.mjs";
import { ensureDependencies, root } from "./setup.mjs";

/**
 * @template T
 * @param {(load: (file: string) => Promise<Record<string, any>>) => Promise<T>} body `load` takes a path from the root: "/bench/tune.ts"
 * @returns {Promise<T>}
 */
export async function withSources(body) {
  ensureDependencies();
  const { createServer } = await import("vite");
  const vite = await createServer({
    configFile: join(root, "vite.config.ts"),
    root,
    logLevel: "warn",
    appType: "custom",
    oxc: { target: "es2022" }, // Node 20 and 22 do not know `using`
    optimizeDeps: { noDiscovery: true, include: [] },
    server: { middlewareMode: true, hmr: false, watch: null, ws: false },
  });
  try {
    return await body((file) => vite.ssrLoadModule(file));
  } finally {
    await vite.close();
  }
}

/** Gives Node a `navigator.gpu`. */
export async function provideGpu() {
  await nodeAdapter(); // with a message where there is none
  const { globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const { dawn } = /** @type {{ dawn?: GPU }} */ (globalThis);
  Object.defineProperty(globalThis, "navigator", { value: { gpu: dawn }, configurable: true });
}

/**
 * A list of cases, a line each.
 *
 * @param {Readonly<Record<string, { what: string }>>} cases
 */
export function listOf(cases) {
  const width = Math.max(...Object.keys(cases).map((name) => name.length));
  return Object.entries(cases)
    .map(([name, { what }]) => `  ${name.padEnd(width)}  ${what}\n`)
    .join("");
}
