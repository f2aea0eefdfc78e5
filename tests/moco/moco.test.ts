import { openTestDevice } from "../suites/device";
import { mocoSteps } from "../suites/moco";
import { mocoV3Steps } from "../suites/mocoV3";

await openTestDevice("cpu");
mocoSteps();
mocoV3Steps();
