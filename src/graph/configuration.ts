/**
 * How often something changed that decides which graphs are built, and that no graph shows: what requires gradients, hooks,
 * the device of some state. What was recorded before such a change is not replayed after it.
 */

let changes = 0;

/** Notes such a change. */
export function noteChange(): void {
  changes++;
}

/** Changes so far. */
export const changeCount = (): number => changes;
