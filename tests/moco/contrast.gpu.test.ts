import { openTestDevice } from "../shared/device";
import { contrast } from "../shared/contrast";

await openTestDevice("webgpu");
contrast();
