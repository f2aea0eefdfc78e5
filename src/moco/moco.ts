/**
 * MoCo: Momentum Contrast, Algorithm 1 of He et al. 2020 (arXiv:1911.05722), in the paper's order and words. One encoder
 * is trained to tell the other view of an image from a queue of earlier ones; the other encoder follows it slowly.
 */

import { cat } from "../combine";
import { tensor } from "../creation";
import { ShapeError, ValueError } from "../errors";
import { hostAction, hostArray, hostCheck, hostGuard } from "../hostState";
import * as F from "../functional";
import { contrast } from "../functional/similarity";
import { checkCounts, checkOptionNames } from "../options";
import { noGrad } from "../gradient";
import { type Layer, Module, type StateEntry } from "../nn";
import { counterEntry, freeField, tensorEntry } from "../nn/module";
import { Buffer, Counter, settleState } from "../parameter";
import { type Generator, permutation, randn } from "../random";
import { checkTensors, type Tensor } from "../tensor";
import { checkMomentum, checkTemperature } from "./checks";
import { MomentumUpdate } from "./momentumEncoder";

/** Makes an encoder, as the functions of `models` do. */
export type EncoderFactory = (options: { numClasses: number; head: "linear" | "mlp" }) => Layer;

/** Options of `MoCo.forward`. */
export interface MoCoForwardOptions {
  /** Order in which keys are encoded, in both directions if the loss is symmetric; default: drawn anew. */
  readonly permutation?: ArrayLike<number>;
  /** Whether the key encoder follows now; false for all but the first part of a batch whose gradients add up. Default true. */
  readonly updateKeyEncoder?: boolean;
}

/** Options of MoCo; the defaults are the paper's. */
export interface MoCoOptions {
  /** Length of an embedding; default 128. */
  readonly dim?: number;
  /** Number of negatives, K; at least as many as keys come in a batch. Default 65536. */
  readonly queueSize?: number;
  /** How slowly the key encoder follows, m; default 0.999. */
  readonly momentum?: number;
  /** Softmax temperature, T; default 0.07. */
  readonly temperature?: number;
  /** Whether the loss never holds the products with the queue for its gradient, or always; by default up to 64 MiB. See `F.infoNCE`. */
  readonly streaming?: boolean;
  /** Whether the encoders are to be made with MoCo v2's head of two layers; default false. */
  readonly mlp?: boolean;
  /**
   * Whether keys are encoded in another order than queries, so that BatchNorm gives nothing away; default true. That takes encoders whose
   * BatchNorm has groups, `SplitBatchNorm2d`: that of a whole batch is the same in any order, and gives it away.
   */
  readonly shuffle?: boolean;
  /** Whether each view is query once and key once: the loss is the sum of both directions, and the queue takes both keys. Default false. */
  readonly symmetric?: boolean;
  /** Where permutations and the first queue come from; default: the device's own. */
  readonly generator?: Generator;
}

/** An order of samples and the one that undoes it, i32 `[n]`. */
interface Order {
  readonly forwards: Tensor;
  readonly backwards: Tensor;
}

/** What a forward pass gives. */
export class MoCoOutput {
  constructor(
    /** InfoNCE loss, `[]`; the sum of both directions if it is symmetric. */
    readonly loss: Tensor,
    /** `[n, 1 + queueSize]`; the positive is class 0. Computed for those who read them only: loss and accuracies need none. */
    readonly logits: Tensor,
    /** What entered the queue, `[n, dim]`. Symmetric: `[2n, dim]`, those of `imQ` first; logits follow the queries, `imQ`'s first. */
    readonly keys: Tensor,
    /** How many negatives are nearer to each query than its positive, `[n]` or `[2n]`. */
    private readonly nearer: Tensor,
    /** Loss of each query, `[n]` or `[2n]`: where it is not finite, nothing is near. */
    private readonly losses: Tensor,
  ) {}

  /** Percent of the samples whose positive has the largest logit. Ask before `optimizer.step()`, read whenever. */
  get top1(): Tensor {
    return percentBelow(this.nearer, 1, this.losses.detach().isfinite());
  }

