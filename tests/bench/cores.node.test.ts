/** Cores: how a command is held to some, and what other processes take. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allowedCores, heldTo, parseCores, watchOthers } from "../../scripts/cores.mjs";

const onLinux = existsSync("/proc/stat");

it("reads lists of cores as the kernel writes them", () => {
  expect(parseCores("0-2,5")).toEqual([0, 1, 2, 5]);
  expect(parseCores("7")).toEqual([7]);
  expect(parseCores("")).toEqual([]);
});

describe.runIf(onLinux)("on Linux", () => {
  it("holds a command to the last cores of ours, and to all by doing nothing", () => {
    const cores = allowedCores();
    expect(cores.length).toBeGreaterThan(0);
    expect(heldTo(cores.length)).toEqual([]);
    if (cores.length === 1) return;
    const [command, ...args] = heldTo(1);
    const { stdout } = spawnSync(command!, [...args, "grep", "Cpus_allowed_list", "/proc/self/status"], {
      encoding: "utf8",
    });
    expect(parseCores(stdout.trim().split(/\s+/)[1]!)).toEqual(cores.slice(-1));
  });

  it("counts what others do, and not what our own children do", () => {
    const burn = `const end = Date.now() + 700; while (Date.now() < end);`;
    const burning = `${process.execPath} -e '${burn}'`;
    const othersDuring = (command: string): number => {
      const used = watchOthers()!;
      spawnSync("sh", ["-c", command]);
      return used();
    };
    // Whoever else is busy meanwhile is so in both: the difference is ours. The stranger's parent has ended.
    const own = [1, 2, 3].map(() => othersDuring(burning));
    const stranger = [1, 2, 3].map(() => othersDuring(`(${burning} &) ; sleep 0.7`));
    expect(Math.max(...stranger) - Math.min(...own)).toBeGreaterThan(0.3);
  });
});
