/**
 * Types of the public surface. `tsc` checks this file and nothing runs it: each `expectType` compiles only where a value has
 * exactly that type, and each line under `@ts-expect-error` must not compile.
 */

import {
  type Bounds,
  cat,
  type Device,
  type DType,
  F,
  grad,
  gradcheck,
  hessian,
  type HookHandle,
  jacobian,
  jvp,
  type NestedArray,
  nn,
  noGrad,
  ones,
  optim,
  Parameter,
  recompute,
  type Shape,
  type Tensor,
  tensor,
  type TypedArray,
  type ValuesAndIndices,
  valueAndGrad,
  vjp,
} from "flywheel";

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- two functions are equal if their types are
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles where the type of the value is `Expected`, and neither wider nor narrower. */
declare function expectType<Expected>(): <Actual>(
  value: Actual,
  ...mismatch: Same<Actual, Expected> extends true ? [] : [never]
) => void;

declare const x: Tensor;
declare const device: Device;
declare const dtype: DType;

export function values(): void {
  expectType<Tensor>()(tensor(1));
  expectType<Tensor>()(tensor(true));
  expectType<Tensor>()(tensor([1, 2, 3]));
  expectType<Tensor>()(tensor([[1], [2]]));
  expectType<Tensor>()(tensor([[[true, false]], [[1, 0]]]));
  expectType<Tensor>()(tensor([]));
  const frozen = [[1, 2], [3, 4]] as const; // prettier-ignore
  expectType<Tensor>()(tensor(frozen));
  for (const array of [
    new Float32Array(1),
    new Float64Array(1),
    new Int32Array(1),
    new Uint32Array(1),
    new Uint8Array(1),
  ])
    expectType<Tensor>()(tensor(array));
  expectType<Tensor>()(tensor(new Uint8ClampedArray(1), { shape: [1], dtype: "f64", device, requiresGrad: true }));
  // @ts-expect-error strings are no numbers
  tensor("1");
  // @ts-expect-error nor are they in lists
  tensor([["1"]]);
  // @ts-expect-error null is no number
  tensor([1, null]);
  // @ts-expect-error there is no such dtype
  tensor([1], { dtype: "float32" });
  // @ts-expect-error options are PyTorch's in camelCase
  tensor([1], { requires_grad: true });
}

export async function reading(): Promise<void> {
  expectType<TypedArray>()(await x.data());
  expectType<number>()(await x.item());
  expectType<NestedArray>()(await x.toArray());
  expectType<Shape>()(x.shape);
  expectType<Shape>()(x.size());
  expectType<number>()(x.size(0));
  expectType<DType>()(x.dtype);
  // @ts-expect-error shapes are not to be written
  x.shape[0] = 1;
  // @ts-expect-error nor is the dtype
  x.dtype = "f32";
}

export async function overloads(): Promise<void> {
  expectType<Tensor>()(x.max());
  expectType<ValuesAndIndices>()(x.max(0));
  expectType<ValuesAndIndices>()(x.max(0, { keepDim: true }));
  expectType<Tensor>()(x.max(x));
  const { values: most, indices } = x.min(-1);
  expectType<Tensor>()(most);
  expectType<Tensor>()(indices);
  expectType<ValuesAndIndices>()(x.topk(2));
  expectType<ValuesAndIndices>()(x.sort({ descending: true }));
  expectType<Tensor>()(x.to("i32"));
  expectType<Tensor>()(x.to(dtype));
  expectType<Promise<Tensor>>()(x.to(device));
  expectType<Tensor>()(await x.to(device));
  expectType<Tensor>()(
    x
      .add(1)
      .mul(x)
      .slice([0, null], [] satisfies Bounds),
  );
  expectType<Tensor>()(cat([x, x], 1));
  // @ts-expect-error keepDim needs a dim
  x.max({ keepDim: true });
  // @ts-expect-error dtypes are named
  void x.to("float");
  // @ts-expect-error a list of tensors, not tensors
  cat(x, x);
  // @ts-expect-error PyTorch's name, in camelCase
  x.sum(0, { keepdim: true });
  // @ts-expect-error bools are tensors' values, not operands of add
  x.add("1");
}

