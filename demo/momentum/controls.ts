/** Sliders, switches and choices as the page shows them: a label, the value with its unit, and the field. */

import { type Control, type Controls, nearest, type Slider, type Values, valueText } from "./settings";

type Field = HTMLInputElement | HTMLSelectElement;

/** The controls of one figure. */
export class Panel<C extends Controls> {
  private readonly fields = new Map<string, Field>();
  /** Where the numbers of the loss are folded away. */
  private shape: HTMLElement | undefined;

  /**
   * @param form where they go
   * @param figure its name, the first part of ids
   * @param changed called after the user has changed something
   */
  constructor(
    form: HTMLFormElement,
    figure: string,
    private readonly controls: C,
    changed: () => void,
  ) {
    for (const [name, control] of Object.entries(controls)) {
      const { row, field } = rowOf(control, `${figure}-${name}`);
      field.name = name;
      this.fields.set(name, field);
      (isShape(control) ? (this.shape ??= foldIn(form)) : form).append(row);
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      this.showValue((event.target as Field).name);
      changed();
    });
  }

  read(): Values<C> {
    const entries = [...this.fields].map(([name, field]) => [name, valueOf(this.controls[name]!, field)]);
    return Object.fromEntries(entries) as Values<C>;
  }

  write(values: Values<C>): void {
    for (const [name, field] of this.fields) {
      const value = (values as Record<string, number | boolean | string>)[name];
      if (typeof value === "boolean") (field as HTMLInputElement).checked = value;
      else field.value = String(value);
      this.showValue(name);
    }
  }

  /** Greys out the controls that have no effect as things are. */
  disable(names: readonly (keyof C)[]): void {
    for (const [name, field] of this.fields) field.disabled = names.includes(name);
  }

  /** Takes away the controls that belong to something else than what is shown. */
  hide(names: readonly (keyof C)[]): void {
    for (const [name, field] of this.fields) field.closest<HTMLElement>(".control")!.hidden = names.includes(name);
  }

  /** Shows the numbers of the loss where one of them is not the text's. */
  unfold(): void {
    const { shape } = this;
    if (!shape) return;
    const isOther = ([name, control]: [string, Control]): boolean =>
      isShape(control) &&
      valueOf(control, this.fields.get(name)!) !== control.value &&
      !this.fields.get(name)!.closest<HTMLElement>(".control")!.hidden;
    shape.closest("details")!.open = Object.entries(this.controls).some(isOther);
  }

  /** Gives the words of a choice anew. */
  retitle(name: keyof C & string, words: readonly string[]): void {
    [...(this.fields.get(name) as HTMLSelectElement).options].forEach((option, i) => (option.text = words[i]!));
  }

  private showValue(name: string): void {
    const control = this.controls[name]!;
    if (control.kind !== "slider") return;
    const field = this.fields.get(name)!;
    const text = valueText(control, Number(field.value));
    field.setAttribute("aria-valuetext", text);
    document.querySelector(`output[for="${field.id}"]`)!.textContent = text;
  }
}

function valueOf(control: Control, field: Field): number | boolean | string {
  if (control.kind === "slider") return nearest(control, Number(field.value));
  return control.kind === "switch" ? (field as HTMLInputElement).checked : field.value;
}

const isShape = (control: Control): boolean => control.kind === "slider" && control.isShape === true;

/** A part of a form that opens and closes. @returns where its rows go */
function foldIn(form: HTMLFormElement): HTMLElement {
  const details = document.createElement("details");
  details.className = "shape";
  const summary = document.createElement("summary");
  summary.textContent = "Shape of the loss";
  const rows = document.createElement("div");
  details.append(summary, rows);
  form.append(details);
  return rows;
}

function rowOf(control: Control, id: string): { row: HTMLElement; field: Field } {
  const row = document.createElement("div");
  row.className = `control ${control.kind}`;
  const label = document.createElement("label");
  label.htmlFor = id;
  label.textContent = control.label;
  const field = fieldOf(control);
  field.id = id;
  if (control.kind === "switch") row.append(field, label);
  else if (control.kind === "choice") row.append(label, field);
  else {
    const output = document.createElement("output");
    output.setAttribute("for", id);
    output.ariaLive = "off"; // the slider tells its value itself
    row.append(label, output, field);
  }
  return { row, field };
}

function fieldOf(control: Control): Field {
  if (control.kind === "choice") {
    const select = document.createElement("select");
    select.append(...Object.entries(control.options).map(([value, words]) => new Option(words, value)));
    return select;
  }
  const input = document.createElement("input");
  if (control.kind === "switch") input.type = "checkbox";
  else range(input, control);
  return input;
}

function range(input: HTMLInputElement, { min, max, step }: Slider): void {
  input.type = "range";
  input.min = String(min);
  input.max = String(max);
  input.step = String(step);
}
