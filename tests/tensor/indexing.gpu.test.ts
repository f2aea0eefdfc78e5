import { openTestDevice } from "../suites/device";
import { indexing } from "../suites/indexing";

await openTestDevice("webgpu");
indexing();
