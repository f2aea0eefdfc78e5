import { openTestDevice } from "../suites/device";
import { losses } from "../suites/losses";

await openTestDevice("cpu");
losses();
