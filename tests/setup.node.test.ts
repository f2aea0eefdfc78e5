/** What the scripts and the packages need of a machine. */

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { ensureDependencies, ensureNode, root, SetupError } from "../scripts/setup.mjs";

const folder = mkdtempSync(join(tmpdir(), "flywheel-setup-"));
afterAll(() => rmSync(folder, { recursive: true }));

const text = (path: string): string => readFileSync(join(root, path), "utf8");
const enginesOf = (path: string): unknown => (JSON.parse(text(path)) as { engines: unknown }).engines;

describe("the version of Node", () => {
  test("is that of the strictest package, in package.json as in the lock file", () => {
    expect(enginesOf("package.json")).toEqual(enginesOf("node_modules/vite/package.json"));
    const { packages } = JSON.parse(text("package-lock.json")) as { packages: Record<string, { engines: unknown }> };
    expect(packages[""]!.engines).toEqual(enginesOf("package.json"));
    expect(enginesOf("package.json")).toEqual({ node: "^20.19.0 || >=22.12.0" }); // what ensureNode knows
  });

  test.each(["20.19.0", "20.20.2", "22.12.0", "22.22.1", "23.0.0", "24.1.0", "100.0.0"])("may be %s", (version) => {
    expect(() => ensureNode(version)).not.toThrow();
  });

  test.each(["16.20.0", "18.20.8", "20.0.0", "20.18.3", "21.7.3", "22.11.0"])("may not be %s", (version) => {
    expect(() => ensureNode(version)).toThrow(SetupError);
  });

  test.each(["start", "test", "bench", "peers", "build", "bar", "explain", "fuzz", "plant", "supported", "verify"])(
    "is what npm run %s checks first",
    (name) => {
      const old = join(folder, "old.mjs");
      writeFileSync(
        old,
        `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.19.0" } });`,
      );
      const args = ["--import", pathToFileURL(old).href, join(root, "scripts", `${name}.mjs`), "--help"];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
      expect({ status, stdout, stderr }).toEqual({
        ...{ status: 2, stdout: "" },
        stderr: "Node must be 20.19 or newer, or 22.12 or newer, got 18.19.0: see https://nodejs.org.\n",
      });
    },
  );

  test("scripts use nothing of a newer one", () => {
    const scripts = readdirSync(join(root, "scripts")).filter((name) => name.endsWith(".mjs"));
    expect(scripts.filter((name) => /import\.meta\.(filename|dirname)/.test(text(`scripts/${name}`)))).toEqual([]);
  });
});

describe("npm packages", () => {
  /** A project that wants a package at a version, and one for another platform; `found` of it is installed. */
  function project(name: string, found: string | null): string {
    const place = join(folder, name);
    const modules = join(place, "node_modules");
    mkdirSync(place);
    const lock = (packages: object): string => JSON.stringify({ lockfileVersion: 3, packages });
    const wanted = {
      "": { name },
      "node_modules/a": { version: "1.2.3" },
      "node_modules/b": { version: "1.0.0", optional: true },
    };
    writeFileSync(join(place, "package-lock.json"), lock(wanted));
    mkdirSync(`${place}.modules`);
    if (found) writeFileSync(`${place}.modules/.package-lock.json`, lock({ "node_modules/a": { version: found } }));
    symlinkSync(`${place}.modules`, modules, "junction");
    return place;
  }

  test("that are there are left alone, whatever the dates of files", () => {
    expect(() => ensureDependencies(project("complete", "1.2.3"))).not.toThrow();
  });

  test.each([
    ["none", null],
    ["other", "1.2.2"],
  ])("behind a link are never replaced: %s", (name, found) => {
    expect(() => ensureDependencies(project(name, found))).toThrow(
      /is a link to a folder without the packages .* run npm ci there/,
    );
  });
});

test.each(["bar", "build", "fuzz", "plant", "supported", "test", "verify"])(
  "%s --help says what it is, and does nothing",
  (name) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`scripts/${name}.mjs`, "--help"], {
      cwd: root,
      encoding: "utf8",
      timeout: 10_000,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^npm (run )?${name}\\b.*: `));
  },
);

test("installing puppeteer downloads no browser", () => {
  const cache = join(folder, "cache");
  const { status, stderr } = spawnSync(process.execPath, ["install.mjs"], {
    cwd: join(root, "node_modules/puppeteer"),
    env: { ...process.env, PUPPETEER_CACHE_DIR: cache },
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(existsSync(cache)).toBe(false);
});
