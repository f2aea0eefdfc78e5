import { clipping } from "../suites/clipping";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");
clipping();
