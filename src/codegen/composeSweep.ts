/**
 * Composes sweeps over rows: what each level folds, what its results make of each row, and what is stored. Each level has its own
 * hooks, and values of rows that elements need are variables of the invocation, computed once a row.
 */

import type { Node } from "../graph/node";
import { topologicalOrder } from "../graph/walk";
import { LIBRARIES } from "../kernels/libraries";
import { planSweep } from "../kernels/sweep";
import { computedFrom, opOf } from "../ops/op";
import { Emitter, storedBits, wgslType } from "./emit";
import { combineText, type Fold, identityText } from "./fold";
import type { Index } from "./indexing";
import type { KernelInputs } from "./inputs";
import { type Kept, keptElements } from "./kept";
import { type ComposedLaunch, finish, inputsFor, type Surroundings, type SweepSpec } from "./launch";
import { writtenLength } from "./library";
import { OutputWindows } from "./outputWindows";
import type { ExtraBinding } from "./specialize";
import { foldOf, isSpread, middleOfMoments, type Powers, powersOf, sharesOf } from "./sweepPatterns";

/** Vec4s of a row up to which exponentials are kept: each turn has what they are around. */
const MAX_KEPT = 1024;

/** Composes the one launch of a sweep. */
export function composeSweep(sweep: SweepSpec, around: Surroundings): ComposedLaunch {
  return new SweepComposer(sweep, around).launch();
}

class SweepComposer {
  private readonly inputs: KernelInputs;
  /** Values of rows that elements need, or that are folded: a variable each. */
  private readonly names = new Map<Node, string>();
  private readonly stores: readonly Node[];
  /** What the squares of moments are around, if there are moments. */
  private readonly middle: Node | null;
  /** The exponentials that are summed where the maximum is found, if they are. */
  private readonly powers: Powers | null;
  private readonly kept: Kept;

  constructor(
    private readonly sweep: SweepSpec,
    private readonly around: Surroundings,
  ) {
    this.inputs = inputsFor(around, OutputWindows.none(sweep.outputs[0]!));
    for (const folds of sweep.folds) for (const fold of folds) this.name(fold);
    for (const node of sweep.members.keys()) {
      if (sweep.members.get(node)!.kind !== "element") continue;
      for (const input of computedFrom(node)) if (sweep.members.get(input)?.kind === "row") this.name(input);
    }
    this.nameSpread();
    this.stores = sweep.outputs.filter((node) => sweep.members.get(node)!.kind === "element");
    const isOneSweep = around.limits.adapterClass === "software" && this.isVector;
    this.middle = isOneSweep ? middleOfMoments(sweep) : null;
    this.powers = isOneSweep ? powersOf(sweep) : null;
    const computes = (level: number, node: Node): boolean => {
      if (level >= 2) return true;
      if (this.powers) return level === 1 && node === this.powers.power && this.keepsShares(node);
      return level === 0 || this.middle === null;
    };
    this.kept = this.isVector ? keptElements(sweep, around, { stores: this.stores, computes }) : new Map();
  }