export function gradients(): void {
  const one: Tensor[] = grad(x, x);
  expectType<Tensor[]>()(one);
  expectType<Tensor[]>()(grad(x, [x, x], { createGraph: true }));
  expectType<Tensor[]>()(grad(x, [x], { allowUnused: false }));
  expectType<(Tensor | null)[]>()(grad(x, [x], { allowUnused: true }));
  expectType<Tensor | null>()(x.grad);
  expectType<boolean>()(x.requiresGrad);
  x.backward();
  x.backward(x, { inputs: [x] });
  x.backward({ createGraph: true });
  expectType<HookHandle>()(x.registerHook((gradient) => gradient.mul(2)));
  expectType<HookHandle>()(x.registerHook((gradient) => console.log(gradient)));
  expectType<HookHandle>()(x.registerHook(() => null));
  expectType<{ value: Tensor; grads: Tensor[] }>()(valueAndGrad((a) => a.sum())(x));
  expectType<number>()(noGrad(() => 3));
  // @ts-expect-error there is no such option
  x.backward({ create_graph: true });
  // @ts-expect-error inputs are tensors
  x.backward({ inputs: [1] });
  // @ts-expect-error gradients are tensors
  x.grad = 3;
}

export function functionsOfFunctions(): void {
  expectType<[outputs: Tensor, products: Tensor]>()(vjp((a) => a.exp(), x));
  expectType<[outputs: [Tensor, Tensor], products: [Tensor, Tensor]]>()(
    vjp((a, b): [Tensor, Tensor] => [a.add(b), a], [x, x], [x, x]),
  );
  expectType<[outputs: Tensor, products: Tensor]>()(jvp((a, b) => a.mul(b), [x, x], [x, x]));
  expectType<Tensor>()(jacobian((a) => a, x));
  expectType<[Tensor, Tensor]>()(jacobian((a, b) => a.mul(b), [x, x]));
  expectType<[[Tensor], [Tensor]]>()(jacobian((a): [Tensor, Tensor] => [a, a], [x]));
  expectType<[[Tensor, Tensor], [Tensor, Tensor]]>()(hessian((a, b) => a.mul(b).sum(), [x, x]));
  expectType<Promise<boolean>>()(gradcheck((a, b) => [a, b], [x, x], { eps: 1e-5 }));
  expectType<Tensor>()(recompute((a: Tensor, times: number) => a.mul(times), x, 2));
  expectType<{ a: Tensor }>()(recompute(() => ({ a: x })));
  // @ts-expect-error the function takes two
  jacobian((a, b) => a.mul(b), x);
  // @ts-expect-error recompute passes what it is given
  recompute((a: Tensor) => a, 2);
}

export function layers(): void {
  const layer = new nn.Linear(2, 3, { bias: false });
  expectType<Parameter>()(layer.weight);
  expectType<Parameter | null>()(layer.bias);
  expectType<Tensor>()(layer.forward(x));
  expectType<Parameter[]>()(layer.parameters());
  expectType<nn.Linear>()(layer.double());
  expectType<nn.Linear>()(layer.train());
  expectType<Tensor>()(F.crossEntropy(x, x, { labelSmoothing: 0.1, reduction: "sum" }));
  expectType<Tensor | null>()(new Parameter(ones([1])).grad);
  new optim.SGD(layer.parameters(), { lr: 0.1, nesterov: true, momentum: 0.9 }).step();
  // @ts-expect-error a rate is needed
  new optim.SGD(layer.parameters(), {});
  // @ts-expect-error only parameters are trained
  new optim.SGD([x], { lr: 1 });
  // @ts-expect-error there is no such reduction
  F.mseLoss(x, x, { reduction: "average" });
  // @ts-expect-error sizes come first
  new nn.Linear({ inFeatures: 2, outFeatures: 3 });
}
