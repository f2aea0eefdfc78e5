import { openTestDevice } from "../suites/device";
import { layers } from "../suites/layers";

await openTestDevice("webgpu");
layers();
