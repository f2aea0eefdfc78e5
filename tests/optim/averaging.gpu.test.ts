import { averaging } from "../suites/averaging";
import { openTestDevice } from "../suites/device";

await openTestDevice("webgpu");
averaging();
