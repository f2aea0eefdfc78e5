/** Gradients of a tensor: whether it has one, backward, and what to do with gradients on their way. */

import { backward } from "../autograd/backward";
import { type HookHandle, hookGradient } from "../autograd/hooks";
import { AutogradError, DTypeError, ShapeError, ValueError } from "../errors";
import { isFloat } from "../graph/dtype";
import { withGradMode } from "../graph/gradMode";
import { Node, type VariableRef } from "../graph/node";
import { sameShape, showShape } from "../graph/shape";
import { topologicalOrder } from "../graph/walk";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import { recording } from "../runtime/recorder";
import type { Tensor } from "../tensor";
import { deviceOf, summaryOf, TensorCore } from "./core";

export type { HookHandle } from "../autograd/hooks";

/** What `backward` adds a gradient to. */
export interface GradientOwner {
  accumulateGrad(gradient: Node): void;
}

/** Sees a gradient on its way, and may give another in its place: a tensor, where it returns one. */
export type GradientHook = ((gradient: Tensor) => Tensor | null | undefined) | ((gradient: Tensor) => void);

/** Options of `backward`. */
export interface BackwardOptions {
  /** Whether the gradients can be differentiated again; default false. */
  readonly createGraph?: boolean;
  /** Tensors whose `grad` is added to, leaves or not; all others stay as they are. Default: all leaves. */
  readonly inputs?: Tensor | readonly Tensor[];
  /** Taken as PyTorch has it, and without effect: graphs are values here, and `backward` frees nothing. */
  readonly retainGraph?: boolean;
}

/** Owners of gradients by what graphs read: a node, or a variable whatever its version. */
const owners = new WeakMap<Node | VariableRef, GradientOwner>();

/** Makes `owner` receive the gradients of a node. For parameters and tensors that require gradients. */
export function ownGradient(node: Node | VariableRef, owner: GradientOwner): void {
  owners.set(node, owner);
}

const ownerOf = (node: Node): GradientOwner | undefined =>
  (node.variable ? owners.get(node.variable) : undefined) ?? owners.get(node);

export abstract class Gradients extends TensorCore implements GradientOwner {
  private gradient: Tensor | null = null;

  /** Whether gradients flow to or through it. */
  get requiresGrad(): boolean {
    return this.value.requiresGrad;
  }

  set requiresGrad(value: boolean) {
    this.requiresGrad_(value);
  }

  /** Whether no gradient goes on from here: it requires none, or was given, not computed from something that does. */
  get isLeaf(): boolean {
    return !this.requiresGrad || isGradientLeaf(this.value);
  }

  /** The sum of all gradients that `backward` brought since they were last cleared; null if none did. */
  get grad(): Tensor | null {
    return this.gradient;
  }

  set grad(gradient: Tensor | null) {
    if (gradient) checkGradient("grad", gradient, this);
    this.gradient = gradient;
  }

  /**
   * Makes a leaf require gradients, or stop to.
   *
   * @returns this
   * @throws AutogradError if the tensor was computed from something that requires gradients
   * @throws DTypeError if it holds no floats
   * @see torch.Tensor.requires_grad_
   */
  requiresGrad_(value = true): this {
    if (value === this.requiresGrad) return this;
    if (!this.isLeaf) {
      throw new AutogradError(
        "requiresGrad: it can only be set on leaves, got a computed tensor. Use detach() to stop gradients.",
      );
    }
    if (value && !isFloat(this.dtype)) {
      throw new DTypeError(
        `requiresGrad: only float tensors can require gradients, got ${this.dtype}. Cast it with .to("f32").`,
      );
    }
    this.value = leafOf(this.node, value);
    if (value) ownGradient(this.value, this);
    return this;
  }

  /**
   * Adds the gradient of this tensor to `grad` of every parameter and leaf it depends on. Nothing runs yet: the
   * gradients are computed with the next step or read. Calls add up, also of one graph; `zeroGrad` clears.
   *
   * @param gradient the gradient of this tensor, of its shape; 1 where this is a scalar
   * @param options.createGraph whether `grad` can be differentiated again; default false
   * @param options.inputs tensors whose `grad` is added to; default: all leaves
   * @param options.retainGraph without effect: a graph may be used as often as its values are there
   * @throws AutogradError if nothing below requires gradients, or a non-scalar has no `gradient`
   * @throws StaleTensorError if the history is gone, once the step is over
   * @see torch.Tensor.backward
   *
   * @example
   * F.crossEntropy(model.forward(x), y).backward();
   * optimizer.step();
   */
  backward(options?: BackwardOptions): void;
  backward(gradient: Tensor | null | undefined, options?: BackwardOptions): void;
  backward(...args: [BackwardOptions?] | [Tensor | null | undefined, BackwardOptions?]): void {
    const { gradient, options } = backwardArguments(args);
    checkOptionNames("backward", options, ["retainGraph", "createGraph", "inputs"]);
    const { createGraph = false, inputs } = options;
    const seed = gradientSeed("backward", this, gradient);
    const targets = inputs === undefined ? targetsBelow(this.node) : targetsOf(inputs);
    const found = withGradMode(createGraph, () =>
      backward(
        [this.node],
        [seed],
        targets.map(({ node }) => node),
      ),
    );
    targets.forEach(({ owner }, index) => {
      if (found[index]) owner.accumulateGrad(found[index]);
    });
  }

  /** Used by `backward`. */
  accumulateGrad(gradient: Node): void {
    const into = recording();
    if (into && this.value.id < into.firstNodeId) into.refuse("adds to the grad of a tensor that is no parameter");
    const total = this.gradient ? withGradMode(true, () => ops.add(this.gradient!.node, gradient)) : gradient;
    this.gradient = this.create(total);
    this.device.engine.keep(total); // so that it can be read after a step, as in PyTorch
  }

