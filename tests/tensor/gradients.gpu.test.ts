import { openTestDevice } from "../shared/device";
import { gradientFunctions } from "../shared/gradients";

await openTestDevice("webgpu");
gradientFunctions();
