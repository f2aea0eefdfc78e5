import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");
const { fineTuning, linearClassification, subsets } = await import("../suites/evaluation");
linearClassification();
fineTuning();
subsets();
