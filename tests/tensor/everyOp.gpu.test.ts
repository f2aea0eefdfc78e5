import { openTestDevice } from "../suites/device";
import { everyOp } from "../suites/everyOp";

const { FLYWHEEL_GOLDENS_EVERY } = import.meta.env as Record<string, string | undefined>;

await openTestDevice("webgpu");
everyOp({ every: Number(FLYWHEEL_GOLDENS_EVERY ?? 1) });
