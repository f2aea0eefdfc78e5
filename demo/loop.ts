/**
 * The loop around the training: steps, evaluations and pauses in turn, and events that tell of them. It reads the loss of
 * a step while the device works on the next one, so neither waits for the other.
 */

import { type Device, ValueError } from "flywheel";
import { profile, sumByKernel } from "flywheel/dev";
import { type Gate, nextTask } from "./gate";
import { Meter, type PerStep } from "./meter";
import { following } from "./progress";
import type { Request, TrainingEvent } from "./protocol";
import type { Evaluation, Step, Training, TrainingOptions } from "./training";
import { loadTuning, resumedTuning, type Tuning, tuneFirstStep } from "./tuning";
import type { TuningStore } from "./tuningStore";

/** What `train` measured; accuracies are fractions of 1. */
export interface Measurements extends PerStep {
  readonly steps: number;
  readonly seed: number;
  /** Mean over the last steps. */
  readonly loss: number;
  /** Mean over the last steps. */
  readonly contrastAccuracy: number;
  /** Null if not evaluated. */
  readonly knnBefore: number | null;
  readonly knnAfter: number | null;
  /** Of a linear classifier on the features, trained on all training images; null if that was not asked for. */
  readonly linearProbe: number | null;
  /** The first step compiles kernels: it does not count among the others. */
  readonly firstStepSeconds: number;
  readonly stepsPerSecond: number;
  /** What became of tuning; null if that was not asked for. */
  readonly tuning: Tuning | null;
}

export interface RunResult extends Measurements {
  readonly adapter: string;
  readonly device: "webgpu" | "cpu";
}

/** Steps that the reported loss and contrast accuracy are means of. */
const LAST_STEPS = 20;

/** Shortest time between two tellings of the queue and the device. */
const TELL_MS = 500;

/** A step under way, and its learning rate. */
interface QueuedStep extends Step {
  readonly lr: number;
}

/** Images whose views are shown. */
const VIEWS = 12;

export interface LoopOptions {
  readonly device: Device;
  readonly training: Training;
  /** Images to train on. */
  readonly trainCount: number;
  readonly options: TrainingOptions;
  /** Whether the features are wanted at the end. */
  readonly wantsFeatures: boolean;
  /** Whether a linear probe on all training images is wanted at the end. */
  readonly wantsProbe: boolean;
  /** Holds the training while it is closed. */
  readonly gate: Gate;
  /** What the page asks for. */
  readonly requests: Requests;
  /** A checkpoint to go on from; null: from the start. */
  readonly resume: Blob | null;
  /** Whether each evaluation makes a checkpoint. */
  readonly checkpoints: boolean;
  /** Whether to tell of the queue and the device while training. */
  readonly watch: boolean;
  /** What tuning found is kept there; null for a run that is not to be tuned. One that goes on keeps its kernels all the same. */
  readonly store: TuningStore | null;
  /** Hears how it goes. */
  readonly emit: (event: TrainingEvent) => void;
}

/** Who asks for something, and the loop that answers between two steps, or at once where it does not step. */
export class Requests {
  readonly open = new Set<Request>();
  /** Answers at once; null while steps are under way. */
  answer: (() => void) | null = null;

  ask(what: Request): void {
    this.open.add(what);
    this.answer?.();
  }
}

/** One run, from the first step to the last. */
export class Loop {
  private readonly training: Training;
  private meter: Meter;
  private stepsDone = 0;
  /** Of the last steps. */
  private readonly losses: number[] = [];
  private readonly accuracies: number[] = [];
  private knnBefore: number | null = null;
  private knnAfter: number | null = null;
  private linearProbe: number | null = null;
  private evaluationSeconds = 0;
  private tuning: Tuning | null = null;
  /** Whether the next step's kernels are to be timed. */
  private mustTime = false;
  /** When the queue and the device were told of last. */
  private toldMs = -Infinity;
  /** Resolves once what was asked for so far is answered. */
  private answering = Promise.resolve();

