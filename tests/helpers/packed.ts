/** The package as a user gets it: built, packed, and installed from the tarball into an empty project. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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
  /** What `npm run build` printed. */
  readonly buildOutput: string;
  /** A project whose only dependency is the tarball. */
  readonly consumer: string;
  /** The package in it. */
  readonly installed: string;
  readonly remove: () => void;
}

/** What lies in a repository and not in a package. */
const DECOYS = [
  "demo/public/data/images.gz",
  "demo/index.html",
  "shaders/matmul.wgsl",
  "src/index.ts",
  "tests/a.test.ts",
];

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
  const staged = join(folder, "staged");
  const consumer = join(folder, "consumer");
  const buildOutput = run(process.execPath, ["scripts/build.mjs", "--out", join(staged, "dist")], root);
  for (const file of ["package.json", "README.md", "CHANGELOG.md", "LICENSE"])
    cpSync(join(root, file), join(staged, file));
  for (const decoy of DECOYS) writeFile(join(staged, decoy), "");
  run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], staged);
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
