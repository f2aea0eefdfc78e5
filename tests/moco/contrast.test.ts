import { openTestDevice } from "../suites/device";
import { contrast } from "../suites/contrast";

await openTestDevice("cpu");
contrast();
