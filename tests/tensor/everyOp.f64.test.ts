import { openTestDevice } from "../suites/device";
import { everyOp } from "../suites/everyOp";

await openTestDevice("cpu");
everyOp({ float: "f64" });
