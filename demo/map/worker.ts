/** The worker of the map: takes features, tells of their places as they find them. One layout, then the page ends it. */

import { type HowFar, Progress } from "../progress";
import { type Directions, Layout, type Places } from "./layout";

/** Worker to page. */
export type LayoutEvent =
  | ({ readonly type: "places"; readonly places: Places } & HowFar)
  | {
      readonly type: "error";
      /** A sentence for the user. */
      readonly message: string;
    };

/** Shortest time between two tellings: points are seen to move. */
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
  const progress = new Progress(
    (howFar) => scope.postMessage({ type: "places", places: layout.places(), ...howFar }),
    () => performance.now(),
    TELL_MS,
  );
  while (!layout.isDone) {
    layout.step();
    progress.at(layout.stepsDone, layout.steps);
  }
}
