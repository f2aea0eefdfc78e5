/**
 * `compile`: a function whose calls are recorded and then replayed. The first calls run the function as it is; once two of
 * them have done the same, later ones repeat it without building a graph: one submit, and nothing new on the device.
 */

import {
  Arguments,
  resultOf,
  sameTemplate,
  StandIn,
  type Template,
  TemplateMaker,
  tensorsIn,
} from "./compiledArguments";
import { defaultDevice, type Device } from "./device";
import { autocastEnabled } from "./graph/autocastMode";
import { changeCount } from "./graph/configuration";
import { gradEnabled } from "./graph/gradMode";
import { checkIsFunction, checkOptionNames, isPromise } from "./options";
import type { Engine } from "./runtime/engine";
import { record, recordingAround } from "./runtime/recorder";
import { Recording } from "./runtime/recording";
import { Replay } from "./runtime/replay";
import { Snapshot } from "./runtime/watched";
import { Tensor } from "./tensor";

/** Options of `compile`. */
export interface CompileOptions {
  /** Hears, once, why the function runs as it is from now on; default: a warning on the console. */
  readonly onFallback?: (reason: string) => void;
}

/** What a compiled function does. */
export interface CompileStatus {
  /** What the last call did. */
  readonly state: "recording" | "replaying" | "eager";
  /** Why it runs as it is, or why the last call was not replayed; null where there is nothing to say. */
  readonly reason: string | null;
  /** Calls that ran the function so far, and calls that were replayed. */
  readonly recorded: number;
  readonly replayed: number;
}

/** What `compile` gives: the function, and what it does. */
export interface Compiled<Args extends readonly unknown[], Result> {
  (...args: Args): Result;
  readonly status: CompileStatus;
  /** Forgets what was recorded, for when something changed that the function reads and nobody can see. */
  reset(): void;
}

/** Calls in a row that are recorded without one that could be replayed; then the function runs as it is. */
const MAX_RECORDED = 16;
/** Replays of one kind: calls may differ in what they find, in which parameters have gradients say. */
const MAX_REPLAYS = 4;
/** Recordings of calls alike that wait for a second one of their kind. */
const MAX_WAITING = 4;
/** Kinds of calls that are remembered; the oldest is forgotten. */
const MAX_KINDS = 32;

/** A recording, and how its result is made. */
interface Recorded {
  readonly recording: Recording;
  readonly template: Template;
  readonly maker: TemplateMaker;
}

/** Calls with the same kind of arguments, in the same state of things. */
interface Kind {
  readonly waiting: Recorded[];
  readonly replays: { readonly replay: Replay; readonly template: Template }[];
}

/** One call, once it is known where it runs. */
interface Call {
  readonly args: Arguments;
  readonly device: Device;
}

class CompiledFunction {
  private readonly kinds = new Map<string, Kind>();
  /** What all that is remembered was recorded with. */
  private snapshot: Snapshot | null = null;
  private changes = 0;
  private isGivenUp = false;
  private isProven = false;
  private inARow = 0;
  private state: CompileStatus["state"] = "recording";
  private reason: string | null = null;
  private recorded = 0;
  private replayed = 0;

  constructor(
    private readonly fn: (...args: unknown[]) => unknown,
    private readonly onFallback: (reason: string) => void,
  ) {}

  get status(): CompileStatus {
    const { state, reason, recorded, replayed } = this;
    return { state, reason, recorded, replayed };
  }

  reset(): void {
    this.forget();
    this.isGivenUp = this.isProven = false;
    this.inARow = 0;
    this.state = "recording";
    this.reason = null;
  }

  private forget(): void {
    this.kinds.clear();
    this.snapshot = null;
  }

  call(values: readonly unknown[]): unknown {
    if (recordingAround()) return this.fn(...values); // a part of the function that is being recorded
    if (this.isGivenUp) return this.eager(values, this.reason);
    const args = new Arguments(values);
    const device = this.deviceOf(args);
    if (!device) {
      this.giveUp("is given tensors of several devices");
      return this.eager(values, this.reason);
    }
    const { engine } = device.check("compile");
    if (engine.isDebugged) return this.eager(values, "is looked at by detectAnomaly or on a device with debug");
    if (args.reason !== null) return this.notRecorded(values, args.reason);
    engine.realize(args.nodes.filter((node) => !node.hasValue));
    engine.beginCall();
    this.forgetIfChanged();
    const kind = this.kindOf(`${args.key}|${engine.pendingIdentity}|${device.name}|${modes()}`);
    const found = kind.replays.find(({ replay }) => replay.holds());
    return found ? this.replay(found, { args, device }) : this.record(kind, { args, device });
  }

