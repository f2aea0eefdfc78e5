// @ts-check
/**
 * Cores of this machine: holding a command to some of them, and how much of them other processes use. On Linux only;
 * elsewhere nothing is held and nothing is known.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Ticks a second of all times in /proc. */
const TICKS = 100;

/**
 * A command that runs another one on the last `count` of the cores that this process may use.
 *
 * @param {number} count
 * @returns {string[]} to be put before the command; empty where that is all cores, or cannot be done
 */
export function heldTo(count) {
  const allowed = allowedCores();
  if (count >= allowed.length || spawnSync("taskset", ["--version"]).status !== 0) return [];
  return ["taskset", "--cpu-list", allowed.slice(-count).join(",")];
}

/** @returns {number[]} empty where it is not known */
export function allowedCores() {
  if (!existsSync("/proc/self/status")) return [];
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return parseCores(list);
}

/**
 * @param {string} list as the kernel writes it
 * @returns {number[]}
 *
 * @example
 * parseCores("0-2,5"); // [0, 1, 2, 5]
 */
export function parseCores(list) {
  return list
    .split(",")
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/**
 * Watches processes that are not this one or its descendants. Time that a host took from this machine counts as theirs.
 *
 * @returns {(() => number) | undefined} gives the cores they have used since, on average; undefined where that is not known
 */
export function watchOthers() {
  if (!existsSync("/proc/stat")) return undefined;
  const start = { ms: performance.now(), busy: busyTicks(), own: ownTicks() };
  return () => {
    const others = busyTicks() - start.busy - (ownTicks() - start.own);
    return Math.max(0, others / TICKS / ((performance.now() - start.ms) / 1000));
  };
}

/** What all cores have done since the machine started. */
function busyTicks() {
  const [, ...fields] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").trim().split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = fields.map(Number);
  return user + nice + system + irq + softIrq + stolen;
}

/** What this process and its descendants have done, those that ended included. */
function ownTicks() {
  const processes = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? readProcess(Number(name)) : []));
  const tree = new Set([process.pid]);
  for (let size = 0; size < tree.size;) {
    size = tree.size;
    for (const { pid, parent } of processes) if (tree.has(parent)) tree.add(pid);
  }
  return processes.reduce((sum, { pid, ticks }) => (tree.has(pid) ? sum + ticks : sum), 0);
}

/**
 * @param {number} pid
 * @returns {{ pid: number, parent: number, ticks: number }[]} empty if it has ended meanwhile
 */
function readProcess(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Fields from the third on; the second, the name, may hold spaces and brackets.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0); // own and of children that ended
    return [{ pid, parent: Number(fields[1]), ticks }];
  } catch {
    return [];
  }
}

/** @returns {string} */
export function processorName() {
  if (!existsSync("/proc/cpuinfo")) return process.arch;
  return /^model name\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? process.arch;
}
