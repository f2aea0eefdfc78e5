import { openTestDevice } from "../suites/device";
import { mocoSteps } from "../suites/moco";

await openTestDevice("cpu");
mocoSteps();
