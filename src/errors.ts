/**
 * The typed errors of flywheel. Every message reads
 * `<op>: <what must hold>, got <the values>. <What to do.>`
 * so that it can be shown to a user as it stands.
 */

/** Frames in the stack of an error. V8's 10 can all be the library's, and the user's line below them. */
const STACK_DEPTH = 64;

/** Base of all errors that flywheel throws on purpose. */
export class FlywheelError extends Error {
  override name = "FlywheelError";

  constructor(message?: string, options?: ErrorOptions) {
    const limits: { stackTraceLimit?: number } = Error;
    const before = limits.stackTraceLimit;
    limits.stackTraceLimit = STACK_DEPTH;
    super(message, options);
    if (before === undefined) delete limits.stackTraceLimit;
    else limits.stackTraceLimit = before;
  }

  /** Names another op: the one that was called, where one that it is made of found the error. */
  rename(op: string): void {
    const { message, stack } = this;
    this.message = message.replace(/^\w+: /, `${op}: `);
    if (stack !== undefined) this.stack = stack.replace(message, () => this.message);
  }
}

/** Makes what an op is made of, whose errors name the op. */
export function naming<T>(op: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof FlywheelError && !(error instanceof InternalError)) error.rename(op);
    throw error;
  }
}

/** Shapes, dimensions or sizes that do not fit the op. */
export class ShapeError extends FlywheelError {
  override name = "ShapeError";
}

/** A dtype that the op does not take, or two that do not go together. */
export class DTypeError extends FlywheelError {
  override name = "DTypeError";
}

/** An argument outside its range: a negative learning rate, an unknown option. */
export class ValueError extends FlywheelError {
  override name = "ValueError";
}

/** An index outside its dimension. */
export class IndexError extends FlywheelError {
  override name = "IndexError";
}

/** No device, the wrong device, or two devices in one op. */
export class DeviceError extends FlywheelError {
  override name = "DeviceError";
}

/** The GPU device was lost; nothing on it can be read any more. */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";
}

/** Memory ran out: the GPU's, or the host's where the CPU computes. */
export class OutOfMemoryError extends DeviceError {
  override name = "OutOfMemoryError";

  constructor(
    message: string,
    /** Bytes that were asked for. */
    readonly byteLengthAsked: number,
    /** Bytes that flywheel held at that moment. */
    readonly byteLengthLive: number,
  ) {
    super(message);
  }
}

/** A tensor whose value can no longer be computed, since state it depends on was overwritten. */
export class StaleTensorError extends FlywheelError {
  override name = "StaleTensorError";
}

/** backward() or grad() was asked of something that has no gradient. */
export class AutogradError extends FlywheelError {
  override name = "AutogradError";
}

/** A NaN that `detectAnomaly` found. */
export class AnomalyError extends AutogradError {
  override name = "AnomalyError";
  /** The op whose result, or whose gradient, has the first NaN; a parameter's name where it had one before. */
  readonly op: string;
  readonly phase: "forward" | "backward";
  /** The stack where the op was made; null if that was before anomalies were looked for. */
  readonly stackOfOp: string | null;

  constructor(
    message: string,
    { op, phase, stackOfOp }: { op: string; phase: "forward" | "backward"; stackOfOp: string | null },
  ) {
    super(message);
    this.op = op;
    this.phase = phase;
    this.stackOfOp = stackOfOp;
  }
}

/** Gradients of a function and differences of its values do not agree. */
export class GradcheckError extends AutogradError {
  override name = "GradcheckError";
}

/** A function that `compile` cannot replay without giving wrong values: something that changes from call to call is in it. */
export class CompileError extends FlywheelError {
  override name = "CompileError";
}

/** A state dict that does not fit its module. */
export class StateDictError extends FlywheelError {
  override name = "StateDictError";
}

/** State that was to stay as it is, and has changed. */
export class FrozenStateError extends FlywheelError {
  override name = "FrozenStateError";
}

/** Bytes that are not what their format promises. */
export class FormatError extends FlywheelError {
  override name = "FormatError";
}

/** A shader that the browser rejects: a bug of flywheel or of the driver, with what is needed to report it. */
export class KernelError extends FlywheelError {
  override name = "KernelError";
}

/** A broken promise inside flywheel. Always a bug: please report it. */
export class InternalError extends FlywheelError {
  override name = "InternalError";
}
