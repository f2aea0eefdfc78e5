import { openTestDevice } from "../suites/device";

await openTestDevice("webgpu");
const { fineTuning, linearClassification } = await import("../suites/evaluation");
linearClassification();
fineTuning();
