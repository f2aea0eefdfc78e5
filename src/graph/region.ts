/**
 * Regions: stretches of a graph whose values the backward pass computes again instead of holding them. A node belongs to
 * the region that was being built when it was made.
 */

export class Region {
  constructor(
    /** The region that this one was built in. */
    readonly outer: Region | null,
  ) {}

  /** Whether this is `region` or lies in it. */
  isWithin(region: Region): boolean {
    let each: Region | null = this; // eslint-disable-line @typescript-eslint/no-this-alias
    while (each && each !== region) each = each.outer;
    return each === region;
  }
}

let current: Region | null = null;

/** The region that is being built; null outside of all. */
export const currentRegion = (): Region | null => current;

/** Runs `body` with another current region, and puts the old one back whatever happens. */
export function withRegion<T>(region: Region | null, body: () => T): T {
  const before = current;
  current = region;
  try {
    return body();
  } finally {
    current = before;
  }
}
