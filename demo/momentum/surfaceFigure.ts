/** Figure 5: a loss of two weights from above, and the ways down it with momentum and without. */

import { cssColor } from "../lineChart";
import { ball, Board, type Paint } from "./board";
import { descend, lossesOf, type Loss, type Path } from "./descent";
import { Figure } from "./figure";
import { dents, type Grid, onGrid, ravine } from "./losses";
import type { Pause } from "./pause";
import { Player } from "./player";
import { choice, slider, type Values } from "./settings";
import { type Map, mapOf, paintMap } from "./surfaceMap";
import { shown } from "./words";

const CONTROLS = {
  loss: choice("loss", "dents", { dents: "a bowl with two dents", ravine: "a ravine" }),
  lr: slider("learning rate", 0.05, [0.001, 0.07, 0.001]),
  momentum: slider("momentum μ", 0.9, [0, 0.99, 0.01]),
  x: slider("start x", 1.3, [-2.9, 2.9, 0.05]),
  y: slider("start y", -0.9, [-2.1, 2.1, 0.05]),
  iterations: slider("iterations", 120, [20, 300, 10]),
};

type Settings = Values<typeof CONTROLS>;

const LOSSES: Readonly<Record<Settings["loss"], Loss>> = { dents, ravine };

/** What shows a loss best: set when the user turns to it. */
const SETTINGS: Readonly<Record<Settings["loss"], Partial<Settings>>> = {
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

const maps: Partial<Record<Settings["loss"], Map>> = {};

async function compute({ loss: name, lr, momentum, x, y, iterations }: Settings, pause: Pause): Promise<Result> {
  const loss = LOSSES[name];
  const map = (maps[name] ??= mapOf(await onGrid(loss, GRID), GRID));
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
  let shownLoss: Settings["loss"] | null = null;
  const player = new Player(document.querySelector("#surface .player")!, (iteration) => {
    if (result) board.draw(picture(result, iteration));
  });
  const figure: Figure<typeof CONTROLS, Result> = new Figure({
    name: "surface",
    controls: CONTROLS,
    compute,
    changed: (values, panel) => {
      const { loss } = values;
      if (loss !== (shownLoss ??= loss)) panel.write({ ...values, ...SETTINGS[(shownLoss = loss)] });
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

/** A path up to an iteration, with a rim, so that it shows on every ground. */
function way(
  context: CanvasRenderingContext2D,
  board: Board,
  { path, color, isDashed }: { path: Path; color: string; isDashed: boolean },
  iteration: number,
): void {
  context.beginPath();
  for (const [x, y] of path.slice(0, Math.floor(iteration) + 1)) context.lineTo(board.x(x!), board.y(y!));
  const [x, y] = placeAt(path, iteration);
  context.lineTo(board.x(x), board.y(y));
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