  /** Where all tensors are, or the default device; null for several. */
  private deviceOf({ tensors }: Arguments): Device | null {
    const device = tensors[0]?.device ?? defaultDevice();
    return tensors.every((tensor) => tensor.device === device) ? device : null;
  }

  private eager(values: readonly unknown[], reason: string | null): unknown {
    this.settleFor(reason);
    this.recorded++;
    return this.fn(...values);
  }

  private settleFor(reason: string | null): void {
    this.state = "eager";
    this.reason = reason;
  }

  private notRecorded(values: readonly unknown[], reason: string): unknown {
    this.count(reason);
    return this.eager(values, reason);
  }

  /** What is recorded holds while modules and the like are as they were. */
  private forgetIfChanged(): void {
    if (!this.snapshot) return;
    const changed = this.snapshot.changed();
    if (changed !== null) this.reason = `finds other fields in ${changed}`;
    else if (this.changes !== changeCount()) this.reason = "finds other parameters trained, or other hooks";
    else return;
    this.forget();
  }

  private kindOf(key: string): Kind {
    let kind = this.kinds.get(key);
    if (!kind) {
      this.kinds.set(key, (kind = { waiting: [], replays: [] }));
      if (this.kinds.size > MAX_KINDS) this.kinds.delete(this.kinds.keys().next().value!);
    }
    return kind;
  }

  private replay({ replay, template }: Kind["replays"][number], { args, device }: Call): unknown {
    const nodes = replay.run(args.nodes);
    this.state = "replaying";
    this.reason = null;
    this.replayed++;
    this.inARow = 0;
    return resultOf(template, {
      args: args.tensors,
      result: (index) => new Tensor(nodes[index]!, device),
      state: (variable) => new Tensor(variable.node, device),
    });
  }

  private record(kind: Kind, call: Call): unknown {
    const { engine } = call.device;
    const snapshot = new Snapshot("fixed");
    const changes = changeCount();
    engine.realize(call.args.nodes);
    const standIns = call.args.tensors.map((tensor) => new StandIn(tensor));
    const recording = new Recording(engine, new Map(standIns.map(({ node }, index) => [node, index])));
    this.state = "recording";
    this.recorded++;
    const result = this.run(recording, call, standIns);
    if (isPromise(result)) {
      this.giveUp("is async: it must not wait for anything");
      return result;
    }
    const maker = new TemplateMaker(recording);
    const template = maker.of(result);
    if (recording.reason !== null) engine.beginCall(); // what it keeps elsewhere may be read
    const originals = standIns.map((standIn) => standIn.end());
    engine.forgetCall(recording.firstNodeId);
    if (snapshot.changed() !== null) recording.refuse(`changes fields of ${snapshot.changed()}`);
    if (changes !== changeCount()) recording.refuse("changes what is trained, hooks, or where state is");
    if (this.snapshot === null) {
      this.snapshot = snapshot;
      this.changes = changes;
    }
    if (this.isProven && !engine.canReplay) this.settleFor("is on the CPU, which computes at once");
    else this.take(kind, { recording, template, maker }, engine);
    return withOriginals(result, new Map(standIns.map((standIn, index) => [standIn, originals[index]!])));
  }

  /** Runs the function, and what it returns and has written. */
  private run(recording: Recording, { args, device }: Call, standIns: readonly StandIn[]): unknown {
    const { engine } = device;
    try {
      return record(recording, () => {
        const result = this.fn(...args.with(standIns));
        if (!isPromise(result)) engine.endCall(tensorsIn(result).map(({ node }) => node));
        return result;
      });
    } catch (error) {
      finishQuietly(engine); // what was written before it threw stays written
      engine.forgetCall(recording.firstNodeId);
      for (const standIn of standIns) standIn.end();
      throw error;
    }
  }

  /** Keeps a recording until there is a second one like it, and then what replays both. */
  private take(kind: Kind, recorded: Recorded, engine: Engine): void {
    const { recording, template, maker } = recorded;
    if (recording.reason !== null) {
      if (recording.isFinal) this.giveUp(recording.reason);
      else this.count(recording.reason);
      return;
    }
    let difference: string | null = null;
    for (const other of kind.waiting) {
      difference = differenceOf(recorded, other);
      if (difference !== null) continue;
      kind.waiting.length = 0;
      this.isProven = true;
      this.reason = null;
      if (engine.canReplay) kind.replays.push({ replay: new Replay(engine, recording, maker.places), template });
      if (kind.replays.length > MAX_REPLAYS) kind.replays.shift();
      return;
    }
    kind.waiting.push(recorded);
    if (kind.waiting.length > MAX_WAITING) kind.waiting.shift();
    this.count(difference);
  }

