/** The worker of the map: takes features, tells of their places as they find them. One layout, then the page ends it. */

import { type Directions, Layout, type Places } from "./layout";

/** Worker to page. */
export type LayoutEvent =
  | {
      readonly type: "places";
      readonly places: Places;
      /** What is done of the layout, 0 to 1. */
      readonly share: number;
    }
  | {
      readonly type: "error";
      /** A sentence for the user. */
      readonly message: string;
    };

/** Shortest time between two tellings. */
const TELL_MS = 150;

// Structured by hand: TypeScript's library for pages does not know a worker's scope.
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Directions>) => void;
  postMessage: (event: LayoutEvent) => void;
};

scope.onmessage = ({ data }) => {
  try {
    layOut(data);
  } catch (error) {
    scope.postMessage({ type: "error", message: error instanceof Error ? error.message : String(error) });
  }
};

function layOut(directions: Directions): void {
  const layout = new Layout(directions);
  const tell = (): void => scope.postMessage({ type: "places", places: layout.places(), share: layout.share });
  let toldMs = -Infinity;
  while (!layout.isDone) {
    layout.step();
    if (performance.now() - toldMs < TELL_MS) continue;
    tell();
    toldMs = performance.now();
  }
  tell();
}
