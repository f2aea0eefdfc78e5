import { openTestDevice } from "../suites/device";
import { officialCheckpoints } from "../suites/official";

await openTestDevice("cpu");
officialCheckpoints();
