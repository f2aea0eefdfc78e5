// @ts-check
/**
 * `npm run build`: src -> dist. ES modules with the WGSL inlined, one entry per subpath, shared chunks, and declarations.
 * Prints what each entry costs a page. `--out <folder>` writes somewhere else than dist.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { ensureDependencies, root, runMain, SetupError } from "./setup.mjs";

/** Entry name (path in dist without extension) and its subpath of the package. */
const entries = ["index", ...["nn", "optim", "moco", "data", "io", "dev", "models"].map((name) => `${name}/index`)];

await runMain(
  async () => {
    ensureDependencies();
    const { values } = parseArgs({ options: { out: { type: "string" } } });
    const out = resolve(root, values.out ?? "dist");
    for (const entry of entries) {
      if (!existsSync(join(root, "src", `${entry}.ts`))) throw new SetupError(`build: src/${entry}.ts is missing.`);
    }
    rmSync(out, { recursive: true, force: true });
    const chunks = await bundle(out);
    declarations(out);
    printSizes(await minifiedChunks(chunks));
  },
  import.meta.url,
);

/**
 * @typedef {{ fileName: string, code: string, imports: string[], dynamicImports: string[] }} Chunk
 */

/**
 * Bundles and writes; returns the chunks.
 *
 * @param {string} out
 * @returns {Promise<Chunk[]>}
 */
async function bundle(out) {
  const { build } = await import("vite");
  const result = await build({
    configFile: false,
    root,
    publicDir: false,
    logLevel: "warn",
    build: {
      target: "es2022",
      outDir: out,
      emptyOutDir: false,
      minify: false, // the user's bundler does that; here the code stays readable
      sourcemap: true,
      lib: {
        entry: Object.fromEntries(entries.map((entry) => [entry, join(root, "src", `${entry}.ts`)])),
        formats: ["es"],
      },
      rollupOptions: {
        external: [/^node:/, "webgpu"],
        output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
      },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  return outputs.flatMap((one) => ("output" in one ? one.output : [])).filter((file) => file.type === "chunk");
}

// ---- declarations ----

/** @param {string} out */
function declarations(out) {
  const args = ["node_modules/typescript/bin/tsc", "--project", "tsconfig.build.json", "--outDir", out];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new SetupError("build: the sources do not type-check, see above.");
  for (const path of declarationFiles(out)) {
    const text = readFileSync(path, "utf8");
    const rewritten = text.replace(/(from|import\()(\s*)"(\.[^"]*)"/g, (_, keyword, space, specifier) => {
      return `${keyword}${space}"${runtimeSpecifier(dirname(path), specifier)}"`;
    });
    if (rewritten !== text) writeFileSync(path, rewritten);
  }
}

/**
 * Relative imports in declarations must name a .js file, or Node's resolution does not find the types.
 *
 * @param {string} folder of the importing file
 * @param {string} specifier as written in the source: with .ts, .js or nothing
 */
function runtimeSpecifier(folder, specifier) {
  const stem = specifier.replace(/\.[jt]s$/, "");
  if (existsSync(join(folder, `${stem}.d.ts`))) return `${stem}.js`;
  if (existsSync(join(folder, stem, "index.d.ts"))) return `${stem.replace(/\/$/, "")}/index.js`;
  throw new SetupError(`build: ${folder} imports "${specifier}", which has no declaration.`);
}

/** @param {string} out */
function declarationFiles(out) {
  return readdirSync(out, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".d.ts"))
    .map((name) => join(out, name));
}

// ---- sizes ----

/**
 * The chunks as a page would load them: minified.
 *
 * @param {Chunk[]} chunks
 */
async function minifiedChunks(chunks) {
  const { minify } = await import("vite");
  /** @type {Map<string, Chunk & { byteLength: number }>} */
  const minified = new Map();
  for (const chunk of chunks) {
    const { code } = await minify(chunk.fileName, chunk.code);
    minified.set(chunk.fileName, { ...chunk, byteLength: gzipSync(code, { level: 9 }).byteLength });
  }
  return minified;
}

/**
 * One line per entry: what it alone would load, itself and all chunks it imports, in gzip KiB; and that with what it
 * imports once it is used (a device's backend).
 *
 * @param {Map<string, Chunk & { byteLength: number }>} chunks
 */
function printSizes(chunks) {
  const kib = (/** @type {Iterable<string>} */ names) => {
    const bytes = [...names].reduce((sum, name) => sum + (chunks.get(name)?.byteLength ?? 0), 0);
    return `${(bytes / 1024).toFixed(1).padStart(8)} KiB`;
  };
  console.log("minified and gzipped:   at first   with the backends");
  for (const entry of entries) {
    const subpath = `flywheel/${entry}`.replace(/\/index$/, "");
    const file = `${entry}.js`;
    const [first, all] = [reachable(file, chunks, false), reachable(file, chunks, true)];
    console.log(`  ${subpath.padEnd(18)}${kib(first)}${kib(all)}`);
  }
  console.log(`  ${"total".padEnd(30)}${kib(chunks.keys())}`);
}

/**
 * @param {string} from
 * @param {Map<string, Chunk & { byteLength: number }>} chunks
 * @param {boolean} later whether what is imported only when used counts too
 */
function reachable(from, chunks, later) {
  const seen = new Set([from]);
  for (const name of seen) {
    const { imports = [], dynamicImports = [] } = chunks.get(name) ?? {};
    for (const next of later ? [...imports, ...dynamicImports] : imports) seen.add(next);
  }
  return seen;
}
