import { openTestDevice } from "../suites/device";
import { augmentedViews } from "../suites/augmentViews";

await openTestDevice("cpu");
augmentedViews();
