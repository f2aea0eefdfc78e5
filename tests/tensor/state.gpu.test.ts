import { openTestDevice } from "../suites/device";
import { valuesAndState } from "../suites/state";

await openTestDevice("webgpu");
valuesAndState();
