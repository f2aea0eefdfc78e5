import { openTestDevice } from "../suites/device";
import { mocoSteps } from "../suites/moco";
import { mocoV3Steps } from "../suites/mocoV3";

await openTestDevice("webgpu");
mocoSteps();
mocoV3Steps();
