import { openTestDevice } from "../shared/device";
import { optimizers } from "../shared/optimizers";

await openTestDevice("webgpu");
optimizers();
