import { openTestDevice } from "../suites/device";
import { measures } from "../suites/measures";

await openTestDevice("webgpu");
measures();
