/** Methods of tensors as the functions that PyTorch has for them. */

import { checkTensor, type Tensor } from "./tensor";

/** A method as a function whose first argument is the tensor. */
type FunctionOf<Method> = Method extends (...args: infer Args extends readonly unknown[]) => infer Result
  ? ((...args: Args) => Result) extends Method
    ? (input: Tensor, ...args: Args) => Result
    : Overloads<Method>
  : never;

/** The same of two or three overloads; of two, the first comes twice. */
type Overloads<Method> = Method extends {
  (...args: infer A): infer X;
  (...args: infer B): infer Y;
  (...args: infer C): infer Z;
}
  ? { (input: Tensor, ...args: A): X; (input: Tensor, ...args: B): Y; (input: Tensor, ...args: C): Z }
  : never;

type MethodName = { [N in keyof Tensor]: Tensor[N] extends (...args: never[]) => unknown ? N : never }[keyof Tensor];

/** The method of this name as a function of the tensor and the method's arguments. */
export function functionOf<Name extends MethodName & string>(name: Name): FunctionOf<Tensor[Name]> {
  const call = (input: Tensor, ...args: readonly unknown[]): unknown => {
    checkTensor(name, input);
    return (input[name] as (this: Tensor, ...args: readonly unknown[]) => unknown).apply(input, [...args]);
  };
  return call as FunctionOf<Tensor[Name]>;
}
