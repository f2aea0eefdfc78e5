/**
 * Random graphs: what the scheduler fuses must compute what the reference does, whatever is fused with what.
 * A failure prints the seed, the smallest graph that fails as it does, and the recipe that makes it again.
 */

import fc from "fast-check";
import { expect, it } from "vitest";
import { Engine } from "../../src/runtime/engine";
import { createWebGpuBackend, type WebGpuBackend } from "../../src/runtime/webgpuBackend";
import { boundsOf, countUnsure, firstOff } from "../helpers/tolerance";
import { computed, RandomGraph, type Recipe, recipes, show } from "../helpers/randomGraph";

/** `npm run fuzz` sets both. */
const { FLYWHEEL_FUZZ_GRAPHS, FLYWHEEL_FUZZ_SEED } = import.meta.env as Record<string, string | undefined>;
const GRAPHS = Number(FLYWHEEL_FUZZ_GRAPHS ?? 2000);
const SEED = Number(FLYWHEEL_FUZZ_SEED ?? 1);

/** What was seen of the graphs, for the line that is printed in the end. */
class Census {
  readonly sizes: number[] = [];
  private nodes = 0;
  private fused = 0;
  private elements = 0;
  private unsure = 0;
  private withState = 0;
  private withEmpty = 0;

  add(graph: RandomGraph, launches: readonly { readonly fused: readonly string[] }[]): void {
    const nodes = computed(graph.outputs.map(({ want }) => want));
    this.sizes.push(nodes.length);
    if (graph.outputs.some(({ node, want }) => node !== want)) this.withState++;
    if (nodes.some(({ shape }) => shape.includes(0))) this.withEmpty++;
    for (const { fused } of launches) {
      this.nodes += fused.length;
      if (fused.length > 1) this.fused += fused.length;
    }
  }

  compare(values: ArrayLike<number>, unsure: number): void {
    this.elements += values.length;
    this.unsure += unsure;
  }

  get median(): number {
    return this.sizes.toSorted((a, b) => a - b)[Math.floor(this.sizes.length / 2)] ?? 0;
  }

  /** Of what kernels compute, how much shares one with something else. */
  get fusedShare(): number {
    return this.fused / Math.max(1, this.nodes);
  }

  /** Of all elements, those whose bound is too wide to say much. */
  get unsureShare(): number {
    return this.unsure / Math.max(1, this.elements);
  }

  toString(): string {
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const count = this.sizes.length;
    return (
      `${count} random graphs from seed ${SEED}: median ${this.median} nodes, most ${Math.max(...this.sizes)}; ` +
      `${percent(this.fusedShare)} of what kernels compute is fused; ${percent(this.withState / count)} of graphs have state, ` +
      `${percent(this.withEmpty / count)} something of size 0; ${percent(this.unsureShare)} of ${this.elements} elements unsure`
    );
  }
}

/** Compares a recipe's outputs with the reference; where they differ, in words. */
async function mismatch(recipe: Recipe, backend: WebGpuBackend, census: Census): Promise<string | null> {
  const engine = new Engine(backend);
  const graph = new RandomGraph(recipe, engine);
  const [nodes, wanted] = [graph.outputs.map(({ node }) => node), graph.outputs.map(({ want }) => want)];
  census.add(graph, backend.launchesOf(engine.programFor(nodes)));
  const bounded = boundsOf(wanted, { device: "webgpu", to: "reference", isCapped: false });
  const text = show(wanted);
  const got = await engine.read(nodes);
  for (const [i, { values, bounds }] of bounded.entries()) {
    census.compare(values, countUnsure(bounds, values));
    const off = firstOff(got[i]!, values, bounds);
    if (off) return `output ${i} ${off}\n${text}`;
  }
  return null;
}

it(`${GRAPHS} random graphs are computed as by the reference`, { timeout: 600_000 }, async () => {
  const backend = await createWebGpuBackend();
  const census = new Census();
  console.log(`seed ${SEED}`);
  const property = fc.asyncProperty(recipes, async (recipe) => {
    expect(await mismatch(recipe, backend, census)).toBeNull();
  });
  await fc.assert(property, { seed: SEED, numRuns: GRAPHS });
  console.log(String(census));
  expect(census.median, "nodes in half of all graphs").toBeGreaterThanOrEqual(12);
  expect(census.fusedShare, "a fuzz of fusion must see fusion").toBeGreaterThan(0.8);
  expect(census.unsureShare, "a comparison with wide bounds sees little").toBeLessThan(0.1);
});
