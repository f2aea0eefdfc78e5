/** Figure 5: a loss of two weights from above, and the ways down it with momentum and without. */

import { cssColor } from "../lineChart";
import { ball, Board, type Paint } from "./board";
import { descend, lossesOf, type Loss, type Path } from "./descent";
import { Figure } from "./figure";
import { dents, DENTS, type Grid, onGrid, ravine, RAVINE } from "./losses";
import type { Pause } from "./pause";
import { Player } from "./player";
import { choice, shape, slider, type Values } from "./settings";
import { type Map, mapOf, paintMap } from "./surfaceMap";
import { added, coefficient, shown, verbatim } from "./words";

const [FIRST, SECOND] = DENTS.dents;
const DEPTH = [0, 3, 0.1] as const; // 0 is none
const WIDTH = [0.1, 3, 0.02] as const;
const X = [-2.5, 2.5, 0.05] as const;
const Y = [-1.9, 1.9, 0.05] as const;

/** The numbers of each loss. */
const SHAPES = {
  dents: {
    bowl: shape("bowl around", DENTS.bowl, [0, 0.3, 0.01]),
    depth1: shape("first dent: depth", FIRST.depth, DEPTH),
    width1: shape("first dent: width, squared", FIRST.width, WIDTH),
    x1: shape("first dent: x", FIRST.x, X),
    y1: shape("first dent: y", FIRST.y, Y),
    depth2: shape("second dent: depth", SECOND.depth, DEPTH),
    width2: shape("second dent: width, squared", SECOND.width, WIDTH),
    x2: shape("second dent: x", SECOND.x, X),
    y2: shape("second dent: y", SECOND.y, Y),
  },
  ravine: {
    along: shape("steepness along the ravine, of x²", RAVINE.along, [0.05, 2, 0.05]),
    across: shape("steepness across it, of y²", RAVINE.across, [2, 30, 0.5]),
  },
};

const CONTROLS = {
  loss: choice("loss", "dents", { dents: "a bowl with two dents", ravine: "a ravine" }),
  lr: slider("learning rate", 0.05, [0.001, 0.07, 0.001]),
  momentum: slider("momentum μ", 0.9, [0, 0.99, 0.01]),
  x: slider("start x", 1.3, [-2.9, 2.9, 0.05]),
  y: slider("start y", -0.9, [-2.1, 2.1, 0.05]),
  iterations: slider("iterations", 120, [20, 300, 10]),
  ...SHAPES.dents,
  ...SHAPES.ravine,
};

type Settings = Values<typeof CONTROLS>;

type Name = Settings["loss"];

function lossOf(values: Settings): Loss {
  if (values.loss === "ravine") return ravine(values);
  const { bowl, depth1, width1, x1, y1, depth2, width2, x2, y2 } = values;
  const first = { depth: depth1, width: width1, x: x1, y: y1 };
  return dents({ bowl, dents: [first, { depth: depth2, width: width2, x: x2, y: y2 }] });
}

const namesOf = (loss: Name) => Object.keys(SHAPES[loss]) as (keyof typeof CONTROLS)[];

/** The loss's own numbers. */
const shapeOf = (values: Settings): string =>
  namesOf(values.loss)
    .map((name) => values[name])
    .join();

/** What shows a loss best: set when the user turns to it. */
const SETTINGS: Readonly<Record<Name, Partial<Settings>>> = {
  dents: { lr: 0.05, momentum: 0.9, x: 1.3, y: -0.9 },
  ravine: { lr: 0.06, momentum: 0.6, x: -2.6, y: 1.4 },
};

const GRID: Grid = { halfWidth: 3, halfHeight: 2.25, columns: 121, rows: 91 };

interface Result {
  readonly map: Map;
  readonly plain: Path;
  readonly rolling: Path;
  /** At the ends. */
  readonly losses: readonly [plain: number, rolling: number];
}

/** The last map: a ball that starts elsewhere does not change it. */
let drawn: { readonly of: string; readonly map: Map } | null = null;

async function compute(values: Settings, pause: Pause): Promise<Result> {
  const { lr, momentum, x, y, iterations } = values;
  const loss = lossOf(values);
  const of = `${values.loss} ${shapeOf(values)}`;
  if (drawn?.of !== of) drawn = { of, map: mapOf(await onGrid(loss, GRID), GRID) };
  const { map } = drawn;
  const [plain, rolling] = await descend(loss, [x, y], [{ lr }, { lr, momentum }], iterations, pause);
  const [a, b] = await lossesOf(loss, [plain!.at(-1)!, rolling!.at(-1)!]);
  return { map, plain: plain!, rolling: rolling!, losses: [a!, b!] };
}

