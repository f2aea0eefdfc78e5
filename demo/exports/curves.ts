/** What was told of a run, step by step, as a table. */

import type { SessionEvent } from "../session";

/** What a step, or an evaluation after it, told; null what it did not. */
interface Row {
  readonly step: number;
  loss: number | null;
  contrast_accuracy: number | null;
  knn_accuracy: number | null;
  lr: number | null;
  ms_per_step: number | null;
}

const NOTHING = { loss: null, contrast_accuracy: null, knn_accuracy: null, lr: null, ms_per_step: null };

export class Curves {
  private rows: Row[] = [];

  clear(): void {
    this.rows = [];
  }

  /** Takes what belongs in the table from the events of a run. */
  hear(event: SessionEvent): void {
    if (event.type === "step") {
      const { step, loss, contrastAccuracy, lr, stepsPerSecond } = event;
      const told = { loss, contrast_accuracy: contrastAccuracy, lr };
      Object.assign(this.rowOf(step), told, { ms_per_step: stepsPerSecond === null ? null : 1000 / stepsPerSecond });
    }
    if (event.type === "knn") this.rowOf(event.step).knn_accuracy = event.accuracy;
  }

  /** Steps with their losses. */
  losses(): [step: number, loss: number][] {
    return this.rows.flatMap(({ step, loss }) => (loss === null ? [] : [[step, loss]]));
  }

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  /** The last step that was told of; 0 if none was. */
  get lastStep(): number {
    return this.rows.at(-1)?.step ?? 0;
  }

  /** As a file: names, then a line a step. Accuracies are 0 to 1; a cell is empty where there is nothing to tell. */
  csv(): string {
    const names = ["step", ...Object.keys(NOTHING)] as (keyof Row)[];
    const lines = this.rows.map((row) => names.map((name) => row[name] ?? "").join(","));
    return [names.join(","), ...lines, ""].join("\n");
  }

  /** Steps come in order: it is the last one, or a new one. */
  private rowOf(step: number): Row {
    const last = this.rows.at(-1);
    if (last?.step === step) return last;
    const row = { step, ...NOTHING };
    this.rows.push(row);
    return row;
  }
}
