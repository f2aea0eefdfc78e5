/**
 * Everything that can go wrong on a device, in one place: its loss, and errors that arrive late.
 * WebGPU reports nothing where it happens. Loss is one flag, set by `device.lost`, since most calls succeed on a lost device.
 * Errors are collected from error scopes and `uncapturederror`, and thrown by the next read.
 */

import { DeviceError, DeviceLostError, type FlywheelError, KernelError, OutOfMemoryError } from "../errors";

/** How long a failed map waits for the news that the device was lost, ms. */
const LOSS_NEWS_MS = 1000;

/** Errors remembered for reads that had begun before they were seen. */
const MAX_REMEMBERED = 64;

/** Submits whose results cannot be trusted, and why. */
interface Spoiled {
  first: number;
  last: number;
  readonly error: FlywheelError;
}

/** What a read takes along: the checks it must wait for, the errors it has already seen. */
export interface Ticket {
  readonly seen: number;
  readonly checks: readonly Promise<void>[];
}

export class Faults {
  /** Why the device was lost, or null while it is there. */
  lossReason: string | null = null;
  /** Errors seen so far. */
  count = 0;
  /** Submits begun so far; the number of the last one. */
  submits = 0;
  /** Resolves with the reason when the device is lost or destroyed; never rejects. */
  readonly lost: Promise<string>;

  private announceLoss: (reason: string) => void = () => undefined;
  /** Serial number `count - remembered.length + i + 1` belongs to entry i. */
  private readonly remembered: FlywheelError[] = [];
  /** Serial number of the last error that some read has thrown. */
  private delivered = 0;
  /** Checks under way, oldest first, each with the first submit that it vouches for. */
  private readonly checks = new Map<Promise<void>, number>();
  private readonly spoiled: Spoiled[] = [];
  /** One a waiting read, taken out when it settles: a race against `lost` itself would be remembered until the loss. */
  private readonly waiting = new Set<(error: Error) => void>();

  constructor(
    private readonly device: GPUDevice,
    /** Bytes that the Gpu holds: what an OutOfMemoryError reports. */
    private readonly heldByteLength: () => number,
    private readonly ownsDevice: boolean,
  ) {
    this.lost = new Promise((resolve) => (this.announceLoss = resolve));
    void device.lost.then((info) => {
      this.lose(info.message ? `${info.reason}: ${info.message}` : info.reason);
    });
    device.addEventListener("uncapturederror", this.onUncaptured);
  }

  /** Marks the device as gone: every waiting read rejects now. */
  lose(reason: string): void {
    if (this.lossReason !== null) return;
    this.lossReason = reason;
    this.device.removeEventListener("uncapturederror", this.onUncaptured);
    for (const reject of this.waiting) reject(this.lossError("read"));
    this.waiting.clear();
    this.announceLoss(reason);
  }

  /** @throws DeviceLostError */
  assertAlive(what: string): void {
    if (this.lossReason !== null) throw this.lossError(what);
  }

  /** The promise, or DeviceLostError as soon as the device is lost, whichever comes first. */
  async guard<T>(promise: Promise<T>): Promise<T> {
    let rejectNow: (error: Error) => void = () => undefined;
    const loss = new Promise<never>((_resolve, reject) => (rejectNow = reject));
    this.waiting.add(rejectNow);
    if (this.lossReason !== null) rejectNow(this.lossError("read"));
    try {
      return await Promise.race([promise, loss]);
    } finally {
      this.waiting.delete(rejectNow);
    }
  }

  /** Waits for a promise of WebGPU's, and turns its rejection into an error of ours. */
  async finish<T>(promise: Promise<T>, ticket: Ticket): Promise<T> {
    return this.guard(promise).catch((error: unknown) => this.explain(ticket, error));
  }

  /**
   * Takes note of an error that is known only later; reads begun from now on wait for it.
   * @param first the first submit that the error would spoil
   */
  watch(check: Promise<FlywheelError | null>, first: number): void {
    const noted = check
      .catch((error: unknown) => this.refusal(error))
      .then((error) => {
        this.checks.delete(noted);
        if (error) this.record(error, first);
      });
    this.checks.set(noted, first);
  }

  /** Counts a submit, and watches its error scope, which may close only later. */
  watchSubmit(scope: Promise<GPUError | null>): void {
    this.submits++;
    this.watch(
      scope.then((error) => error && this.describe(error)),
      this.submits,
    );
  }