  constructor(private readonly given: LoopOptions) {
    this.training = given.training;
    this.meter = new Meter(given.device, given.options.steps);
  }

  /** Trains and evaluates. */
  async run(): Promise<Measurements> {
    const { options, trainCount, device, resume, emit } = this.given;
    const store = resume ? null : this.given.store; // it keeps the kernels that it had
    this.checkProbe();
    const known = store ? await loadTuning(device, store) : 0;
    emit(await this.training.views(Math.min(VIEWS, trainCount)));
    if (resume) await this.goOnFrom(resume);
    else await this.evaluate(0);
    const start = this.stepsDone;
    this.meter = new Meter(device, options.steps - start);
    emit({ type: "phase", phase: "training" });
    this.meter.resume();
    let queued: QueuedStep | null = null;
    for (let step = start + 1; step <= options.steps; step++) {
      this.meter.stepBegins();
      await this.training.ready();
      const { lr } = this.training;
      const isTimed = this.mustTime;
      const given = isTimed
        ? await this.timedStep()
        : step === start + 1 && store
          ? await this.tunedStep(store, known)
          : this.training.step();
      const next = { ...given, lr };
      if (queued) await this.finish(queued);
      queued = next;
      this.meter.stepQueued(!isTimed);
      await nextTask(); // a message may ask for a pause
      if (!this.mustWait(step, step - start)) continue;
      await this.finish(queued);
      queued = null;
      this.meter.pause();
      if (this.isTellingDue(step)) await this.tell();
      if (this.isEvaluationDue(step)) {
        await this.evaluate(step);
        if (this.given.checkpoints) this.given.requests.ask("save");
      }
      await this.answers();
      if (step < options.steps) await this.rest();
      this.meter.resume();
    }
    if (this.given.wantsProbe)
      await this.answer("probe", async () => void (this.linearProbe = await this.probe("all")));
    this.answerAtOnce();
    return this.measurements();
  }

  /** A probe at the end that cannot be is told before the training. */
  private checkProbe(): void {
    if (!this.given.wantsProbe || this.training.hasClasses) return;
    throw new ValueError(
      "Images must have classes for a linear probe at the end, got none. Choose others, or leave linearProbe out of the address.",
    );
  }

  /** Takes a run up where it was saved. */
  private async goOnFrom(file: Blob): Promise<void> {
    const { device, options, store, emit } = this.given;
    const { knnBefore } = await this.training.load(file);
    this.stepsDone = this.training.stepsDone;
    if (this.stepsDone >= options.steps) {
      throw new ValueError(
        `The checkpoint is of a run that is over, at step ${this.stepsDone} of ${options.steps}: its learning rate has come to its end. Start anew.`,
      );
    }
    emit({ type: "loaded", options, step: this.stepsDone });
    if (store) {
      this.tuning = resumedTuning(device, this.training.isTuned);
      emit({ type: "tuning", tuning: this.tuning });
    }
    const before = Number(knnBefore);
    if (knnBefore !== undefined && Number.isFinite(before)) this.knnBefore = before;
    await this.evaluate(this.stepsDone);
  }

  /** While no steps are under way. */
  private answerAtOnce(): void {
    this.given.requests.answer = () => void this.answers();
    void this.answers(); // what was asked for while another was answered
  }

  /** Answers all that is asked for, one after the other; resolves once nothing is left. */
  private answers(): Promise<void> {
    this.answering = this.answering.then(async () => {
      const { open } = this.given.requests;
      for (const what of open) {
        open.delete(what); // it may be asked for again meanwhile: a set then has it at its end
        await this.answer(what, () => this.answerTo(what));
      }
    });
    return this.answering;
  }

  /** A failure is told; the run goes on. */
  private async answer(what: Request, answer: () => Promise<void>): Promise<void> {
    try {
      await answer();
    } catch (error) {
      this.refuse(what, error);
    }
  }

