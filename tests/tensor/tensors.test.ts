import { openTestDevice } from "../suites/device";
import { tensors } from "../suites/tensors";

await openTestDevice("cpu");
tensors();
