import { openTestDevice } from "../shared/device";
import { mocoSteps } from "../shared/moco";

await openTestDevice("webgpu");
mocoSteps();