  /**
   * Makes `backward` add to `grad` of this computed tensor too. Leaves have that anyway.
   *
   * @throws AutogradError if it requires no gradients
   * @see torch.Tensor.retain_grad
   *
   * @example
   * const hidden = layer.forward(x);
   * hidden.retainGrad();
   * loss.backward();
   * hidden.grad; // not null
   */
  retainGrad(): void {
    this.checkRequiresGrad("retainGrad");
    if (!ownerOf(this.node)) ownGradient(this.node, this);
  }

  /** Whether it is a computed tensor with a `grad`; see `retainGrad`. @see torch.Tensor.retains_grad */
  get retainsGrad(): boolean {
    return !this.isLeaf && ownerOf(this.node) === this;
  }

  /**
   * Calls a function with the gradient of this tensor whenever one has come together, in `backward` or `grad`. What it
   * returns, if anything, takes the gradient's place, here and further down. The gradient is a tensor like others: nothing
   * has run, so read it later, or put it through tensor functions.
   *
   * @param hook gets the gradient; returns nothing, or a gradient of the same shape and dtype
   * @returns `remove()` takes the hook away again
   * @throws AutogradError if the tensor requires no gradients
   * @throws ShapeError, DTypeError, DeviceError, on backward, if the hook returns another kind of tensor
   * @see torch.Tensor.register_hook
   *
   * @example
   * const handle = hidden.registerHook((gradient) => gradient.clamp(-1, 1));
   */
  registerHook(hook: GradientHook): HookHandle {
    this.checkRequiresGrad("registerHook");
    if (typeof hook !== "function") {
      throw new ValueError(`registerHook: the hook must be a function, got ${typeof hook}. Pass (gradient) => ...`);
    }
    const { node } = this;
    return hookGradient(node.variable ?? node, (gradient) => {
      const seen = this.create(gradient);
      const returned: unknown = hook(seen);
      if (!(returned instanceof TensorCore)) return gradient;
      checkGradient("registerHook", returned, seen);
      return returned.node;
    });
  }

  private checkRequiresGrad(op: string): void {
    if (this.requiresGrad) return;
    throw new AutogradError(
      `${op}: the tensor must require gradients, got ${summaryOf(this)} without. Call requiresGrad_() before it is used.`,
    );
  }
}

/** `backward(gradient, options)`, or the options alone. */
function backwardArguments(args: readonly unknown[]): { gradient: Gradients | null; options: BackwardOptions } {
  const [first, second] = args;
  if (first instanceof Gradients) return { gradient: first, options: second ?? {} };
  return { gradient: null, options: second ?? first ?? {} };
}

/** A node whose gradient is wanted, and who gets it. */
interface Target {
  readonly node: Node;
  readonly owner: GradientOwner;
}

/** Leaves below a node that require gradients, and computed tensors that retain them. */
function targetsBelow(root: Node): Target[] {
  return topologicalOrder([root], (node) => !node.requiresGrad).flatMap((node) => {
    const owner = node.requiresGrad ? ownerOf(node) : undefined;
    return owner ? [{ node, owner }] : [];
  });
}

function targetsOf(inputs: Tensor | readonly Tensor[]): Target[] {
  const list = inputs instanceof Gradients ? [inputs] : inputs;
  if (list.length === 0) {
    throw new AutogradError("backward: inputs must not be empty, got none. Leave them out for all leaves.");
  }
  list.forEach((input, index) => {
    if (input.requiresGrad) return;
    throw new AutogradError(
      `backward: inputs must require gradients, got input ${index} without. Call requiresGrad_() before it is used.`,
    );
  });
  return list.map((input) => ({ node: input.node, owner: input }));
}

/** A node that gradients stop at: it requires them, and nothing it was computed from does. */
const isGradientLeaf = (node: Node): boolean => !node.historyLost && !node.inputs.some((input) => input.requiresGrad);

/** The same value as a leaf. */
function leafOf(node: Node, requiresGrad: boolean): Node {
  return requiresGrad ? new Node(ops.detachOp, [node], {}, node.shape, node.dtype, true) : ops.detach(node);
}

/** The gradient that a backward pass starts with. */
export function gradientSeed(op: string, output: Gradients, gradient: Gradients | undefined | null): Node {
  if (!output.requiresGrad) {
    throw new AutogradError(
      `${op}: the tensor must depend on something that requires gradients, got ${summaryOf(output)}. ` +
        "Use parameters or requiresGrad_(), outside of noGrad.",
    );
  }
  if (gradient) {
    checkGradient(op, gradient, output);
    return gradient.node;
  }
  if (output.numel() !== 1) {
    throw new AutogradError(
      `${op}: without a gradient the tensor must have 1 element, got ${showShape(output.shape)}. Reduce it, or pass its gradient.`,
    );
  }
  return ops.onesLike(output.node);
}

function checkGradient(op: string, gradient: TensorCore, of: TensorCore): void {
  if (!sameShape(gradient.shape, of.shape)) {
    throw new ShapeError(
      `${op}: the gradient must have the tensor's shape ${showShape(of.shape)}, got ${showShape(gradient.shape)}. Expand or reduce it.`,
    );
  }
  if (gradient.dtype !== of.dtype) {
    throw new DTypeError(
      `${op}: the gradient must have the tensor's dtype ${of.dtype}, got ${gradient.dtype}. Cast it with .to("${of.dtype}").`,
    );
  }
  deviceOf(op, [of, gradient]);
}
