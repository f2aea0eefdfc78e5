import { openTestDevice } from "../suites/device";
import { schedules } from "../suites/schedules";
import { sgdErrors } from "../suites/sgdErrors";

await openTestDevice("cpu");
schedules();
sgdErrors();
