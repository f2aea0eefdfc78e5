import { openTestDevice } from "../suites/device";
import { losses } from "../suites/losses";

await openTestDevice("webgpu");
losses();
