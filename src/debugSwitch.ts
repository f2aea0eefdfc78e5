/** The switch that shows the work without a change to a program; `dev/channels` says what it may hold. */

export const DEBUG_SWITCH = "FLYWHEEL_DEBUG";

/** What there may be, in Node, on a page and in a worker. */
interface Surroundings {
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly versions?: { readonly node?: string };
  };
  readonly location?: { readonly search: string };
  readonly localStorage?: { getItem(name: string): string | null };
}

/**
 * What `FLYWHEEL_DEBUG` says: in Node the environment variable, elsewhere the parameter of that name in the URL (in a worker, the
 * worker's), else the item of localStorage.
 *
 * @returns "" where nobody set it
 */
export function debugSwitch(surroundings = globalThis as unknown as Surroundings): string {
  const { process, location } = surroundings;
  // Node's own localStorage warns where it has no file
  if (process?.versions?.node) return process.env?.[DEBUG_SWITCH] ?? "";
  return new URLSearchParams(location?.search).get(DEBUG_SWITCH) ?? stored(surroundings) ?? "";
}

function stored(surroundings: Surroundings): string | null | undefined {
  try {
    return surroundings.localStorage?.getItem(DEBUG_SWITCH);
  } catch {
    return null; // a page that may store nothing throws when asked
  }
}
