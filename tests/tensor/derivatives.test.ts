import { derivatives } from "../suites/derivatives";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");
derivatives();
