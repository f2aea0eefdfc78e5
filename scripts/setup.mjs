// @ts-check
/**
 * Finds or installs what the other scripts need: npm packages, a browser, a Vulkan loader.
 * Only Node's built-ins here, so it runs on a fresh clone. Nothing is printed on stdout; progress goes to stderr.
 */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Something a person has to install; its message is one sentence that says what. */
export class SetupError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SetupError";
  }
}

/**
 * Checks the version of Node, before anything loads what an old one cannot: vite 8 needs these, and package.json's
 * `engines` says the same.
 *
 * @param {string} [version]
 */
export function ensureNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  throw new SetupError(`Node must be 20.19 or newer, or 22.12 or newer, got ${version}: see https://nodejs.org.`);
}

/**
 * Runs a script's main function, on a Node that is new enough; a SetupError becomes one line on stderr and exit code 2.
 *
 * @param {() => Promise<number | void>} main returns the exit code, default 0
 * @param {string} [helpOf] URL of a script whose first comment is its help: `--help` prints that, and nothing runs
 */
export async function runMain(main, helpOf) {
  try {
    ensureNode();
    if (helpOf && process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) {
      console.log(headOf(readFileSync(fileURLToPath(helpOf), "utf8")));
      return;
    }
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

/**
 * The first comment of a script, as plain text.
 *
 * @param {string} source
 */
export function headOf(source) {
  const comment = /\/\*\*\n([^]*?)\n \*\//.exec(source)?.[1] ?? "";
  return comment.replace(/^ \*( |$)/gm, "").replaceAll("`", "");
}

// ---- npm packages ----

/**
 * Runs `npm ci` when node_modules lacks a package that package-lock.json names, or has another version of it.
 *
 * @param {string} [folder] the project's
 */
export function ensureDependencies(folder = root) {
  if (hasDependencies(folder)) return;
  const modules = join(folder, "node_modules");
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new SetupError(
      `${modules} is a link to a folder without the packages of package-lock.json: run npm ci there.`,
    );
  }
  say("installing npm packages (npm ci)");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = run(npm, ["ci"], { cwd: folder, shell: process.platform === "win32" });
  if (status !== 0) throw new SetupError("npm ci failed: see its messages above, then run the command again.");
}

/**
 * Whether all packages are there; those that only another platform needs may be missing.
 *
 * @param {string} folder
 */
function hasDependencies(folder) {
  const installed = lockedPackages(join(folder, "node_modules/.package-lock.json"));
  return Object.entries(lockedPackages(join(folder, "package-lock.json"))).every(
    ([path, { version, optional, devOptional }]) => {
      if (path === "") return true; // the project itself
      return path in installed ? installed[path]?.version === version : optional === true || devOptional === true;
    },
  );
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>}
 */
function lockedPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : {};
}

// ---- the browser ----

const browserNames = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "microsoft-edge"];

/**
 * Path of an installed Chrome, Chromium or Edge, or null.
 * Order: $CHROME_PATH, $PUPPETEER_EXECUTABLE_PATH, PATH, the usual places, puppeteer's own cache.
 *
 * @returns {string | null}
 */
export function findBrowser() {
  for (const variable of ["CHROME_PATH", "PUPPETEER_EXECUTABLE_PATH"]) {
    const path = process.env[variable];
    if (!path) continue;
    if (isExecutable(path)) return path;
    throw new SetupError(`$${variable} is ${path}, which is not an executable file: correct it or unset it.`);
  }
  return findOnPath(browserNames) ?? usualPlaces().find(isExecutable) ?? newestPuppeteerChrome();
}

/**
 * findBrowser, and installs one if there is none: apt-get as root on Debian and Ubuntu, else puppeteer's download.
 *
 * @returns {string} path of the browser
 */
export function ensureBrowser() {
  const installers = [
    () => canApt() && aptInstall("chromium", "libvulkan1"),
    () => {
      say("installing Chrome (npx puppeteer browsers install chrome)");
      run("npx", ["puppeteer", "browsers", "install", "chrome"], { cwd: root, shell: process.platform === "win32" });
    },
  ];
  let browser = findBrowser();
  for (const install of installers) {
    if (browser) return browser;
    install();
    browser = findBrowser();
  }
  if (browser) return browser;
  throw new SetupError("No browser with WebGPU found: install Chrome, Chromium or Edge, or set CHROME_PATH to one.");
}

/**
 * Command-line flags that give a headless browser WebGPU and keep it off the network.
 *
 * @param {{ software?: boolean }} [options] software: SwiftShader, the default where no GPU is visible
 * @returns {string[]}
 */