  /** Percent of the samples whose positive is among the five largest logits. Ask before `optimizer.step()`. */
  get top5(): Tensor {
    return percentBelow(this.nearer, 5, this.losses.detach().isfinite());
  }
}

/** Percent of the samples with less than `k` nearer negatives, of numbers that are some. */
const percentBelow = (nearer: Tensor, k: number, isKnown: Tensor): Tensor =>
  nearer.detach().lt(k).logicalAnd(isKnown).float().mul(100).mean();

/**
 * Percent of the samples whose class 0 is among the `k` largest logits. One with a logit that is NaN is not.
 *
 * @shape `[n, classes] -> []`
 *
 * @example
 * const top5 = await contrastAccuracy(model.forward(imQ, imK).logits, 5).item();
 */
export function contrastAccuracy(logits: Tensor, k: number): Tensor {
  const values = logits.detach();
  const larger = values
    .gt(values.narrow(1, 0, 1))
    .int()
    .sum(1); // [n]: negatives above the positive
  return percentBelow(larger, k, values.isnan().any(1).logicalNot());
}

/**
 * Momentum Contrast.
 *
 * @param encoders a function that makes an encoder, called twice, or both encoders
 * @param options see MoCoOptions
 * @throws ValueError if an option is outside its range, the encoders' parameters differ or are the same, or `mlp` is for encoders that are
 *   there already; StateDictError if only names or buffers differ
 * @see He et al. 2020, Algorithm 1 (arXiv:1911.05722); v2: Chen et al. 2020 (arXiv:2003.04297)
 *
 * @example
 * const norm = (channels: number) => new nn.SplitBatchNorm2d(channels, 8); // eight groups, as on eight GPUs
 * const encoder: EncoderFactory = (options) => resnet18({ ...options, cifarStem: true, norm });
 * const model = new MoCo(encoder, { queueSize: 4096, momentum: 0.99, temperature: 0.1 });
 * const optimizer = new SGD(model.parameters(), { lr: 0.06, momentum: 0.9, weightDecay: 5e-4 });
 * const { loss } = model.forward(imQ, imK);
 * optimizer.zeroGrad();
 * loss.backward();
 * optimizer.step();
 */
export class MoCo extends Module {
  readonly encoderQ: Layer;
  readonly encoderK: Layer;
  /** Normalised keys, `[queueSize, dim]`; state dicts show `[dim, queueSize]`. */
  readonly queue: Buffer;
  /** Row that the next keys go to. */
  readonly queuePtr: Counter;
  readonly dim: number;
  readonly queueSize: number;
  /** m; may be changed at any time. */
  momentum: number;
  temperature: number;
  streaming: boolean | undefined;
  readonly symmetric: boolean;
  private readonly shuffle: boolean;
  private readonly generator: Generator | undefined;
  private readonly momentumUpdate: MomentumUpdate;

  constructor(
    encoders: EncoderFactory | { readonly encoderQ: Layer; readonly encoderK: Layer },
    options: MoCoOptions = {},
  ) {
    super();
    freeField(this, "momentum");
    checkOptionNames("MoCo", options, [
      "dim",
      "queueSize",
      "momentum",
      "temperature",
      "streaming",
      "mlp",
      "shuffle",
      "symmetric",
      "generator",
    ]);
    const { dim = 128, queueSize = 65536, momentum = 0.999, temperature = 0.07 } = options;
    const { mlp = false, shuffle = true, symmetric = false, generator } = options;
    checkOptions({ dim, queueSize, momentum, temperature });
    this.dim = dim;
    this.queueSize = queueSize;
    this.momentum = momentum;
    this.temperature = temperature;
    this.streaming = options.streaming;
    this.shuffle = shuffle;
    this.symmetric = symmetric;
    this.generator = generator;

    if (mlp && typeof encoders !== "function") {
      throw new ValueError(
        "MoCo: mlp is for a function that makes encoders, got both encoders. Give them the head, or pass a function.",
      );
    }
    const make = (): Layer => (encoders as EncoderFactory)({ numClasses: dim, head: mlp ? "mlp" : "linear" });
    this.encoderQ = typeof encoders === "function" ? make() : encoders.encoderQ;
    this.encoderK = typeof encoders === "function" ? make() : encoders.encoderK;
    this.momentumUpdate = new MomentumUpdate(this.encoderQ.parameters(), this.encoderK.parameters());
    this.encoderK.loadStateDict(this.encoderQ.stateDict()); // starts as a copy
    this.encoderK.requiresGrad_(false); // not updated by gradient

    this.queue = new Buffer(F.normalize(randn([queueSize, dim], generator && { generator }), { dim: 1 }), {
      name: "queue",
    });
    this.queuePtr = new Counter(0, [1]);
    settleState([...this.parameters(), ...this.buffers()]);
  }

