import { openTestDevice } from "../suites/device";
import { gradientChecks } from "../suites/gradcheck";

await openTestDevice("cpu");
gradientChecks();
