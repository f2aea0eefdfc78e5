/**
 * The page "Momentum": figures of averages and of descents, each computed in this tab by flywheel's own optimizers, on the CPU
 * device and in f64. The address may hold settings (`?sgd.lr=0.02`). `window.flywheelMomentum` is for scripts.
 */

import { init } from "flywheel";
import { averagesFigure } from "./averagesFigure";
import { bowlFigure } from "./bowlFigure";
import { formsFigure } from "./formsFigure";
import { hillFigure } from "./hillFigure";
import { whenIdle } from "./pause";
import { surfaceFigure } from "./surfaceFigure";

declare global {
  interface Window {
    /** For scripts: resolves once everything that was asked for is computed and shown. */
    flywheelMomentum: { whenIdle: () => Promise<void> };
  }
}

await init({ device: "cpu" });
const figures = [averagesFigure(), bowlFigure(), formsFigure(), hillFigure(), surfaceFigure()];
await whenIdle();
document.body.dataset["state"] = "done";
document.getElementById("adapter")!.textContent = `${figures.length} figures, computed here in f64`;
window.flywheelMomentum = { whenIdle };
