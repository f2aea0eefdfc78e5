import { openTestDevice } from "../suites/device";
import { recomputation } from "../suites/recompute";

await openTestDevice("cpu");
recomputation();
