import type { Calls } from "../call";

interface Diff {
  readonly n?: number;
  readonly dim?: number;
}

export const calls: Calls = {
  diff: ([x, prepend, append], { n, dim }: Diff) =>
    x!.diff(n, dim, { ...(prepend && { prepend }), ...(append && { append }) }),
};
