import { openTestDevice } from "../suites/device";
import { optimizers } from "../suites/optimizers";

await openTestDevice("webgpu");
optimizers();
