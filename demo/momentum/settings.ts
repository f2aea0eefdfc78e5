/**
 * Settings of a figure: what its controls are, what they may be, and how an address holds them. An address names only what
 * differs from the text's constants: `?sgd.lr=0.02`.
 */

import { rounded, verbatim } from "./words";

/** A number between two ends. */
export interface Slider {
  readonly kind: "slider";
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The text's constant. */
  readonly value: number;
  readonly unit?: string;
  /** Whether it is a number of the loss, not of the method: those are folded away. */
  readonly isShape?: boolean;
}

/** Yes or no. */
export interface Switch {
  readonly kind: "switch";
  readonly label: string;
  readonly value: boolean;
}

/** One of several; `options` are the words for each. */
export interface Choice<Name extends string = string> {
  readonly kind: "choice";
  readonly label: string;
  readonly options: Readonly<Record<Name, string>>;
  readonly value: Name;
}

export type Control = Slider | Switch | Choice;
export type Controls = Readonly<Record<string, Control>>;

/** The values of a figure's controls, by their names. */
export type Values<C extends Controls> = {
  readonly [Name in keyof C]: C[Name] extends Slider ? number : C[Name] extends Choice<infer O> ? O : boolean;
};

type Value = number | boolean | string;

export const slider = (
  label: string,
  value: number,
  [min, max, step]: readonly [min: number, max: number, step: number],
  unit?: string,
): Slider => ({ kind: "slider", label, min, max, step, value, ...(unit && { unit }) });

/** A number of the loss itself. */
export const shape = (
  label: string,
  value: number,
  ends: readonly [min: number, max: number, step: number],
): Slider => ({
  ...slider(label, value, ends),
  isShape: true,
});

export const toggle = (label: string, value: boolean): Switch => ({ kind: "switch", label, value });

export const choice = <Name extends string>(
  label: string,
  value: NoInfer<Name>,
  options: Readonly<Record<Name, string>>,
): Choice<Name> => ({ kind: "choice", label, options, value });

/** The text's constants. */
export const presetsOf = <C extends Controls>(controls: C): Values<C> =>
  Object.fromEntries(Object.entries(controls).map(([name, { value }]) => [name, value])) as Values<C>;

/**
 * Settings from an address; what it leaves out, or what cannot be read, is the text's constant.
 *
 * @param figure its name, the part before the dot
 *
 * @example
 * valuesFrom(new URLSearchParams("sgd.lr=0.02"), "sgd", { lr: slider("learning rate", 0.01, [0, 1, 0.01]) }).lr; // 0.02
 */
export function valuesFrom<C extends Controls>(search: URLSearchParams, figure: string, controls: C): Values<C> {
  const read = Object.entries(controls).map(([name, control]) => {
    const text = search.get(`${figure}.${name}`);
    return [name, text === null ? control.value : parse(control, text)];
  });
  return Object.fromEntries(read) as Values<C>;
}

/** Puts settings into an address, without those that are the text's constants. */
export function valuesInto<C extends Controls>(
  search: URLSearchParams,
  figure: string,
  controls: C,
  values: Values<C>,
): void {
  for (const [name, { value }] of Object.entries(controls)) {
    const now = (values as Record<string, Value>)[name]!;
    if (now === value) search.delete(`${figure}.${name}`);
    else search.set(`${figure}.${name}`, String(now));
  }
}

function parse(control: Control, text: string): Value {
  switch (control.kind) {
    case "slider":
      return text.trim() === "" || !Number.isFinite(Number(text)) ? control.value : nearest(control, Number(text));
    case "switch":
      return text === "true" || (text !== "false" && control.value);
    case "choice":
      return Object.hasOwn(control.options, text) ? text : control.value;
  }
}

/** The nearest number that a slider has. */
export function nearest({ min, max, step }: Slider, value: number): number {
  const steps = Math.round((Math.min(max, Math.max(min, value)) - min) / step);
  return rounded(Math.min(max, min + steps * step));
}

/** A slider's value in words: 0.01, or 12 °C. */
export const valueText = ({ unit }: Slider, value: number): string => `${verbatim(value)}${unit ? ` ${unit}` : ""}`;
