/** Numbers as the page shows them. */

/** Three digits, however large or small: `1230`, `30.0`, `0.00123`. */
export const threeDigits = (value: number): string =>
  value.toLocaleString("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false });

/** A time in one unit, rounded up where it is seconds: `62 s`, `2 min`, `1.7 h`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** What follows on how far something is: `, about 62 s left`, or nothing where that is not known yet. */
export const timeLeft = (secondsLeft: number | null): string =>
  secondsLeft === null ? "" : `, about ${duration(secondsLeft)} left`;
