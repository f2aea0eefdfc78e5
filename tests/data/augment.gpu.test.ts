import { openTestDevice } from "../suites/device";
import { augmentations } from "../suites/augmentations";

await openTestDevice("webgpu");
augmentations();
