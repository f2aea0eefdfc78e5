/** Copies of modules: layers, parameters, buffers and counters anew, with the values of that moment; all else is shared. */

import { ValueError } from "../errors";
import { Buffer, Counter, Parameter } from "../parameter";
import { Module, watchModule } from "./module";

/**
 * A copy of a module that trains and is written on its own. What appears twice in the module does so in the copy.
 *
 * @param op who copies, for errors
 * @throws ValueError if a field is an object of another class that holds parameters: nobody knows how to copy it
 * @see copy.deepcopy of Python, as torch.optim.swa_utils.AveragedModel uses it
 */
export const copyOf = <M extends Module>(op: string, module: M): M => new Copier(op).copy(module);

class Copier {
  private readonly copies = new Map<unknown, unknown>();

  constructor(private readonly op: string) {}

  copy<T>(value: T): T {
    if (typeof value !== "object" || value === null) return value;
    let copy = this.copies.get(value);
    if (copy === undefined) {
      copy = this.made(value);
      this.copies.set(value, copy);
    }
    return copy as T;
  }

  private made(value: object): unknown {
    if (value instanceof Parameter) {
      const { requiresGrad, variable } = value;
      return new Parameter(value.detach().clone(), { requiresGrad, name: variable.name });
    }
    if (value instanceof Buffer) {
      return new Buffer(value.detach().clone(), { name: value.variable.name, persistent: value.persistent });
    }
    if (value instanceof Counter) return new Counter(value.value, value.shape, value.device);
    if (Array.isArray(value)) return value.map((item) => this.copy(item as unknown));
    if (value instanceof Module || isPlain(value)) return this.withFields(value);
    if (holdsState(value)) {
      throw new ValueError(
        `${this.op}: a model must hold its parameters in modules, lists or plain objects, got some in a ${value.constructor.name}. Copy a part of it.`,
      );
    }
    return value;
  }

  private withFields(value: object): object {
    const copy = Object.create(Object.getPrototypeOf(value) as object) as Record<string, unknown>;
    this.copies.set(value, copy); // before its fields: one of them may lead back here
    for (const [name, field] of Object.entries(value)) copy[name] = this.copy(field as unknown);
    if (copy instanceof Module) watchModule(copy);
    return copy;
  }
}

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;

const isState = (value: unknown): boolean =>
  value instanceof Parameter || value instanceof Buffer || value instanceof Counter || value instanceof Module;

/** Whether an object of an unknown class has state among its fields. */
const holdsState = (value: object): boolean =>
  Object.values(value).some((field: unknown) => (Array.isArray(field) ? field.some(isState) : isState(field)));
