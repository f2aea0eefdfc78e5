/** Whether new nodes remember that they need gradients. `noGrad` switches it; every op builder reads it. */

let enabled = true;

export const gradEnabled = (): boolean => enabled;

/** Sets gradient tracking until somebody sets it again. */
export function setGradMode(value: boolean): void {
  enabled = value;
}

/** Runs `body` with gradient tracking set to `value`, and puts it back whatever happens. */
export function withGradMode<T>(value: boolean, body: () => T): T {
  const before = enabled;
  enabled = value;
  try {
    return body();
  } finally {
    enabled = before;
  }
}
