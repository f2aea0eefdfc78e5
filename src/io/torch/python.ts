/** What a pickle's stack holds beside numbers, strings, booleans and null. None of it can be called. */

import type { FileDType } from "../fileArray";

/** A tuple, also a torch.Size. */
export class PyTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A list; it grows while the pickle is read. */
export class PyList {
  readonly items: unknown[] = [];
}

/** A dict or an OrderedDict: keys and values in turn, as they were set. */
export class PyDict {
  readonly items: unknown[] = [];

  constructor(readonly isOrdered: boolean) {}
}

/** A name that a pickle asks for: `torch.FloatStorage`. It stays a name. */
export class PyGlobal {
  constructor(readonly name: string) {}
}

/** Memory that tensors lie in. */
export class PyStorage {
  constructor(
    readonly key: string,
    readonly dtype: FileDType,
    /** Elements. */
    readonly count: number,
  ) {}
}

/** A tensor: a view of a storage, checked to lie in it. */
export class PyTensor {
  constructor(
    readonly storage: PyStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}