  /**
   * InfoNCE loss of one batch. Updates the key encoder first and enqueues the keys last.
   *
   * @shape imQ, imK `[n, c, h, w]` -> loss `[]`, logits `[n, 1 + queueSize]`, keys `[n, dim]`
   * @param options see MoCoForwardOptions
   * @throws DTypeError for views that are no tensors; ValueError if more keys come than the queue holds, or the permutation is none of `0..n-1`; ShapeError if there are not as
   *   many keys as queries
   * @see He et al. 2020, Algorithm 1 (arXiv:1911.05722); symmetric: MoCo's CIFAR notebook
   */
  forward(imQ: Tensor, imK: Tensor, options: MoCoForwardOptions = {}): MoCoOutput {
    checkOptionNames("MoCo.forward", options, ["permutation", "updateKeyEncoder"]);
    const { permutation: order, updateKeyEncoder = true } = options;
    this.checkBatch(imQ, imK, order);
    if (updateKeyEncoder) this.updateKeyEncoder(); // first, so that it shares a dispatch with the pending SGD update; same numbers as the official order
    const [q, positives] = this.symmetric ? this.encodeBoth(imQ, imK, order) : this.encode(imQ, imK, order);

    const queue = this.queue.detach(); // stored [queueSize, dim]
    const { losses, nearer } = contrast("MoCo", q, positives, queue, this.temperature, this.streaming); // [n]
    const positive = q.mul(positives).sum(1).unsqueeze(1); // [n, 1]
    const logits = cat([positive, q.matmul(queue.transpose(0, 1))], 1).div(this.temperature);

    const n = imQ.size(0);
    const keys = this.symmetric ? cat([positives.narrow(0, n, n), positives.narrow(0, 0, n)]) : positives;
    this.enqueue(keys); // after the loss: a key is no negative of its own step
    return new MoCoOutput(this.symmetric ? losses.mean().mul(2) : losses.mean(), logits, keys, nearer, losses);
  }

  /** A query for each of `imQ`, and a key for each of `imK`; `[n, dim]`. */
  private encode(imQ: Tensor, imK: Tensor, order: ArrayLike<number> | undefined): [q: Tensor, keys: Tensor] {
    const q = F.normalize(this.encoderQ.forward(imQ), { dim: 1 });
    const keys = noGrad(() => this.encodeKeys(imK, this.orderFor(imK, order)));
    return [q, keys];
  }

  /** The same in both directions, one after the other, as BatchNorm sees each batch by itself; `[2n, dim]`. */
  private encodeBoth(imQ: Tensor, imK: Tensor, order: ArrayLike<number> | undefined): [q: Tensor, keys: Tensor] {
    const [q1, k2] = this.encode(imQ, imK, order);
    const [q2, k1] = this.encode(imK, imQ, order);
    return [cat([q1, q2]), cat([k2, k1])];
  }

  /** `k = k * m + q * (1 - m)` over parameters; BatchNorm's buffers follow from the key encoder's own batches. */
  updateKeyEncoder(): void {
    hostCheck(() => {
      checkMomentum("MoCo", this.momentum); // it may have been changed
    });
    this.momentumUpdate.run(() => this.momentum);
  }

  /** Encodes keys in another order than queries, and puts them back into theirs. `order` null leaves them. */
  private encodeKeys(imK: Tensor, order: Order | null): Tensor {
    if (!order) return F.normalize(this.encoderK.forward(imK), { dim: 1 });
    const shuffled = imK.indexSelect(0, order.forwards);
    const keys = F.normalize(this.encoderK.forward(shuffled), { dim: 1 });
    return keys.indexSelect(0, order.backwards);
  }

