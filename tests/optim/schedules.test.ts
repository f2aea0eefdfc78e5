import { openTestDevice } from "../shared/device";
import { schedules } from "../shared/schedules";
import { sgdErrors } from "../shared/sgdErrors";

await openTestDevice("cpu");
schedules();
sgdErrors();
