import { openTestDevice } from "../shared/device";
import { randomness } from "../shared/randomness";

await openTestDevice("webgpu");
randomness();
