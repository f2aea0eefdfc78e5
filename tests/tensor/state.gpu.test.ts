import { openTestDevice } from "../shared/device";
import { valuesAndState } from "../shared/state";

await openTestDevice("webgpu");
valuesAndState();
