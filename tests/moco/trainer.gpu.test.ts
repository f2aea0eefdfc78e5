import { openTestDevice } from "../suites/device";
import { trainer } from "../suites/trainer";

await openTestDevice("webgpu");
trainer();
