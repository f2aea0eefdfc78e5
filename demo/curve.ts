/** The points of a chart's curves: thinned out evenly where they get many, so that a long run draws as fast as a short one. */

/** A curve of more points drops every other one. */
const MAX_POINTS = 2000;

export interface Point {
  readonly step: number;
  readonly value: number;
}

/** One curve: its first point, its last, and evenly many of those between. */
export class Curve {
  private kept: (Point & { readonly index: number })[] = [];
  private added = 0;
  /** Of the points between the ends, those stay whose index it divides. */
  private stride = 1;

  get points(): readonly Point[] {
    return this.kept;
  }

  /** Sets the value at a step, no earlier than the last one. */
  add(step: number, value: number): void {
    const last = this.kept.at(-1);
    const isSame = last?.step === step;
    if (last && (isSame || last.index % this.stride !== 0)) this.kept.pop(); // it was only there as the last one
    const index = isSame ? last.index : this.added++;
    this.kept.push({ index, step, value });
    if (this.kept.length <= MAX_POINTS) return;
    this.stride *= 2;
    this.kept = this.kept.filter((point) => point.index % this.stride === 0 || point.index === index);
  }
}

/** Curves as uPlot takes them: a column of steps, then one of values a curve, with null where it has no point. */
export function columnsOf(curves: readonly Curve[]): [number[], ...(number | null)[][]] {
  const steps = [...new Set(curves.flatMap(({ points }) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  const values = curves.map(({ points }) => {
    const byStep = new Map(points.map(({ step, value }) => [step, value]));
    return steps.map((step) => byStep.get(step) ?? null);
  });
  return [steps, ...values];
}
