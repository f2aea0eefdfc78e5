/**
 * A recorded call that can be repeated: runs the host's actions again, reads what changes anew, and sends programs whose
 * plans are known. No graph is built and none is looked at; what the engine and its variables hold afterwards is what the
 * function would have left behind.
 */

import { allocateHost, type TypedArray } from "../graph/dtype";
import { Node } from "../graph/node";
import { fromHost, scalar, variable } from "../ops/leaf";
import type { Engine } from "./engine";
import type { Output, Want } from "./program";
import type { Entry, LeafOrigin, RecordedProgram, Recording, Source } from "./recording";

/** Stands for values of which only the places they go to matter. */
const PLACEHOLDER = scalar(0);

/** A value that a call returns: which output of which program. */
export interface ResultPlace {
  readonly program: number;
  readonly output: number;
}

/** What a value that a program makes is, without the value. */
type Like = Pick<Node, "op" | "attrs" | "shape" | "dtype" | "requiresGrad">;

/** A program with what of it is the same at every call. */
interface Prepared extends Pick<RecordedProgram, "key" | "effects"> {
  readonly outputs: readonly { readonly like: Like; readonly want: Want }[];
  /** Leaves in order; holes where each call has its own. */
  readonly leaves: Node[];
  readonly changing: readonly { readonly place: number; readonly origin: LeafOrigin }[];
}

export class Replay {
  private readonly programs: readonly Prepared[];
  private readonly guards: readonly (() => boolean)[];
  private readonly tape: readonly Entry[];
  private readonly sources: readonly Source[];
  /** Scalars are written in place; arrays are new nodes, or they would stay on the device. */
  private readonly sourced: Node[];
  private readonly homes: readonly { readonly variable: { readonly home: unknown }; readonly home: unknown }[];

  /** @param returned results that somebody gets; the others' memory is given back */
  constructor(
    private readonly engine: Engine,
    recording: Recording,
    private readonly returned: readonly ResultPlace[],
  ) {
    this.tape = recording.tape;
    this.sources = recording.sources;
    this.sourced = recording.sources.map(newLeaf);
    this.programs = recording.programs.map((recorded) => this.prepare(recorded));
    this.guards = recording.guards;
    const variables = new Set(
      recording.programs.flatMap(({ leaves }) =>
        leaves.flatMap((leaf) => (leaf.kind === "state" ? [leaf.variable] : [])),
      ),
    );
    for (const entry of recording.tape)
      if (entry.kind === "assign" || entry.kind === "forget") variables.add(entry.variable);
    this.homes = [...variables].map((each) => ({ variable: each, home: each.home }));
  }

  private prepare({ key, effects, leaves: origins, outputs }: RecordedProgram): Prepared {
    const leaves = origins.map((origin): Node => {
      if (origin.kind === "constant") return origin.node;
      if (origin.kind === "state") return variable(origin.variable, origin.isMade ? Infinity : 0); // see `Backend.rerun`
      return origin.kind === "source" ? this.sourced[origin.index]! : PLACEHOLDER;
    });
    const changing = origins.flatMap((origin, place) =>
      origin.kind === "constant" || origin.kind === "state" ? [] : [{ place, origin }],
    );
    return { key, effects, leaves, changing, outputs: outputs.map(({ node, want }) => ({ like: likeOf(node), want })) };
  }

  /** Whether a call now would do what was recorded, as far as its own guards know. */
  holds(): boolean {
    for (const { variable, home } of this.homes) if (variable.home !== home) return false;
    for (const guard of this.guards) if (!guard()) return false;
    for (const program of this.programs) if (!this.engine.canRerun(program)) return false;
    return true;
  }

  /**
   * Repeats the call.
   *
   * @param args the arguments' nodes, which have values
   * @returns the nodes that it returns, in the order of `returned`
   */
  run(args: readonly Node[]): Node[] {
    const results: Node[][] = [];
    try {
      this.play(args, results);
    } catch (error) {
      this.engine.abandonCall();
      throw error;
    }
    const kept = this.returned.map(({ program, output }) => results[program]![output]!);
    results.forEach((nodes, program) => {
      nodes.forEach((node, output) => {
        const isResident = this.programs[program]!.outputs[output]!.want === "resident";
        if (isResident && !kept.includes(node)) this.engine.drop(node);
      });
    });
    return kept;
  }

  private play(args: readonly Node[], results: Node[][]): void {
    const { engine } = this;
    for (const entry of this.tape) {
      switch (entry.kind) {
        case "action":
          entry.run();
          break;
        case "source":
          this.read(entry.index);
          break;
        case "assign":
          engine.assign(entry.variable, PLACEHOLDER, entry.isRows ? PLACEHOLDER : null);
          break;
        case "forget":
          engine.forgetLast(entry.variable, entry.count);
          break;
        case "program":
          results.push(this.runProgram(this.programs[entry.index]!, args, results));
      }
    }
  }

  private read(index: number): void {
    const source = this.sources[index]!;
    if (source.shape) this.sourced[index] = fromHost(source.read() as TypedArray, source.shape, source.dtype);
    else this.sourced[index]!.hostData![0] = source.read() as number;
  }

  private runProgram(program: Prepared, args: readonly Node[], results: readonly Node[][]): Node[] {
    const { leaves } = program;
    for (const { place, origin } of program.changing) leaves[place] = this.leafOf(origin, program, args, results);
    const outputs = program.outputs.map(({ like, want }): Output => ({ node: resultLike(like), want }));
    this.engine.rerun(program, leaves, outputs);
    return outputs.map(({ node }) => node);
  }

  private leafOf(origin: LeafOrigin, { effects }: Prepared, args: readonly Node[], results: readonly Node[][]): Node {
    switch (origin.kind) {
      case "argument":
        return args[origin.index]!;
      case "source":
        return this.sourced[origin.index]!;
      case "update":
        return this.engine.pendingOperand(effects[origin.effect]!.place, origin.input);
      case "result":
        return results[origin.program]![origin.output]!;
      default:
        return PLACEHOLDER; // does not change
    }
  }
}

/** A leaf for what a source gives. */
function newLeaf({ dtype, shape }: Source): Node {
  if (!shape) return scalar(0, dtype);
  const count = shape.reduce((product, size) => product * size, 1);
  return fromHost(allocateHost(dtype, count), shape, dtype);
}

const likeOf = ({ op, attrs, shape, dtype, requiresGrad }: Node): Like => ({ op, attrs, shape, dtype, requiresGrad });

/** A node for the value that another one had, without a history. */
function resultLike({ op, attrs, shape, dtype, requiresGrad }: Like): Node {
  const node = new Node(op, [], attrs, shape, dtype, requiresGrad);
  node.released = true;
  node.historyLost = requiresGrad;
  return node;
}
