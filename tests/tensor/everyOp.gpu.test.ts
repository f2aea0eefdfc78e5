import { openTestDevice } from "../shared/device";
import { everyOp } from "../shared/everyOp";

await openTestDevice("webgpu");
everyOp();
