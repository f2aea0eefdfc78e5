import { openTestDevice } from "../suites/device";
import { modules } from "../suites/modules";

await openTestDevice("webgpu");
modules();