  private refuse(what: Request, error: unknown): void {
    this.given.emit({ type: "refusal", what, message: error instanceof Error ? error.message : String(error) });
  }

  private async answerTo(what: Request): Promise<void> {
    const step = this.stepsDone;
    const encoding = following("encoding", this.given.emit);
    if (what === "save") await this.save();
    else if (what === "probe") await this.probe("bank");
    else if (what === "times") this.timeNextStep();
    else if (what === "map") this.given.emit({ type: "map", step, ...(await this.training.mapped(encoding)) });
    else this.given.emit({ type: "export", what, step, files: await this.training.exported(what, encoding) });
  }

  private async probe(labels: "bank" | "all"): Promise<number> {
    const { emit } = this.given;
    emit({ type: "phase", phase: "probing" });
    const heard = { onProgress: following("encoding", emit), onEpoch: following("classifying", emit) };
    const accuracy = await this.training.linearProbe(labels, heard);
    emit({ type: "probe", step: this.stepsDone, accuracy });
    return accuracy;
  }

  private async save(): Promise<void> {
    const { emit } = this.given;
    const notes: Record<string, string> = {};
    if (this.knnBefore !== null) notes["knnBefore"] = String(this.knnBefore);
    const step = this.stepsDone;
    emit({ type: "checkpoint", step, bytes: await this.training.save(notes) });
  }

  private timeNextStep(): void {
    if (this.stepsDone === this.given.options.steps)
      throw new ValueError("There must be a step to come, got the end of the run. Start again, and ask on the way.");
    this.mustTime = true;
  }

  /** A step whose kernels are timed; where that cannot be, a step. */
  private async timedStep(): Promise<Step> {
    const { device, emit } = this.given;
    this.mustTime = false;
    const made = { hasBegun: false, step: null as Step | null };
    const step = async (): Promise<void> => {
      made.hasBegun = true;
      const begun = this.training.step();
      await begun.loss.item();
      made.step = begun;
    };
    try {
      const result = await profile(step, { device });
      emit({ type: "times", step: this.stepsDone + 1, timeMs: result.timeMs, kernels: sumByKernel(result) });
    } catch (error) {
      if (made.hasBegun && !made.step) throw error; // the step itself failed
      this.refuse("times", error);
    }
    return made.step ?? this.training.step();
  }

  /** A step, and then what its kernels could be is tried; that takes no time of the step's. */
  private async tunedStep(store: TuningStore, known: number): Promise<Step> {
    const { device, emit } = this.given;
    emit({ type: "phase", phase: "tuning" });
    let first: Step | null = null;
    const step = async (): Promise<void> => {
      first = this.training.step();
      await first.loss.item();
      this.meter.pause();
    };
    this.tuning = await tuneFirstStep(device, store, { known, step, onProgress: following("trying", emit) });
    emit({ type: "tuning", tuning: this.tuning });
    emit({ type: "phase", phase: "training" });
    this.meter.resume();
    return first!;
  }

  /** Whether nothing may be queued behind a step. */
  private mustWait(step: number, count: number): boolean {
    const { gate, requests } = this.given;
    return (
      count === this.meter.warmUp ||
      this.isEvaluationDue(step) ||
      !gate.isOpen ||
      requests.open.size > 0 ||
      this.isTellingDue(step)
    );
  }

  private isEvaluationDue(step: number): boolean {
    const { steps, evalEvery } = this.given.options;
    return step === steps || (evalEvery !== null && step % evalEvery === 0);
  }