  /** Closes the current error scope and turns what it caught into an error. It spoils submits from `first`, the next, on. */
  watchScope(
    toError: (error: GPUError) => FlywheelError | Promise<FlywheelError>,
    first: number = this.submits + 1,
  ): void {
    this.watch(
      this.device.popErrorScope().then((error) => error && toError(error)),
      first,
    );
  }

  /** An error for the next read. Submits from `first` to the last one so far may have computed nothing. */
  record(error: FlywheelError, first: number): void {
    this.count++;
    this.remembered.push(error);
    if (this.remembered.length > MAX_REMEMBERED) this.remembered.shift();
    this.spoil(error, first);
  }

  /** Marks submits from `first` to the last one so far: they, or what they built on, did not run. */
  spoil(error: FlywheelError, first: number): void {
    const last = this.submits;
    const known = this.spoiled.at(-1);
    if (first > last) return; // nothing has run since
    if (known && first <= known.last + 1) {
      known.first = Math.min(known.first, first);
      known.last = last;
    } else this.spoiled.push({ first, last, error });
  }

  /** Why what a submit computed cannot be trusted; null where nothing is known against it. */
  faultOf(submit: number): FlywheelError | null {
    return this.spoiled.find(({ first, last }) => first <= submit && submit <= last)?.error ?? null;
  }

  /** Taken right after the submit that a read waits for. */
  ticket(): Ticket {
    return { seen: this.count, checks: [...this.checks.keys()] };
  }

  /**
   * Waits for the ticket's checks and throws what was found: errors that no read has thrown yet, and those seen since the
   * ticket was taken, so that reads under way at the same time all reject.
   */
  async settle({ seen, checks }: Ticket): Promise<void> {
    if (checks.length > 0) await this.guard(Promise.all(checks));
    this.assertAlive("read");
    const unseen = this.count - Math.min(seen, this.delivered);
    this.delivered = this.count;
    if (unseen > 0) throw worst(this.remembered.slice(-unseen));
  }

  /** Why a promise of WebGPU's rejected: an error collected so far, the loss of the device, or `cause`. Always throws. */
  async explain(ticket: Ticket, cause: unknown): Promise<never> {
    await this.settle(ticket);
    throw (await this.refusal(cause)) ?? this.lossError("read");
  }

  /** What a rejection means, null for a loss. Browsers reject first, under names of their own, and tell of the loss later. */
  private async refusal(cause: unknown): Promise<DeviceError | null> {
    return (await this.isLoss()) ? null : refused(cause);
  }

  /** Takes note of what WebGPU refused at once. As what it tells without its cause, it makes all suspect that is not vouched for yet. */
  recordRefusal(cause: unknown): void {
    this.record(refused(cause), this.oldestUnchecked);
  }

  private get oldestUnchecked(): number {
    const [oldest = this.submits] = this.checks.values();
    return oldest;
  }

  /** Whether something just failed because the device is lost: the news of that come a little later. */
  async isLoss(): Promise<boolean> {
    let stop: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.lost, new Promise((resolve) => (stop = setTimeout(resolve, LOSS_NEWS_MS)))]);
    clearTimeout(stop);
    return this.lossReason !== null;
  }

  private lossError(what: string): DeviceLostError {
    return new DeviceLostError(
      `${what}: the GPU device must be there, got a device that was lost (${this.lossReason}). ` +
        "Make a new device and restore the last checkpoint.",
    );
  }

  private readonly onUncaptured = (event: GPUUncapturedErrorEvent): void => {
    // The next read throws it, so the browser need not print it as well; on a borrowed device it may be another's.
    if (this.ownsDevice) event.preventDefault();
    // It comes without its cause: all that is not vouched for yet is suspect.
    this.record(this.describe(event.error), this.oldestUnchecked);
  };

  describe(error: GPUError): FlywheelError {
    if (error instanceof GPUOutOfMemoryError) return new OutOfMemoryError(error.message, 0, this.heldByteLength());
    return new DeviceError(
      `device: WebGPU must accept what it is given, got "${error.message}". Please report this bug.`,
    );
  }
}

const refused = (cause: unknown): DeviceError =>
  new DeviceError(`device: WebGPU must do what it is asked, got "${String(cause)}". Make a new device.`, { cause });

/** The one that explains the others: memory that was not there, then a shader that did not compile. The rest is its cause. */
function worst(errors: readonly FlywheelError[]): FlywheelError {
  const rank = (error: FlywheelError): number =>
    error instanceof OutOfMemoryError ? 0 : error instanceof KernelError ? 1 : 2;
  const [first, ...others] = [...errors].sort((a, b) => rank(a) - rank(b));
  if (others.length > 0) first!.cause ??= new AggregateError(others, `and ${others.length} more`);
  return first!;
}