  /** Names what is spread over rows from elsewhere: a weight of the row, what was made of its statistics. */
  private nameSpread(): void {
    const { sweep, around } = this;
    const seen = new Set<Node>();
    const stack = [...sweep.folds.flat().map((fold) => fold.inputs[0]!), ...sweep.outputs];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (seen.has(node) || around.isUniform(node)) continue;
      seen.add(node);
      const isMember = sweep.members.has(node);
      if (!isMember && around.isLoaded(node)) continue;
      if (!isMember && isSpread(node, sweep)) {
        const [input] = node.inputs;
        if (!around.isUniform(input!)) this.name(input!);
        continue;
      }
      stack.push(...computedFrom(node));
    }
  }

  private name(node: Node): void {
    if (!this.names.has(node)) this.names.set(node, `row${this.names.size}`);
  }

  launch(): ComposedLaunch {
    const { sweep, around, inputs } = this;
    const { size, folds, outputs } = sweep;
    const most = Math.max(...folds.map((level) => level.length));
    const hooks: Record<string, string> & { readonly store: string } = {
      prepare: this.prepareHook(),
      store: this.storeHook(),
      store_row: this.storeRowHook(),
      ...this.onePassHooks(),
    };
    const families = {
      load: this.loadHooks(most),
      take: this.takeHooks(most),
      identity: this.byFold(most, (name, fold) => `fn identity_${name}() -> f32 { ${identityText(fold, "f32")} }`),
      combine: this.byFold(most, (name, fold) => {
        const signature = `fn combine_${name}(a: vec4<f32>, b: vec4<f32>) -> vec4<f32>`;
        return `${signature} { return ${combineText(fold, "f32", 4)}; }`;
      }),
    };
    const isOneSweep = this.middle !== null || this.powers !== null;
    const swept = Object.values(families.load).filter((_, level) => level !== 1 || !isOneSweep);
    const inLoops = [...swept, hooks.store, ...(this.powers ? [`ieee_exp ${hooks.keep ?? ""}`] : [])];
    const written = inLoops.reduce((sum, text) => sum + writtenLength(LIBRARIES, text), 0);
    const info = {
      ...size,
      levels: folds.length,
      folds: most,
      moments: this.middle !== null,
      soft: this.powers && { keeps: this.keepsPowers },
      stores: this.stores.length > 0,
      written,
    };
    const variables = [...this.names].map(([node, name]) => `var<private> ${name}: ${wgslType(node.dtype, 1)};`);
    if (this.keepsPowers) variables.push("var<private> share: f32;");
    const puts = outputs.map((node, index) => this.putFunction(node, index));
    const holes = {
      hooks,
      families,
      helpers: [
        ...variables,
        ...puts,
        ...inputs.helpers("u32", (node) => `made${sweep.variables.indexOf(node.variable)}`),
      ],
    };
    return finish(
      planSweep(info, around.limits),
      inputs,
      holes,
      [],
      outputs.map((node, index) => this.binding(node, index)),
    );
  }

  // ---- two levels in one sweep ----

  private get keepsPowers(): boolean {
    return this.powers !== null && this.kept.has(this.powers.power);
  }

  /**
   * Whether all that later levels want of the exponentials are their shares of the sum. One by itself is computed anew: as what a turn
   * kept, times a factor, it would have two roundings of a difference where others have one.
   */
  private keepsShares(power: Node): boolean {
    const { sweep } = this;
    if ((sweep.size.outer * sweep.size.inner) / 4 > MAX_KEPT || sweep.outputs.includes(power)) return false;
    const shares = sharesOf(power, sweep);
    const roots = [...sweep.folds.flat(), ...sweep.outputs];
    const users = topologicalOrder(roots, (node) => node.hasValue, computedFrom).filter((node) =>
      node.inputs.includes(power),
    );
    return users.every((node) => node === sweep.folds[1]![0] || shares.includes(node));
  }

  private onePassHooks(): Record<string, string> {
    const { middle, powers } = this;
    if (middle) return { middle: `fn middle() -> f32 { return ${this.names.get(middle)!}; }` };
    return powers && this.keepsPowers ? this.keepHooks(powers) : {};
  }

  private keepHooks({ power, around }: Powers): Record<string, string> {
    const kept = this.kept.get(power)!;
    const { emitter, at } = this.elementEmitter(0);
    emitter.give(power, "value");
    const put = this.putCall(emitter, kept.output, { node: power, index: at(power), count: "4u" });
    const keep = "fn keep(o: u32, outer: u32, vec: u32, value: vec4<f32>)";
    const factor = `select(exp_down(tops[turn] - ${this.names.get(around)!}), 1.0, is_exact)`;
    const sum = this.names.get(this.sweep.folds[1]![0]!)!;
    return {
      keep: `${keep} {\n  let inner = 4u * vec;\n${emitter.body}${put}}`,
      begin_turn: `fn begin_turn(turn: u32) { share = ${factor} / ${sum}; }`,
    };
  }

  /** What was kept of an element, and what is made of it at once. */
  private *keptValues(level: number, place: string): Iterable<[Node, string]> {
    for (const [node, kept] of this.kept) {
      if (kept.level >= level) continue;
      const value = `bitcast<vec4<f32>>(made${kept.output}[${place}])`;
      if (node !== this.powers?.power) yield [node, value];
      else for (const share of sharesOf(node, this.sweep)) yield [share, `(${value} * share)`];
    }
  }

  // ---- elements ----

  /** @param level levels whose results are there */
  private elementEmitter(level: number): { emitter: Emitter; at: (node: Node) => Index } {
    const { layout, shape } = this.sweep;
    const emitter = new Emitter(this.inputs, this.around, 4, layout.loops);
    for (const [node, name] of this.names) emitter.give(node, `${wgslType(node.dtype, 4)}(${name})`);
    const whole = emitter.root.through(layout.axes, shape);
    for (const [node, value] of this.keptValues(level, quarterOf(whole))) emitter.give(node, value);
    return { emitter, at: (node) => (node.shape.join() === shape.join() ? whole : whole.reshaped(node.shape)) };
  }

  private putCall(
    emitter: Emitter,
    output: number,
    { node, index, count }: { node: Node; index: Index; count: string },
  ): string {
    const bits = storedBits(emitter.value(node, index), node.dtype, 4);
    const place = this.isVectorOutput(this.sweep.outputs[output]!) ? quarterOf(index) : index.flat("base");
    return `  put${output}(${place}, ${bits}, ${count});\n`;
  }

  private loadHooks(most: number): Record<string, string> {
    const texts = this.sweep.folds.map((folds, level) => {
      const { emitter, at } = this.elementEmitter(level);
      const values = folds.map((fold) => emitter.value(fold.inputs[0]!, at(fold.inputs[0]!)));
      while (values.length < most) values.push("vec4<f32>()");
      const puts = [...this.kept]
        .filter(([, kept]) => kept.level === level)
        .map(([node, { output }]) => this.putCall(emitter, output, { node, index: at(node), count: "4u" }));
      const result = `array<vec4<f32>, ${most}>`;
      const head = `fn load_${level}(o: u32, outer: u32, vec: u32) -> ${result}`;
      return `${head} {\n  let inner = 4u * vec;\n${emitter.body}${puts.join("")}  return ${result}(${values.join(", ")});\n}`;
    });
    return byLevel(texts);
  }

  private storeHook(): string {
    const { emitter, at } = this.elementEmitter(this.sweep.folds.length);
    const lines = this.stores.map((node) =>
      this.putCall(emitter, this.sweep.outputs.indexOf(node), { node, index: at(node), count: "count" }),
    );
    return `fn store(o: u32, outer: u32, vec: u32, count: u32) {\n  let inner = 4u * vec;\n${emitter.body}${lines.join("")}}`;
  }

  private get isVector(): boolean {
    return this.sweep.size.inner % 4 === 0;
  }

  private isVectorOutput(node: Node): boolean {
    return this.isVector && this.stores.includes(node);
  }

  private binding(node: Node, index: number): ExtraBinding {
    const type = this.isVectorOutput(node) ? "array<vec4<u32>>" : "array<u32>";
    return { name: `made${index}`, type, access: "read_write" };
  }

  /** Stores what a row's end leaves of four neighbours. */
  private putFunction(node: Node, index: number): string {
    const name = `made${index}`;
    if (!this.stores.includes(node)) return `fn put${index}(i: u32, bits: u32) { ${name}[i] = bits; }`;
    if (this.isVector) return `fn put${index}(vec: u32, bits: vec4<u32>, count: u32) { ${name}[vec] = bits; }`;
    const signature = `fn put${index}(i: u32, bits: vec4<u32>, count: u32)`;
    const lane = (k: number): string => `${k === 0 ? "" : `if (count > ${k}u) `}{ ${name}[i + ${k}u] = bits[${k}]; }`;
    return `${signature} { ${[0, 1, 2, 3].map(lane).join(" ")} }`;
  }

  // ---- rows ----

  private rowEmitter(): { emitter: Emitter; at: (node: Node) => Index } {
    const emitter = new Emitter(this.inputs, this.around, 1, [this.sweep.layout.loops[0]!]);
    return { emitter, at: (node) => emitter.root.reshaped(node.shape) };
  }

  /** Values of a row that do not depend on its folds. */
  private prepareHook(): string {
    const { emitter, at } = this.rowEmitter();
    const given = [...this.names].filter(([node]) => !this.sweep.members.has(node));
    const lines = given.map(([node, name]) => `  ${name} = ${emitter.value(node, at(node))};\n`);
    return `fn prepare(o: u32) {\n${emitter.body}${lines.join("")}}`;
  }

  /** What the results of a level make of a row. */
  private takeHooks(most: number): Record<string, string> {
    const { folds, members } = this.sweep;
    const isFold = (node: Node): boolean => members.has(node) && opOf(node).lowering.kind === "reduce";
    const texts = folds.map((found, level) => {
      const { emitter, at } = this.rowEmitter();
      const taken = found.map((fold, k) => `  ${this.names.get(fold)!} = found[${k}];\n`);
      for (const [node, name] of this.names)
        if ((members.get(node)?.level ?? 0) <= level || isFold(node)) emitter.give(node, name);
      const made = [...this.names].filter(([node]) => members.get(node)?.level === level + 1 && !isFold(node));
      const values = made.map(([node, name]) => `  ${name} = ${emitter.value(node, at(node))};\n`);
      const head = `fn take_${level}(o: u32, found: array<f32, ${most}>)`;
      return `${head} {\n${taken.join("")}${emitter.body}${values.join("")}}`;
    });
    return byLevel(texts);
  }

  private storeRowHook(): string {
    const { emitter, at } = this.rowEmitter();
    for (const [node, name] of this.names) emitter.give(node, name);
    const lines = this.sweep.outputs.flatMap((node, index) =>
      this.stores.includes(node)
        ? []
        : [`  put${index}(o, ${storedBits(emitter.value(node, at(node)), node.dtype, 1)});\n`],
    );
    return `fn store_row(o: u32) {\n${emitter.body}${lines.join("")}}`;
  }

  // ---- folds ----

  /** Functions by level and fold; where a level has fewer folds than others, nothing is summed. */
  private byFold(most: number, text: (name: string, fold: Fold) => string): Record<string, string> {
    const entries = this.sweep.folds.flatMap((level, l) =>
      Array.from({ length: most }, (_, k) => {
        const fold = level[k] ? foldOf(level[k]) : "sum";
        return [`${l}_${k}`, text(`${l}_${k}`, fold)] as const;
      }),
    );
    return Object.fromEntries(entries);
  }
}

/** A vec4's place among vec4s. */
const quarterOf = (index: Index): string => index.quarter() ?? `${index.flat("base")} / 4u`;

const byLevel = (texts: readonly string[]): Record<string, string> =>
  Object.fromEntries(texts.map((text, level) => [String(level), text]));
