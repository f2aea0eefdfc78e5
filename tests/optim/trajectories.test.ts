import { openTestDevice } from "../suites/device";
import { trajectories } from "../suites/trajectories";

await openTestDevice("cpu");
// f64 for all, which shows the most; the reference is slow
trajectories({ f32: ["mlp"], f64: ["mlp", "cnn", "basicBlock", "transformer"] });
