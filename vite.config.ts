import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const src = fileURLToPath(new URL("src", import.meta.url));

/** `flywheel` and its subpaths mean the sources, so that demo, bench and tests import the package by name. */
export const alias = [
  { find: /^flywheel$/, replacement: `${src}/index.ts` },
  { find: /^flywheel\/(\w+)$/, replacement: `${src}/$1/index.ts` },
];

const demo = fileURLToPath(new URL("demo", import.meta.url));

/** The demo has several pages. Other builds take this configuration with a root of their own, and have their own. */
const demoPages = {
  name: "flywheel-demo-pages",
  config: ({ root }: { root?: string }) =>
    root === demo
      ? {
          build: {
            rolldownOptions: {
              input: ["index.html", "momentum.html", "benchmarks.html"].map((page) => `${demo}/${page}`),
            },
          },
        }
      : null,
};

export default defineConfig({
  root: demo,
  resolve: { alias },
  plugins: [demoPages],
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
  },
});