export function chromeArgs({ software = !hasGpu() } = {}) {
  return [
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    ...(software ? ["--use-webgpu-adapter=swiftshader"] : ["--enable-features=Vulkan", "--ignore-gpu-blocklist"]),
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // A test that kills the GPU process gets a new device; by default the second crash would be the page's last.
    "--disable-gpu-process-crash-limit",
    "--disable-domain-blocking-for-3d-apis",
    // Tests and benches run in a page nobody looks at; it must keep its pace.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // A docker container's /dev/shm has 64 MiB, which a page with large buffers outgrows.
    "--disable-dev-shm-usage",
    ...(process.env["CHROME_ARGS"]?.split(/\s+/).filter(Boolean) ?? []),
  ];
}

/** True where a GPU with a driver seems to be present. FLYWHEEL_SOFTWARE=1 or =0 overrules. */
export function hasGpu() {
  const override = process.env["FLYWHEEL_SOFTWARE"];
  if (override) return override === "0";
  if (process.platform !== "linux") return true;
  return existsSync("/dev/nvidia0") || existsSync("/dev/dri/renderD128");
}

// ---- Vulkan, for Dawn in Node ----

/**
 * Makes Vulkan usable by Node's Dawn on Linux: installs the loader if it is missing and adds the browser's SwiftShader
 * to the drivers, after any real one. Must run before `webgpu` is imported. Elsewhere it does nothing.
 *
 * @returns {Record<string, string>} the variables it set, to pass to child processes
 */
export function ensureVulkan() {
  if (process.platform !== "linux") return {};
  if (!hasVulkanLoader()) {
    if (!canApt())
      throw new SetupError("No Vulkan loader found: install libvulkan1 (vulkan-loader on Fedora and Arch).");
    aptInstall("libvulkan1");
  }
  if (process.env["VK_ADD_DRIVER_FILES"]) return { VK_ADD_DRIVER_FILES: process.env["VK_ADD_DRIVER_FILES"] };
  const driver = findSwiftShader(ensureBrowser());
  if (!driver) {
    if (hasGpu()) return {};
    throw new SetupError("No software Vulkan driver found: install a Chromium that ships vk_swiftshader_icd.json.");
  }
  process.env["VK_ADD_DRIVER_FILES"] = driver;
  return { VK_ADD_DRIVER_FILES: driver };
}

/**
 * The Vulkan manifest of the SwiftShader that comes with a browser. Debian's chromium is a shell script in /usr/bin, so the
 * usual installation folders are tried as well.
 *
 * @param {string} browser
 * @returns {string | undefined}
 */
function findSwiftShader(browser) {
  const folders = [
    dirname(realpathSync(browser)),
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/usr/lib64/chromium-browser",
    "/opt/google/chrome",
    "/opt/microsoft/msedge",
  ];
  return folders.map((folder) => join(folder, "vk_swiftshader_icd.json")).find((path) => existsSync(path));
}

function hasVulkanLoader() {
  const folders = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", `/usr/lib/${gnuTriple()}`, "/usr/local/lib"];
  folders.push(...(process.env["LD_LIBRARY_PATH"]?.split(":") ?? []));
  return folders.some((folder) => existsSync(join(folder, "libvulkan.so.1")));
}

function gnuTriple() {
  return process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
}

// ---- helpers ----

/** @param {string[]} names */
function findOnPath(names) {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name + suffix)));
  return candidates.find(isExecutable);
}

function usualPlaces() {
  if (process.platform === "darwin") {
    return ["Google Chrome", "Chromium", "Microsoft Edge"].flatMap((app) =>
      ["/Applications", join(homedir(), "Applications")].map((folder) => `${folder}/${app}.app/Contents/MacOS/${app}`),
    );
  }
  if (process.platform === "win32") {
    const folders = [process.env["PROGRAMFILES"], process.env["PROGRAMFILES(X86)"], process.env["LOCALAPPDATA"]];
    const programs = ["Google\\Chrome\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe"];
    return programs.flatMap((program) => folders.filter((f) => f !== undefined).map((folder) => join(folder, program)));
  }
  return [
    "/opt/google/chrome/chrome",
    "/opt/microsoft/msedge/msedge",
    "/usr/lib/chromium/chromium",
    "/snap/bin/chromium",
  ];
}

/** @returns {string | null} */
function newestPuppeteerChrome() {
  const cache = join(process.env["PUPPETEER_CACHE_DIR"] ?? join(homedir(), ".cache", "puppeteer"), "chrome");
  if (!existsSync(cache)) return null;
  const builds = readdirSync(cache).sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  const files = [
    "chrome-linux64/chrome",
    "chrome-win64/chrome.exe",
    "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
  ];
  return builds.flatMap((build) => files.map((file) => join(cache, build, file))).find(isExecutable) ?? null;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function canApt() {
  return process.platform === "linux" && process.getuid?.() === 0 && Boolean(findOnPath(["apt-get"]));
}

/** @param {string[]} packages */
function aptInstall(...packages) {
  say(`installing ${packages.join(" and ")} (apt-get)`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env });
}

/**
 * Runs a command with its output, both streams, on our stderr.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} options
 */
function run(command, args, options) {
  return spawnSync(command, args, { ...options, stdio: ["ignore", process.stderr, process.stderr] });
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}
