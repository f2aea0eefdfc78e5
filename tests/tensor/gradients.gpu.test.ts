import { openTestDevice } from "../suites/device";
import { gradientFunctions } from "../suites/gradients";

await openTestDevice("webgpu");
gradientFunctions();
