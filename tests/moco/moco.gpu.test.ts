import { openTestDevice } from "../suites/device";
import { mocoSteps } from "../suites/moco";

await openTestDevice("webgpu");
mocoSteps();
