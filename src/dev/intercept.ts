/** Stands in for a method of one object, so that tools can watch what the library does without its knowing of them. */

/**
 * Puts another function in the place of an object's method.
 *
 * @param replace is given the method, bound to the object, and gives what stands in for it
 * @returns puts back what was there
 */
export function intercept<T extends object, K extends keyof T>(
  object: T,
  name: K,
  replace: (method: T[K]) => T[K],
): () => void {
  const own = Object.getOwnPropertyDescriptor(object, name);
  const method = object[name] as (...args: unknown[]) => unknown;
  object[name] = replace(method.bind(object) as T[K]);
  return () => {
    if (own) Object.defineProperty(object, name, own);
    else Reflect.deleteProperty(object, name); // the class's own shows again
  };
}
