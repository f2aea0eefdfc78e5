/**
 * One page measures one row of one library. What drives it (a script, or a page around it) calls `peerPage`: open, first,
 * sample ..., verify. Opened by hand, as `?library=flywheel&work=sum`, it does so itself and shows what it measured.
 */

import { median } from "../statistics";
import { countsSince, type GpuCounts, GpuWatch } from "./gpuCounts";
import { OPEN } from "./libraries";
import { type MakeTask, type Outputs, type Task, Unsupported } from "./library";
import type { Limit } from "./limit";
import type { LibraryName } from "./names";
import { complaintAfter, complaintOf, runsToCheck } from "./work";
import { type AnyWork, WORKS } from "./works";

/** What one run takes: means over those that were timed together. */
export interface Sample {
  /** Until the device was done. */
  readonly timeMs: number;
  /** Until the library's calls returned: the median of those that were timed together. */
  readonly hostMs: number;
  /** `peakBytes` since the row's inputs were there. */
  readonly counts: GpuCounts;
}

/** What a row opens with: null, or why there is nothing to measure. */
export interface Opened {
  readonly version: string;
  readonly adapter: string;
  readonly unsupported: string | null;
}

/** The runs that are checked, each until its result is on the host: how long the first and the last took, what is wrong. */
export interface First {
  readonly timeMs: number;
  readonly lastMs: number;
  readonly wrong: string | null;
}

const watch = new GpuWatch(); // before any library opens a device

/** What is driven. */
export class PeerPage {
  private task: Task | undefined;
  private work: AnyWork | undefined;

  /** Loads the library, opens its device and brings the inputs there: of a row, or of the work that stands in for it. */
  async open(library: LibraryName, workName: string, asStandIn = false): Promise<Opened> {
    const row = WORKS.find(({ name }) => name === workName);
    const work = asStandIn ? row?.standIn : row;
    if (!work) throw new Error(`there is no row ${workName}.`);
    const { version, tasks } = await OPEN[library]();
    const make = tasks[work.kind] as MakeTask<typeof work.kind> | string;
    const opened = { version, adapter: await adapterName() };
    if (typeof make === "string") return { ...opened, unsupported: make };
    try {
      this.task = await (make as (inputs: unknown) => Promise<Task>)(work.inputs());
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      return { ...opened, unsupported: error.message };
    }
    this.work = work;
    await settle(this.task);
    watch.resetPeak();
    return { ...opened, unsupported: null };
  }

  async first(): Promise<First> {
    const { task, work } = this.opened();
    const reads: Outputs[] = [];
    const timesMs: number[] = [];
    while (reads.length < runsToCheck(work)) {
      const startMs = performance.now();
      await task.run();
      reads.push(await task.read());
      timesMs.push(performance.now() - startMs);
    }
    const state = (await task.state?.()) ?? null;
    checkErrors();
    const wrong = complaintOf(work, { reads, state });
    return { timeMs: timesMs[0]!, lastMs: timesMs.at(-1)!, wrong };
  }

  /** Runs, and waits until all is done. */
  async sample(times: number): Promise<Sample> {
    const { task } = this.opened();
    const before = { ...watch.counts };
    const startMs = performance.now();
    const hostMs = median(await runTimes(task, times));
    await settle(task);
    const timeMs = performance.now() - startMs;
    return perRun({ timeMs, hostMs, counts: countsSince(before, watch.counts) }, times);
  }

  /**
   * Counts runs after another one. What a step leaves to the next one, such as an update, counts as that one's: so of steps, the
   * first is not waited for, nor the last one's rest counted.
   */
  async count(times: number): Promise<Sample> {
    const { task } = this.opened();
    if (!task.state) return this.sample(times + 1);
    const startMs = performance.now();
    await runTimes(task, 1);
    const before = { ...watch.counts };
    const hostMs = median(await runTimes(task, times));
    const counts = countsSince(before, watch.counts);
    await settle(task);
    const all = { timeMs: performance.now() - startMs, hostMs, counts };
    return { ...perRun(all, times + 1), counts: perRun(all, times).counts };
  }

  /**
   * Milliseconds until the calls of a run returned, the median; each waits for the one before, so that nothing competes for the
   * core. Ends all counting.
   */
  async script(times: number): Promise<number> {
    const { task } = this.opened();
    watch.stop();
    const hostMs: number[] = [];
    for (let run = 0; run < times; run++) {
      hostMs.push(...(await runTimes(task, 1)));
      await watch.idle();
    }
    return median(hostMs);
  }

  /** What is wrong with what the last timed run gave. */
  async verify(): Promise<string | null> {
    const { task, work } = this.opened();
    const read = await task.read();
    checkErrors();
    return complaintAfter(work, read);
  }

  private opened(): { task: Task; work: AnyWork } {
    const { task, work } = this;
    if (!task || !work) throw new Error("open() must come first.");
    return { task, work };
  }
}

/** Milliseconds until each of the calls had returned. */
async function runTimes(task: Task, times: number): Promise<number[]> {
  const hostMs: number[] = [];
  for (let run = 0; run < times; run++) {
    const startMs = performance.now();
    const running = task.run();
    hostMs.push(performance.now() - startMs);
    await running;
  }
  return hostMs;
}

/** Waits for everything; what went wrong on the device is an error. */
async function settle(task: Task): Promise<void> {
  await task.finish();
  await watch.idle();
  checkErrors();
}

function perRun({ timeMs, hostMs, counts }: Sample, times: number): Sample {
  const { bytesAlive, peakBytes, ...totals } = counts;
  const means = Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / times]));
  return { timeMs: timeMs / times, hostMs, counts: { ...counts, ...means, bytesAlive, peakBytes } };
}

function checkErrors(): void {
  if (watch.errors.length > 0) throw new Error(watch.errors.join("; "));
}

/** The adapter's limit, measured in turns with the libraries, in a page of its own. */
export class LimitPage {
  private limit: Limit | undefined;

  async open(): Promise<{ flops: number }> {
    const { openLimit } = await import("./limit");
    this.limit = await openLimit();
    return { flops: this.limit.flops };
  }

  /** Milliseconds of one run. */
  async sample(): Promise<number> {
    return this.limit!.run();
  }
}

async function adapterName(): Promise<string> {
  const info = (await navigator.gpu.requestAdapter())?.info;
  return [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean).join(" / ") || "unknown";
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

declare global {
  var peerPage: PeerPage;
  var limitPage: LimitPage;
}

globalThis.peerPage = new PeerPage();
globalThis.limitPage = new LimitPage();

// ---- by hand ----

const BY_HAND_SAMPLES = 5;

async function byHand(library: LibraryName, work: string): Promise<string> {
  const { peerPage: page } = globalThis;
  const opened = await page.open(library, work);
  if (opened.unsupported) return `${library}, ${work}: ${opened.unsupported}`;
  const first = await page.first();
  const samples: Sample[] = [];
  for (let round = 0; round < BY_HAND_SAMPLES; round++) samples.push(await page.sample(1));
  return JSON.stringify({ library, work, ...opened, first, samples, wrongAfter: await page.verify() }, null, 2);
}

const options = new URLSearchParams(location.search);
const [library, work] = [options.get("library"), options.get("work")];
if (library && work) {
  byHand(library as LibraryName, work).then(show, (error: unknown) => show(messageOf(error)));
}

function show(text: string): void {
  document.body.append(Object.assign(document.createElement("pre"), { textContent: text }));
}
