import { openTestDevice } from "../suites/device";
import { measures } from "../suites/measures";

await openTestDevice("cpu");
measures();
