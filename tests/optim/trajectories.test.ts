import { openTestDevice } from "../suites/device";
import { trajectories } from "../suites/trajectories";

await openTestDevice("cpu");
trajectories();
