import { openTestDevice } from "../suites/device";
import { schedules } from "../suites/schedules";
import { optimizerErrors } from "../suites/optimizerErrors";

await openTestDevice("cpu");
schedules();
optimizerErrors();