export function surfaceFigure(): Figure<typeof CONTROLS, Result> {
  const { halfWidth, halfHeight } = GRID;
  const board = new Board(document.querySelector("#surface canvas")!, {
    x: [-halfWidth, halfWidth],
    y: [-halfHeight, halfHeight],
  });
  let result: Result | null = null;
  let shownLoss: Name | null = null;
  const player = new Player(document.querySelector("#surface .player")!, (iteration) => {
    if (result) board.draw(picture(result, iteration));
  });
  const figure: Figure<typeof CONTROLS, Result> = new Figure({
    name: "surface",
    controls: CONTROLS,
    compute,
    formula: formulaOf,
    changed: (values, panel) => {
      const { loss } = values;
      if (loss !== (shownLoss ??= loss)) panel.write({ ...values, ...SETTINGS[(shownLoss = loss)] });
      panel.hide(loss === "ravine" ? namesOf("dents") : namesOf("ravine"));
      for (const formula of document.querySelectorAll<HTMLElement>("#surface [data-loss]"))
        formula.hidden = formula.dataset["loss"] !== loss;
    },
    show: (computed, { momentum }) => {
      result = computed;
      player.load(computed.plain.length - 1);
      figure.find(".momentum-name").textContent = `momentum ${momentum}`;
      const { plain, rolling, losses } = computed;
      return `${ending("Plain descent", plain, losses[0])} ${ending("Momentum", rolling, losses[1])}`;
    },
  });
  board.onPick((x, y) => figure.set({ x, y }));
  board.onArrow((right, up) => {
    const { x, y } = figure.values;
    figure.set({ x: x + right * CONTROLS.x.step, y: y + up * CONTROLS.y.step });
    return figure.values.x !== x || figure.values.y !== y;
  });
  return figure;
}

function formulaOf({ along, across, ...values }: Settings): Record<string, string> {
  const { bowl, depth1, width1, x1, y1, depth2, width2, x2, y2 } = values;
  return {
    bowl: coefficient(bowl),
    ...{ depth1: coefficient(depth1), x1: added(-x1), y1: added(-y1), width1: verbatim(width1) },
    ...{ depth2: coefficient(depth2), x2: added(-x2), y2: added(-y2), width2: verbatim(width2) },
    ...{
      along: coefficient(along),
      across: coefficient(across),
      ratio: across === along ? "just" : `${shown(across / along)} times`,
    },
  };
}

function ending(name: string, path: Path, loss: number): string {
  const [x, y] = path.at(-1)!;
  return `${name} ends at (${shown(x!)}, ${shown(y!)}); its loss is ${shown(loss)}.`;
}

/** The map, the ways, where they start, and where the balls are. */
function picture({ map, plain, rolling }: Result, iteration: number): Paint {
  return (context, board) => {
    paintMap(context, board, map);
    way(context, board, { path: plain, color: "--knn", isDashed: true }, iteration);
    way(context, board, { path: rolling, color: "--loss", isDashed: false }, iteration);
    const [x, y] = plain[0]!;
    context.beginPath();
    context.arc(board.x(x!), board.y(y!), 6, 0, 2 * Math.PI);
    context.strokeStyle = cssColor("--text");
    context.lineWidth = 2;
    context.stroke();
    for (const [path, color] of [
      [plain, "--knn"],
      [rolling, "--loss"],
    ] as const) {
      const [atX, atY] = placeAt(path, iteration);
      ball(context, board.x(atX), board.y(atY), 7, color);
    }
  };
}

/** A coordinate no farther than twice the picture's ends: canvases draw no dashes on lines that are endless. */
const near = (at: number): number => Math.min(2 * GRID.halfWidth, Math.max(-2 * GRID.halfWidth, at));

/** A path up to an iteration, with a rim, so that it shows on every ground. */
function way(
  context: CanvasRenderingContext2D,
  board: Board,
  { path, color, isDashed }: { path: Path; color: string; isDashed: boolean },
  iteration: number,
): void {
  context.beginPath();
  for (const [x, y] of [...path.slice(0, Math.floor(iteration) + 1), placeAt(path, iteration)])
    context.lineTo(board.x(near(x!)), board.y(near(y!)));
  context.lineJoin = "round";
  for (const [width, stroke] of [
    [5, "--card"],
    [2.5, color],
  ] as const) {
    context.setLineDash(isDashed && stroke === color ? [5, 4] : []);
    context.lineWidth = width;
    context.strokeStyle = cssColor(stroke);
    context.stroke();
  }
  context.setLineDash([]);
}

/** Where a path is at an iteration that may be a fraction. */
function placeAt(path: Path, iteration: number): [number, number] {
  const low = Math.floor(iteration);
  const [from, to] = [path[low]!, path[Math.min(path.length - 1, low + 1)]!];
  const share = iteration - low;
  return [from[0]! + share * (to[0]! - from[0]!), from[1]! + share * (to[1]! - from[1]!)];
}
