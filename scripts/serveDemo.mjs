// @ts-check
/**
 * Serves the demo pages with vite: the four data files from any folder, and an address that the page reports to. Takes
 * what the page sends and hands it on; starts no browser. Imports vite, so npm packages must be there (setup.mjs).
 */
import { randomBytes } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build, createServer, preview } from "vite";
import { dataFile } from "./cli.mjs";
import { root } from "./setup.mjs";

/**
 * @typedef {import("../demo/session").SessionEvent} SessionEvent
 *
 * @typedef {object} DemoServer
 * @property {string} url Address of the page, without options.
 * @property {string} report Where the page must send its events; a secret, so that no other page can.
 * @property {() => Promise<void>} close
 */

/** Where the page looks for its data. */
const DATA_PATH = "/data/fashion-mnist/";

/**
 * @param {object} options
 * @param {string} options.data folder of the four data files
 * @param {(event: SessionEvent) => void} options.onEvent called in order
 * @param {Readonly<Record<string, string>>} [options.files] path by name of the files that the page may write
 * @param {string | null} [options.tuning] path of what tuning found, which the page may read and write
 * @param {string | null} [options.resume] path of a checkpoint that the page may read
 * @param {boolean} [options.built] default: the pages are built first, and open faster than their two hundred sources do; false: each
 *   source on its own, for tests that import some
 * @returns {Promise<DemoServer>}
 */
export async function serveDemo({ data, onEvent, files = {}, tuning = null, resume = null, built = true }) {
  const report = `/report-${randomBytes(16).toString("hex")}`;
  /** @param {{ middlewares: import("vite").Connect.Server }} server */
  const answer = ({ middlewares }) => {
    middlewares.use(DATA_PATH, (request, response) => sendData(data, request, response));
    middlewares.use(report, (request, response) => void receive(request, response, { onEvent, files, tuning, resume }));
  };
  const shared = {
    configFile: join(root, "vite.config.ts"),
    plugins: [{ name: "flywheel-start", configureServer: answer, configurePreviewServer: answer }],
  };
  const { resolvedUrls, close } = await (built ? servePages(shared) : serveSources(shared));
  const url = resolvedUrls?.local[0];
  if (!url) throw new Error("serveDemo: vite must listen on a local address, got none.");
  return { url, report, close };
}

/** @typedef {{ resolvedUrls: import("vite").ResolvedServerUrls | null, close: () => Promise<void> }} Served */

/**
 * @param {import("vite").InlineConfig} shared
 * @returns {Promise<Served>}
 */
async function serveSources(shared) {
  const server = await createServer({
    ...shared,
    logLevel: "warn",
    clearScreen: false,
    // A file that changes, or a dependency found late, must not reload a page that trains.
    server: { host: "127.0.0.1", hmr: false, watch: null },
    optimizeDeps: { include: ["uplot", "umap-js"] },
  });
  await server.listen();
  return { resolvedUrls: server.resolvedUrls, close: () => server.close() };
}

/**
 * @param {import("vite").InlineConfig} shared
 * @returns {Promise<Served>}
 */
async function servePages(shared) {
  const outDir = await mkdtemp(join(tmpdir(), "flywheel-pages-"));
  const wanted = { ...shared, logLevel: /** @type {const} */ ("error"), build: { outDir, sourcemap: true } };
  try {
    await build(wanted);
    const server = await preview({ ...wanted, preview: { host: "127.0.0.1" } });
    const close = async () => {
      await server.close();
      await rm(outDir, { recursive: true });
    };
    return { resolvedUrls: server.resolvedUrls, close };
  } catch (error) {
    await rm(outDir, { recursive: true });
    throw error;
  }
}

/**
 * One of the data files, compressed or not: the page tells by its first bytes.
 *
 * @param {string} folder
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
function sendData(folder, request, response) {
  const name = /^\/([\w-]+\.gz)$/.exec(request.url ?? "")?.[1];
  const path = name && dataFile(folder, name);
  if (!path) return void response.writeHead(404).end();
  response.setHeader("Content-Type", "application/octet-stream");
  response.setHeader("Content-Length", statSync(path).size); // the page tells how far it is
  createReadStream(path)
    .on("error", (error) => response.destroy(error))
    .pipe(response);
}

/**
 * What the page reports: `/events`, a JSON list, or `/files/<name>`, a file; `/tuning`, which it reads, too; and `/resume`, which it
 * only reads.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 * @param {{ onEvent: (event: SessionEvent) => void, files: Readonly<Record<string, string>>, tuning: string | null, resume: string | null }} options
 */
async function receive(request, response, { onEvent, files, tuning, resume }) {
  try {
    /** @type {Buffer[]} */
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const [, what, name = ""] = (request.url ?? "").split("/");
    const path = Object.hasOwn(files, name) ? files[name] : undefined;
    if (request.method === "POST" && what === "events") {
      for (const event of JSON.parse(body.toString())) onEvent(event);
    } else if (request.method === "POST" && what === "files" && path) {
      await replaceFile(path, body);
    } else if (request.method === "GET" && what === "resume" && resume) {
      return void response.writeHead(200).end(await readFile(resume));
    } else if (tuning && what === "tuning") {
      return void (await exchange(request, response, { path: tuning, body }));
    } else {
      return void response.writeHead(404).end();
    }
    response.writeHead(204).end();
  } catch (error) {
    if (!request.complete) return; // the page was closed meanwhile
    onEvent({
      type: "error",
      name: "Error",
      message: error instanceof Error ? error.message : String(error),
      isUsage: false,
    });
    response.writeHead(500).end();
  }
}

/**
 * Gives the file to the page, 204 if there is none, or writes it. That it cannot be written is no reason to end a training.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 * @param {{ path: string, body: Buffer }} file
 */
async function exchange(request, response, { path, body }) {
  try {
    if (request.method === "GET") {
      const text = await readFile(path).catch(() => null);
      return void response.writeHead(text === null ? 204 : 200).end(text);
    }
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, body);
    response.writeHead(204).end();
  } catch (error) {
    response.writeHead(500).end(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Writes a file whole or not at all: what is at `path` stays as it was until all of the new content is on the disk. Two writes at once
 * leave one of the two.
 *
 * @param {string} path
 * @param {string | Uint8Array} content
 */
export async function replaceFile(path, content) {
  const part = `${path}.${randomBytes(6).toString("hex")}.part`; // in the same folder: a rename is atomic within a file system only
  try {
    await writeDurably(part, content);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/**
 * @param {string} path of no file yet
 * @param {string | Uint8Array} content
 */
async function writeDurably(path, content) {
  const file = await open(path, "wx");
  try {
    await file.writeFile(content);
    await file.sync(); // a rename may reach the disk before the bytes do
  } finally {
    await file.close();
  }
}
