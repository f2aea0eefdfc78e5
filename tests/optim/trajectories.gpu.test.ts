import { openTestDevice } from "../suites/device";
import { trajectories } from "../suites/trajectories";

await openTestDevice("webgpu");
trajectories({ f32: ["mlp", "cnn", "basicBlock", "transformer"] });
