import { openTestDevice } from "../shared/device";
import { layers } from "../shared/layers";

await openTestDevice("cpu");
layers();
