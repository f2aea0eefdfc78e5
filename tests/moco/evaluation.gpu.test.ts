import { openTestDevice } from "../suites/device";

await openTestDevice("webgpu");
const { linearClassification } = await import("../suites/evaluation");
linearClassification();
