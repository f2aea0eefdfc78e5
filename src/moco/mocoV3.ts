/**
 * MoCo v3: no queue. The keys of a batch are each other's negatives, both views are queries, and a predictor stands behind
 * the query encoder. In the paper's order and words: Chen, Xie and He 2021 (arXiv:2104.02057), Algorithm 1.
 */

import { arange } from "../creation";
import { ShapeError } from "../errors";
import * as F from "../functional";
import { noGrad } from "../gradient";
import { hostCheck } from "../hostState";
import type { HeadFactory } from "../models";
import { BatchNorm1d, type Layer, Linear, Module, ReLU, Sequential } from "../nn";
import { freeField } from "../nn/module";
import { checkCounts, checkOptionNames } from "../options";
import { settleState } from "../parameter";
import { checkTensors, type Tensor } from "../tensor";
import { checkMomentum, checkTemperature } from "./checks";
import { MomentumUpdate } from "./momentumEncoder";

/** Makes an encoder that ends with the head it is given, as the functions of `models` do. */
export type EncoderFactoryV3 = (options: { numClasses: number; head: HeadFactory }) => Layer;

/** Options of MoCoV3; the defaults are the authors' for ResNet-50. */
export interface MoCoV3Options {
  /** Length of an embedding; default 256. */
  readonly dim?: number;
  /** Width of the hidden layers of projector and predictor; default 4096. */
  readonly mlpDim?: number;
  /** How slowly the momentum encoder follows, m; default 0.99. See `CosineMomentum`. */
  readonly momentum?: number;
  /** Softmax temperature, tau; default 1. */
  readonly temperature?: number;
}

/** What a forward pass gives. */
export interface MoCoV3Output {
  /** The sum of both directions, each times 2 tau, `[]`. */
  readonly loss: Tensor;
  /** Percent of the queries whose own key is the nearest of the batch, `[]`. */
  readonly top1: Tensor;
}

/**
 * Momentum Contrast without a queue.
 *
 * @param makeEncoder makes an encoder with the projector as its head; called twice
 * @param options see MoCoV3Options
 * @throws ValueError if an option is outside its range, or the encoders' parameters differ or are the same; StateDictError if only names or
 *   buffers differ
 * @see Chen, Xie and He 2021 (arXiv:2104.02057)
 *
 * @example
 * const model = new MoCoV3(({ numClasses, head }) => resnet50({ numClasses, head }), { temperature: 0.2 });
 * const schedule = new CosineMomentum(model, 1000);
 * const { loss } = model.forward(x1, x2);
 */
export class MoCoV3 extends Module {
  readonly baseEncoder: Layer;
  readonly momentumEncoder: Layer;
  readonly predictor: Sequential;
  /** m; may be changed at any time. */
  momentum: number;
  temperature: number;
  private readonly momentumUpdate: MomentumUpdate;

  constructor(makeEncoder: EncoderFactoryV3, options: MoCoV3Options = {}) {
    super();
    freeField(this, "momentum");
    checkOptionNames("MoCoV3", options, ["dim", "mlpDim", "momentum", "temperature"]);
    const { dim = 256, mlpDim = 4096, momentum = 0.99, temperature = 1 } = options;
    checkCounts("MoCoV3", { dim, mlpDim });
    checkMomentum("MoCoV3", momentum);
    checkTemperature("MoCoV3", temperature);
    this.momentum = momentum;
    this.temperature = temperature;

    const projector: HeadFactory = (features, outputs) =>
      new Sequential(...hidden(features, mlpDim), linear(mlpDim, outputs), new BatchNorm1d(outputs, { affine: false }));
    this.baseEncoder = makeEncoder({ numClasses: dim, head: projector });
    this.momentumEncoder = makeEncoder({ numClasses: dim, head: projector });
    this.predictor = new Sequential(...hidden(dim, mlpDim), linear(mlpDim, dim));
    this.momentumUpdate = new MomentumUpdate(this.baseEncoder.parameters(), this.momentumEncoder.parameters());
    this.momentumEncoder.loadStateDict(this.baseEncoder.stateDict()); // starts as a copy
    this.momentumEncoder.requiresGrad_(false);
    settleState([...this.parameters(), ...this.buffers()]);
  }

  /**
   * Loss of one batch. Updates the momentum encoder first.
   *
   * @shape x1, x2 `[n, c, h, w]` -> loss `[]`
   * @throws DTypeError for views that are no tensors; ShapeError if they differ in number
   * @see Chen, Xie and He 2021 (arXiv:2104.02057), Algorithm 1
   */
  forward(x1: Tensor, x2: Tensor): MoCoV3Output {
    checkTensors("MoCoV3", x1, x2);
    const n = x1.size(0);
    if (x2.size(0) !== n) {
      throw new ShapeError(
        `MoCoV3: both views must have one batch size, got ${n} and ${x2.size(0)}. Pass two views of the same images.`,
      );
    }
    this.updateMomentumEncoder(); // first, so that it shares a dispatch with the pending update; same numbers as the official order
    const query = (x: Tensor): Tensor => this.predictor.forward(this.baseEncoder.forward(x)); // [n, dim]
    const [q1, q2] = [query(x1), query(x2)];
    const [k1, k2] = noGrad(() => [this.momentumEncoder.forward(x1), this.momentumEncoder.forward(x2)] as const);
    const first = this.contrast(q1, k2);
    const second = this.contrast(q2, k1);
    return { loss: first.loss.add(second.loss), top1: first.top1.add(second.top1).div(2) };
  }

  /** `momentum = momentum * m + base * (1 - m)` over parameters. */
  updateMomentumEncoder(): void {
    hostCheck(() => {
      checkMomentum("MoCoV3", this.momentum); // it may have been changed
    });
    this.momentumUpdate.run(() => this.momentum);
  }

  /** InfoNCE of a batch's own keys; the gradient's scale does not depend on tau. */
  private contrast(query: Tensor, key: Tensor): MoCoV3Output {
    const q = F.normalize(query, { dim: 1 });
    const k = F.normalize(key, { dim: 1 });
    const logits = q.matmul(k.transpose(0, 1)).div(this.temperature); // [n, n]: the positives on the diagonal
    const own = arange(q.size(0), { device: q.device });
    const loss = F.crossEntropy(logits, own).mul(2 * this.temperature);
    return { loss, top1: logits.detach().argmax(1).eq(own).float().mul(100).mean() };
  }
}

const linear = (inputs: number, outputs: number): Layer => new Linear(inputs, outputs, { bias: false });

/** A layer inside a projector or predictor. */
const hidden = (inputs: number, outputs: number): Layer[] => [
  linear(inputs, outputs),
  new BatchNorm1d(outputs),
  new ReLU(),
];
