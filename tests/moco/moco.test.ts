import { openTestDevice } from "../shared/device";
import { mocoSteps } from "../shared/moco";

await openTestDevice("cpu");
mocoSteps();
