/** Lists and dictionaries of modules and parameters, which state dicts name by place or key. */

import { IndexError, ValueError } from "../errors";
import { describe } from "../options";
import { Parameter } from "../parameter";
import { checkKind, Module } from "./module";

/** What lists share: elements are named by their place, "0", "1", ... */
abstract class List<T extends Module | Parameter> extends Module {
  private readonly items: T[] = [];

  constructor(
    private readonly allowed: typeof Module | typeof Parameter,
    items: Iterable<T>,
  ) {
    super();
    this.extend(items);
  }

  protected override members(): [string, T][] {
    return this.items.map((item, index) => [String(index), item]);
  }

  /** Number of elements. */
  get length(): number {
    return this.items.length;
  }

  /**
   * The element at a place; negative ones count from the back.
   *
   * @throws IndexError if there is none
   */
  at(index: number): T {
    const item = this.items.at(index);
    if (item !== undefined && Number.isInteger(index)) return item;
    const { length } = this.items;
    throw new IndexError(
      `${this.constructor.name}: index must be in ${-length}..${length - 1}, got ${index}. Check the length.`,
    );
  }

  /** Adds an element at the end. */
  append(item: T): this {
    return this.insert(this.items.length, item);
  }

  /** Adds an element in front of the one at a place; negative ones count from the back. */
  insert(index: number, item: T): this {
    if (!(item instanceof this.allowed)) {
      throw new ValueError(
        `${this.constructor.name}: elements must be of class ${this.allowed.name}, got ${describe(item)}. Pass ${this.allowed.name}s.`,
      );
    }
    this.items.splice(index, 0, item);
    return this;
  }

  /** Adds elements at the end. */
  extend(items: Iterable<T>): this {
    for (const item of items) this.append(item);
    return this;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.items[Symbol.iterator]();
  }
}

/**
 * Modules in a list. It has no `forward`: call its elements.
 *
 * @throws ValueError if an element is no module
 * @see torch.nn.ModuleList
 *
 * @example
 * class Tower extends nn.Module {
 *   readonly layers = new nn.ModuleList([new nn.Linear(8, 8), new nn.Linear(8, 8)]);
 *   forward(x: Tensor): Tensor {
 *     for (const layer of this.layers) x = layer.forward(x).relu();
 *     return x;
 *   }
 * }
 */
export class ModuleList<T extends Module = Module> extends List<T> {
  constructor(modules: Iterable<T> = []) {
    super(Module, modules);
  }
}

/** Parameters in a list. @throws ValueError if an element is no parameter. @see torch.nn.ParameterList */
export class ParameterList extends List<Parameter> {
  constructor(parameters: Iterable<Parameter> = []) {
    super(Parameter, parameters);
  }
}

/**
 * Modules by key.
 *
 * @throws DTypeError if a value is no module
 * @see torch.nn.ModuleDict
 *
 * @example
 * const heads = new nn.ModuleDict({ classes: new nn.Linear(64, 10), boxes: new nn.Linear(64, 4) });
 * const y = heads.get("classes").forward(x);
 */
export class ModuleDict<T extends Record<string, Module> = Record<string, Module>> extends Module {
  constructor(private readonly modulesByKey: T) {
    super();
    for (const [key, module] of Object.entries(modulesByKey)) checkKind("ModuleDict", key, module, Module);
  }

  protected override members(): [string, Module][] {
    return Object.entries(this.modulesByKey);
  }

  /** The module of a key. */
  get<K extends keyof T & string>(key: K): T[K] {
    if (Object.hasOwn(this.modulesByKey, key)) return this.modulesByKey[key];
    throw new IndexError(
      `ModuleDict: the key must be one of ${this.keys().join(", ")}, got ${JSON.stringify(key)}. Check the spelling.`,
    );
  }

  /** Whether there is a module of a key. */
  has(key: string): boolean {
    return Object.hasOwn(this.modulesByKey, key);
  }

  /** All modules, in their order. */
  values(): T[keyof T & string][] {
    return Object.values(this.modulesByKey) as T[keyof T & string][];
  }

  /** All keys with their modules, in their order. */
  entries(): [keyof T & string, T[keyof T & string]][] {
    return Object.entries(this.modulesByKey) as [keyof T & string, T[keyof T & string]][];
  }

  /** All keys, in their order. */
  keys(): string[] {
    return Object.keys(this.modulesByKey);
  }
}
