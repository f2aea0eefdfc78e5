import { openTestDevice } from "../suites/device";
import { accuracy } from "../suites/accuracy";

await openTestDevice("cpu");
accuracy();
