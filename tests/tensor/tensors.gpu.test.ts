import { openTestDevice } from "../shared/device";
import { tensors } from "../shared/tensors";

await openTestDevice("webgpu");
tensors();
