/** What the script that conducts a run needs of this folder; loads no library. */

import { EMA, EPS, LEARNING_RATE, MOMENTUM, TEMPERATURE } from "./library";

export { conductRow } from "./conduct";
export { IN_PAGES, PEERS, TORCH } from "./names";
export { GOALS } from "./goals";
export { htmlOf } from "./html";
export { markdownOf, printPeers } from "./report";
export { complaintAfter, complaintOf, runsToCheck } from "./work";
export { WORKS } from "./works";

/** For libraries that are not written in TypeScript. */
export const constants = { EMA, EPS, LEARNING_RATE, MOMENTUM, TEMPERATURE };