  /** Notes a call that brought no replay nearer. */
  private count(reason: string | null): void {
    if (reason !== null) this.reason = reason;
    if (++this.inARow >= MAX_RECORDED) this.giveUp(this.reason ?? "is called in another way every time");
  }

  private giveUp(reason: string): void {
    this.forget();
    this.isGivenUp = true;
    this.settleFor(reason);
    this.onFallback(reason);
  }
}

/** What else decides what a call means. */
const modes = (): string => `${gradEnabled()} ${autocastEnabled()} ${defaultDeviceName()}`;

function defaultDeviceName(): string {
  return defaultDevice().name;
}

const differenceOf = (now: Recorded, before: Recorded): string | null =>
  now.recording.differenceFrom(before.recording) ??
  (sameTemplate(now.template, before.template) ? null : "returns other things");

function finishQuietly(engine: Engine): void {
  try {
    engine.flush();
  } catch {
    // the error that brought us here matters more
  }
}

/** A result with the caller's own tensors where it has arguments. */
function withOriginals(result: unknown, originals: ReadonlyMap<unknown, Tensor>): unknown {
  if (result instanceof Tensor) return originals.get(result) ?? result;
  if (Array.isArray(result)) return result.map((item: unknown) => withOriginals(item, originals));
  if (typeof result !== "object" || result === null) return result;
  return Object.fromEntries(Object.entries(result).map(([name, item]) => [name, withOriginals(item, originals)]));
}

/* eslint-disable no-console -- a function that is not compiled is slower by far, and the user should know why */
const warn = (reason: string): void => {
  console.warn(`compile: the function runs as it is at every call, since it ${reason}.`);
};
/* eslint-enable no-console */

/** What a compiled function may return: a tensor, nothing, or lists and plain objects of these, in any depth. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- functions without a result
export type CompiledResult = object | null | undefined | void;

/**
 * A function that does the same as `fn`, faster: its first calls run `fn` and record what it does; once two calls have done the
 * same, later ones repeat it without building a graph, in one submit for a training step, and create nothing on the device. Losses,
 * weights, statistics, counts and random numbers are bit for bit those of `fn`.
 *
 * - What changes from call to call are the arguments, which are tensors, or lists and plain objects with tensors in them. Calls with
 *   other shapes, dtypes or devices, or with other values of what is no tensor, are recorded on their own. Arguments that are still
 *   to be computed are computed first.
 * - State is read and written as ever: parameters, buffers, optimizers, schedules, generators, a `Counter`'s `update`. Between calls all of
 *   it can be read, saved, loaded and trained otherwise.
 * - A number that `fn` computes with must be the same at every call, and so must tensors that it takes from outside. One that differs between
 *   the calls that are recorded is a CompileError. Later changes are seen in modules (`eval()`, a field), in what is trained, in options of
 *   optimizers; in variables of your own they are not: pass such values as arguments, or call `reset()`.
 * - What `fn` does beside tensors and state is not repeated. What it does not return is gone. On a GPU the host does not know the values of
 *   arguments, whatever they were made of: indices are not checked, and a mask gives no shape.
 * - A function that reads values on the way, or is async, cannot be replayed, and says so once. On the CPU it runs as it is.
 *
 * @param fn returns a tensor, nothing, or a list or plain object of them; scalars among them can be read for as long as losses can
 * @param options.onFallback hears why the function runs as it is from now on; default: a warning on the console
 * @returns the function. Its `status` tells what the last call did, and `reset()` forgets what was recorded
 * @throws what `fn` throws. An error in the middle of a replay (a schedule past its end) drops what the call has not computed by then
 * @throws CompileError, when called, for numbers or tensors that would be baked in, and for results that are no tensors
 * @see jax.jit, torch.compile, torch.cuda.CUDAGraph
 *
 * @example
 * const step = compile((imQ: Tensor, imK: Tensor) => {
 *   const { loss } = model.forward(imQ, imK);
 *   optimizer.zeroGrad();
 *   loss.backward();
 *   optimizer.step();
 *   return loss;
 * });
 * for (const [imQ, imK] of batches) console.log(await step(imQ, imK).item());
 */
export function compile<Args extends readonly unknown[], Result extends CompiledResult>(
  fn: (...args: Args) => Result,
  options: CompileOptions = {},
): Compiled<Args, Result> {
  checkIsFunction("compile", "what is compiled", fn);
  checkOptionNames("compile", options, ["onFallback"]);
  const compiled = new CompiledFunction(fn as unknown as (...args: unknown[]) => unknown, options.onFallback ?? warn);
  const call = (...args: Args): Result => compiled.call(args) as Result;
  Object.defineProperty(call, "status", { get: () => compiled.status });
  return Object.assign(call as Compiled<Args, Result>, {
    reset() {
      compiled.reset();
    },
  });
}
