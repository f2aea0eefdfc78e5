/** The package as a user gets it: packed from a clean checkout, and installed from the tarball into an empty project. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { root } from "../../scripts/setup.mjs";

/** What of package.json the tests look at. */
export interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly exports: Record<string, unknown>;
}

export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

/** `flywheel`, `flywheel/nn`, ... */
export const specifiers: readonly string[] = Object.keys(manifest.exports)
  .filter((subpath) => !subpath.endsWith(".json"))
  .map((subpath) => subpath.replace(".", "flywheel"));

export interface Packed {
  /** Everything below it is removed by `remove`. */
  readonly folder: string;
  readonly tarball: string;
  /** What the build printed. */
  readonly buildOutput: string;
  /** A project whose only dependency is the tarball. */
  readonly consumer: string;
  /** The package in it. */
  readonly installed: string;
  readonly remove: () => void;
}

/** What a fresh clone lacks. */
const NOT_CLONED = [".git", "node_modules", "dist", "coverage", "bench-results", "test-artifacts"];

/** npm as the project sets it up, whatever the user's own settings, or those of the npm that runs the tests. */
const PROJECT_NPM = { npm_config_userconfig: join(root, "no.npmrc"), npm_config_ignore_scripts: "" };

/** Packs a clean checkout as `npm publish` would, and installs the tarball. */
export function packAndInstall(): Packed {
  const folder = mkdtempSync(join(tmpdir(), "flywheel-package-"));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { ...packInto(folder), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function packInto(folder: string): Omit<Packed, "remove"> {
  const checkout = join(folder, "checkout");
  const consumer = join(folder, "consumer");
  cloneInto(checkout);
  const buildOutput = run("npm", ["pack", "--silent", "--pack-destination", folder], checkout, PROJECT_NPM);
  const tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz"))!,
  );
  writeFile(join(consumer, "package.json"), `{ "name": "consumer", "private": true, "type": "module" }`);
  run("npm", ["install", "--silent", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", tarball], consumer);
  return {
    folder,
    tarball,
    buildOutput,
    consumer,
    installed: join(consumer, "node_modules/flywheel"),
  };
}

/** The working tree as a fresh clone would be, with the packages that are here. */
function cloneInto(folder: string): void {
  const stays = (path: string): boolean => !NOT_CLONED.includes(relative(root, path)) && !path.endsWith(".tgz");
  cpSync(root, folder, { recursive: true, filter: stays });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
}

/** Gives the project a package that the repository has. */
export function link(consumer: string, name: string): void {
  symlinkSync(join(root, "node_modules", name), join(consumer, "node_modules", name), "junction");
}

export function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Runs a command; returns what it printed, or throws with it. */
export function run(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}): string {
  try {
    return execFileSync(command, args, {
      cwd,
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
