import { openTestDevice } from "../shared/device";
import { augmentations } from "../shared/augmentations";

await openTestDevice("webgpu");
augmentations();
