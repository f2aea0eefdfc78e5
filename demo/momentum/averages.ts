/** Exponentially weighted averages, by flywheel's own: `AveragedModel` averages a model of one weight, which is the series. */

import { arange, Generator, pow, randn, tensor } from "flywheel";
import { Module, Parameter } from "flywheel/nn";
import { AveragedModel } from "flywheel/optim";
import { type Pause, UNPAUSED } from "./pause";

/** In f64 the page's ten decimals are right. */
const F64 = { dtype: "f64" } as const;

/** A year starts in spring here, at the mean, so that the average's start from 0 shows. */
const MEAN_CELSIUS = 12;
const SWING_CELSIUS = 9;
const DAYS_A_YEAR = 365;

/** A model whose only weight is the value of today. */
class Today extends Module {
  readonly value = new Parameter(tensor([0], F64));

  forward(): Parameter {
    return this.value;
  }
}

/**
 * Daily temperatures, made up: a sine over the year and noise.
 *
 * @param noise standard deviation in °C
 * @returns `days` temperatures in °C
 */
export async function temperatures(days: number, noise: number, seed: number): Promise<number[]> {
  const season = arange(0, days, 1, F64)
    .mul((2 * Math.PI) / DAYS_A_YEAR)
    .sin();
  const weather = randn([days], { generator: new Generator(seed) }).to("f64");
  return numbers(await season.mul(SWING_CELSIUS).add(MEAN_CELSIUS).add(weather.mul(noise)).data());
}

/**
 * `v[t] = beta * v[t-1] + (1 - beta) * series[t]` from `v[0] = 0`, for several betas at once.
 *
 * @returns a list of averages for each beta, as long as the series
 */
export async function movingAverages(
  series: readonly number[],
  betas: readonly number[],
  pause: Pause = UNPAUSED,
): Promise<number[][]> {
  const today = new Today();
  const averaged = betas.map((decay) => new AveragedModel(today, { decay }));
  for (const each of averaged) each.updateParameters(today); // the first update copies: v[0] = 0
  const averages: number[][] = betas.map(() => []);
  for (const value of series) {
    today.value.assign(tensor([value], F64));
    for (const each of averaged) each.updateParameters(today);
    const now = await Promise.all(averaged.map(({ module }) => module.value.item()));
    now.forEach((average, i) => averages[i]!.push(average));
    await pause();
  }
  return averages;
}

/** `v[t] / (1 - beta^t)`: an average whose weights sum to 1 from the first day on. */
export async function withoutBias(averages: readonly number[], beta: number): Promise<number[]> {
  const days = arange(1, averages.length + 1, 1, F64);
  const weights = pow(beta, days).neg().add(1);
  return numbers(await tensor(Float64Array.from(averages), F64).div(weights).data());
}

/**
 * How much the values of today, yesterday and so on count in an average, as the average itself shows: what is left of a single
 * 1 that was followed by zeros. It is `(1 - beta) * beta^k` for the value k days ago.
 *
 * @returns `terms` weights, and their sum
 */
export async function weightsOf(
  beta: number,
  terms: number,
  pause: Pause = UNPAUSED,
): Promise<{ weights: number[]; sum: number }> {
  const impulse = Array.from({ length: terms }, (_, day) => Number(day === 0));
  const [weights] = await movingAverages(impulse, [beta], pause);
  return { weights: weights!, sum: await tensor(Float64Array.from(weights!), F64).sum().item() };
}

const numbers = (data: ArrayLike<number | bigint>): number[] => Array.from(data, Number);
