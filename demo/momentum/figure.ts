/**
 * A figure of the page: its controls, what they compute, and what is shown of it. Settings come from the address and go
 * there; a change is computed soon after, once for all that changed meanwhile.
 */

import { copyFrom } from "../clipboard";
import { Panel } from "./controls";
import { type Pause, Recomputed } from "./pause";
import { type Controls, presetsOf, type Values, valuesFrom, valuesInto } from "./settings";

/** Shortest time between a change and its computation. */
const SETTLE_MS = 50;

/** Browsers let a page write its address some 100 times in 30 s. */
const ADDRESS_MS = 400;

export interface FigureOptions<C extends Controls, Result> {
  /** Id of its section, and its name in addresses. */
  readonly name: string;
  readonly controls: C;
  readonly compute: (values: Values<C>, pause: Pause) => Promise<Result>;
  /** Shows what was computed. @returns it in a sentence or two */
  readonly show: (result: Result, values: Values<C>) => string;
  /** What stands in its formulas, by the `data-value` of their parts. */
  readonly formula?: (values: Values<C>) => Readonly<Record<string, string>>;
  /** Called at every change, before anything is computed. */
  readonly changed?: (values: Values<C>, panel: Panel<C>) => void;
}

export class Figure<C extends Controls, Result> {
  private readonly panel: Panel<C>;
  private readonly section: HTMLElement;
  private readonly computed: Recomputed;
  private addressTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: FigureOptions<C, Result>) {
    const { name, controls } = options;
    this.section = document.getElementById(name)!;
    this.panel = new Panel(this.find(".controls") as HTMLFormElement, name, controls, () => this.change());
    this.computed = new Recomputed((pause) => this.recompute(pause));
    this.find(".reset").addEventListener("click", () => this.set(presetsOf(controls)));
    this.find(".share").addEventListener("click", () => void this.share());
    this.panel.write(valuesFrom(new URLSearchParams(location.search), name, controls));
    this.prepare();
    this.panel.unfold();
    this.computed.ask();
  }

  /** The part of its section that a selector names. */
  find(selector: string): HTMLElement {
    return this.section.querySelector<HTMLElement>(selector)!;
  }

  /** Changes settings, as if the user had. */
  set(values: Partial<Values<C>>): void {
    this.panel.write({ ...this.panel.read(), ...values });
    this.change();
  }

  get values(): Values<C> {
    return this.panel.read();
  }

  /** Shows settings that are not computed yet. */
  private prepare(): void {
    this.options.changed?.(this.values, this.panel);
    for (const [part, words] of Object.entries(this.options.formula?.(this.values) ?? {}))
      for (const place of this.section.querySelectorAll(`[data-value="${part}"]`)) place.textContent = words;
  }

  private change(): void {
    this.prepare();
    this.computed.ask(SETTLE_MS);
    this.addressTimer ??= setTimeout(() => {
      this.addressTimer = undefined;
      history.replaceState(null, "", this.address(location.search, location.hash));
    }, ADDRESS_MS);
  }

  private async recompute(pause: Pause): Promise<void> {
    const { values } = this;
    try {
      this.say(this.options.show(await this.options.compute(values, pause), values));
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
      console.error(error);
    }
  }

  private say(text: string): void {
    const says = this.find(".says");
    if (says.textContent !== text) says.textContent = text;
  }

  /** An address of the page with these settings. */
  private address(search: string, hash: string): string {
    const params = new URLSearchParams(search);
    valuesInto(params, this.options.name, this.options.controls, this.values);
    const text = params.toString();
    return `${location.pathname}${text && `?${text}`}${hash}`;
  }

  /** Copies an address that shows this figure as it is. */
  private async share(): Promise<void> {
    const url = new URL(this.address("", `#${this.options.name}`), location.href).href;
    const isCopied = await copyFrom(this.find(".share"), "Copy link", url);
    if (!isCopied) this.say(`This figure's address: ${url}`);
  }
}