  /** The order given, or one that is drawn; null without shuffling. */
  private orderFor({ shape, device }: Tensor, given: ArrayLike<number> | undefined): Order | null {
    if (given) {
      const index = (values: ArrayLike<number>): Tensor => tensor(Int32Array.from(values), { device });
      return { forwards: index(given), backwards: index(inverse(given)) };
    }
    if (!this.shuffle) return null;
    const n = shape[0]!;
    let order: Int32Array = new Int32Array(n);
    hostAction(() => {
      order = permutation(n, this.generator);
    });
    return {
      forwards: hostArray(() => order, [n], "i32", device),
      backwards: hostArray(() => inverse(order), [n], "i32", device),
    };
  }

  /** Overwrites the oldest keys; those that reach past the end go on at row 0. */
  private enqueue(keys: Tensor): void {
    const n = keys.size(0);
    const isAligned = (): boolean => this.queueSize % n === 0 && this.queuePtr.value % n === 0;
    const aligned = isAligned();
    hostGuard(() => isAligned() === aligned);
    if (aligned) this.queue.assignRows(this.queuePtr, keys);
    else this.queue.assign(this.queue.detach().indexCopy(0, this.oldestRows(n), keys));
    this.queuePtr.update((row) => (row + n) % this.queueSize);
  }

  /** The next `n` rows of the queue, a ring; i32 `[n]`. */
  private oldestRows(n: number): Tensor {
    const rows = (): Int32Array => Int32Array.from({ length: n }, (_, i) => (this.queuePtr.value + i) % this.queueSize);
    return hostArray(rows, [n], "i32", this.queue.device);
  }

  private checkBatch(imQ: Tensor, imK: Tensor, order: ArrayLike<number> | undefined): void {
    checkTensors("MoCo", imQ, imK);
    const n = imQ.size(0);
    if (imK.size(0) !== n) {
      throw new ShapeError(
        `MoCo: both views must have one batch size, got ${n} and ${imK.size(0)}. Pass two views of the same images.`,
      );
    }
    if (order && !isPermutation(order, n)) {
      throw new ValueError(
        `MoCo: permutation must hold each of 0..${n - 1} once, got ${shown(order)}. Leave it out to draw one.`,
      );
    }
    const count = this.symmetric ? 2 * n : n;
    if (count > this.queueSize) {
      throw new ValueError(
        `MoCo: the queue must hold a batch's keys, got ${count} keys and queueSize ${this.queueSize}. Change one of them.`,
      );
    }
  }

  /** Official names and shapes: `queue` is `[dim, queueSize]`. */
  protected override ownState(): StateEntry[] {
    const swap = (x: Tensor): Tensor => x.transpose(0, 1);
    return [tensorEntry("queue", this.queue, swap, swap), counterEntry("queue_ptr", this.queuePtr, this.queueSize)];
  }
}

function isPermutation(order: ArrayLike<number>, n: number): boolean {
  const seen = new Set(Array.from(order).filter((place) => Number.isInteger(place) && place >= 0 && place < n));
  return order.length === n && seen.size === n;
}

/** The first of its places: a batch has hundreds. */
const shown = (order: ArrayLike<number>): string =>
  `[${Array.from(order).slice(0, 8).join(", ")}${order.length > 8 ? `, ... of ${order.length}` : ""}]`;

/** The order that undoes another one. */
function inverse(order: ArrayLike<number>): Int32Array {
  const places = new Int32Array(order.length);
  for (let place = 0; place < order.length; place++) places[order[place]!] = place;
  return places;
}

function checkOptions({
  dim,
  queueSize,
  momentum,
  temperature,
}: Required<Pick<MoCoOptions, "dim" | "queueSize" | "momentum" | "temperature">>): void {
  checkCounts("MoCo", { dim, queueSize });
  checkMomentum("MoCo", momentum);
  checkTemperature("MoCo", temperature);
}
