import { openTestDevice } from "../suites/device";
import { programs } from "../suites/programs";

await openTestDevice("cpu");
programs();
