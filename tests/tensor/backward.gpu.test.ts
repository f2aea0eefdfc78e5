import { backwardOptions } from "../suites/backward";
import { openTestDevice } from "../suites/device";

await openTestDevice("webgpu");
backwardOptions();
