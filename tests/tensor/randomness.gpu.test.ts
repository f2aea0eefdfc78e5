import { openTestDevice } from "../suites/device";
import { randomness } from "../suites/randomness";

await openTestDevice("webgpu");
randomness();
