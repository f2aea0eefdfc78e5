import { openTestDevice } from "../shared/device";
import { modules } from "../shared/modules";

await openTestDevice("webgpu");
modules();
