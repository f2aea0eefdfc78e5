import { openTestDevice } from "../suites/device";
import { pointwise } from "../suites/pointwise";

await openTestDevice("cpu");
pointwise();
