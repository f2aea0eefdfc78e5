import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");
const { linearClassification } = await import("../suites/evaluation");
linearClassification();
