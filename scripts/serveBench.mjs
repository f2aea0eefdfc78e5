// @ts-check
/** Serves the bench page with vite. Imports vite, so npm packages must be there (setup.mjs). */
import { join } from "node:path";
import { createServer } from "vite";
import { root } from "./setup.mjs";

/** @returns {Promise<{ url: string, close: () => Promise<void> }>} */
export async function serveBench() {
  const server = await createServer({
    configFile: join(root, "vite.config.ts"),
    root: join(root, "bench"),
    logLevel: "warn",
    clearScreen: false,
    server: {
      host: "127.0.0.1",
      hmr: false,
      watch: null, // a file that changes must not reload the page
      // Isolated pages have a clock of 5 us instead of 100.
      headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    },
  });
  await server.listen();
  return { url: server.resolvedUrls?.local[0] ?? "", close: () => server.close() };
}