  /** Waits for a step and tells of it. */
  private async finish(queued: QueuedStep): Promise<void> {
    const [loss, top1] = await Promise.all([queued.loss.item(), queued.top1.item()]);
    const contrastAccuracy = top1 / 100;
    remember(this.losses, loss);
    remember(this.accuracies, contrastAccuracy);
    this.meter.stepDone();
    const step = ++this.stepsDone;
    if (!Number.isFinite(loss)) throw new Error(`The loss is ${loss} at step ${step}: try a lower learning rate.`);
    const stepsPerSecond = this.meter.recentStepsPerSecond();
    const secondsLeft = stepsPerSecond && this.secondsLeft(step, stepsPerSecond);
    this.given.emit({ type: "step", step, loss, contrastAccuracy, lr: queued.lr, stepsPerSecond, secondsLeft });
  }

  /** Whether whoever looks on is due for the queue and the device. */
  private isTellingDue(step: number): boolean {
    const { watch, gate, options } = this.given;
    if (!watch) return false;
    return !gate.isOpen || step === options.steps || performance.now() - this.toldMs > TELL_MS;
  }

  /** Tells of the queue and the device. */
  private async tell(): Promise<void> {
    const { device, emit } = this.given;
    emit(await this.training.queuePicture());
    const memory = device.kind === "webgpu" ? device.memory() : null;
    const { liveByteLength = null, peakByteLength = null } = memory ?? {};
    emit({ type: "device", liveByteLength, peakByteLength, ...this.meter.perStep() });
    this.toldMs = performance.now();
  }

  /** Until the end of the last evaluation. */
  private secondsLeft(step: number, stepsPerSecond: number): number {
    const { steps, evaluate, evalEvery } = this.given.options;
    const between = evalEvery ? Math.floor((steps - 1) / evalEvery) - Math.floor(step / evalEvery) : 0;
    const evaluations = evaluate ? Math.max(0, between) + 1 : 0;
    return (steps - step) / stepsPerSecond + evaluations * this.evaluationSeconds;
  }

  private async evaluate(step: number): Promise<void> {
    const { options, wantsFeatures, emit } = this.given;
    const mustSave = wantsFeatures && step === options.steps;
    if (!options.evaluate && !mustSave) return;
    emit({ type: "phase", phase: "evaluating" });
    const startMs = performance.now();
    const evaluation = await this.training.evaluate(following("encoding", emit));
    if (options.evaluate) {
      if (this.training.hasClasses) await this.judge(evaluation, step);
      emit(await evaluation.neighbours(step));
    }
    if (mustSave) emit({ type: "features", ...(await evaluation.embeddings()) });
    evaluation.dispose();
    this.evaluationSeconds = (performance.now() - startMs) / 1000;
  }

  /** Classes are needed for it, which not all images have. */
  private async judge(evaluation: Evaluation, step: number): Promise<void> {
    const accuracy = await evaluation.knnAccuracy(following("comparing", this.given.emit));
    if (step === 0) this.knnBefore = accuracy;
    this.knnAfter = accuracy;
    this.given.emit({ type: "knn", step, accuracy });
  }

  /** Stays here while the gate is closed. */
  private async rest(): Promise<void> {
    const { gate, emit } = this.given;
    if (!gate.isOpen) emit({ type: "phase", phase: "paused" });
    this.answerAtOnce();
    await gate.passed();
    this.given.requests.answer = null;
    await this.answers(); // a probe must not see the encoder move
    emit({ type: "phase", phase: "training" });
  }

  private measurements(): Measurements {
    const { steps, seed } = this.given.options;
    return {
      steps,
      seed,
      loss: mean(this.losses),
      contrastAccuracy: mean(this.accuracies),
      knnBefore: this.knnBefore,
      knnAfter: this.knnAfter,
      linearProbe: this.linearProbe,
      firstStepSeconds: this.meter.firstStepSeconds(),
      stepsPerSecond: this.meter.stepsPerSecond(),
      ...this.meter.perStep(),
      tuning: this.tuning,
    };
  }
}

function remember(values: number[], value: number): void {
  values.push(value);
  if (values.length > LAST_STEPS) values.shift();
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
