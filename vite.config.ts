import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const src = fileURLToPath(new URL("src", import.meta.url));

/** `flywheel` and its subpaths mean the sources, so that demo, bench and tests import the package by name. */
export const alias = [
  { find: /^flywheel$/, replacement: `${src}/index.ts` },
  { find: /^flywheel\/(\w+)$/, replacement: `${src}/$1/index.ts` },
];

const demo = fileURLToPath(new URL("demo", import.meta.url));

/** The demo's pages. */
const pages = ["index.html", "momentum.html"];

export default defineConfig({
  root: demo,
  resolve: { alias },
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    rolldownOptions: { input: pages.map((page) => `${demo}/${page}`) },
  },
});
