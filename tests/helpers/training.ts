/** A small model and its training, for tests of what happens around a step. */

import { F, manualSeed, nn, optim, tensor, type Tensor } from "flywheel";

/** Learns which of two halves of a circle a point lies in. Lives on the default device at construction. */
export class Training {
  readonly model: nn.Sequential;
  readonly optimizer: optim.SGD;
  private readonly x: Tensor;
  private readonly y: Tensor;

  constructor() {
    manualSeed(0);
    const angles = Array.from({ length: 32 }, (_, i) => (2 * Math.PI * i) / 32);
    this.x = tensor(angles.map((a) => [Math.cos(a), Math.sin(a)]));
    this.y = tensor(
      angles.map((a) => Number(Math.cos(a - 1) > 0)),
      { dtype: "i32" },
    );
    this.model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 2));
    this.optimizer = new optim.SGD(this.model.parameters(), { lr: 0.1, momentum: 0.9 });
  }

  loss(x: Tensor, y: Tensor): Tensor {
    return F.crossEntropy(this.model.forward(x), y);
  }

  /** One step; its loss. */
  step(): Tensor {
    const loss = this.loss(this.x, this.y);
    this.optimizer.zeroGrad();
    loss.backward();
    this.optimizer.step();
    return loss;
  }
}
