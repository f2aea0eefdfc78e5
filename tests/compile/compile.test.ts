import { compiledFunctions } from "../suites/compiled";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");
compiledFunctions();
