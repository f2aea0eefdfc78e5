import { anomalies } from "../suites/anomaly";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");
anomalies();
