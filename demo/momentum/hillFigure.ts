/** Figure 4: two balls on a loss of one weight, one with momentum. Plain descent stays in the first valley it meets. */

import { cssColor } from "../lineChart";
import { ball, Board, type Paint } from "./board";
import { descend, lossesOf, type Path } from "./descent";
import { Figure } from "./figure";
import { alongLine, HILL, hilly } from "./losses";
import type { Pause } from "./pause";
import { Player } from "./player";
import { placeOnHill } from "./sayings";
import { shape, slider, type Values } from "./settings";
import { added, coefficient, shown } from "./words";

const CONTROLS = {
  lr: slider("learning rate", 0.03, [0.001, 0.06, 0.001]),
  momentum: slider("momentum μ", 0.9, [0, 0.99, 0.01]),
  start: slider("start w₀", 2.2, [-2.4, 2.4, 0.05]),
  iterations: slider("iterations", 150, [20, 300, 10]),
  walls: shape("walls, of w⁴", HILL.walls, [0.2, 0.5, 0.01]), // beyond, valleys leave the picture, or balls all numbers
  top: shape("hill between, of w²", HILL.top, [0, 1.5, 0.05]),
  tilt: shape("tilt, of w", HILL.tilt, [-1, 1, 0.05]),
};

type Settings = Values<typeof CONTROLS>;

const X = [-2.5, 2.5] as const;
const RADIUS = 9;
const PLACES = Array.from({ length: 241 }, (_, i) => X[0] + ((X[1] - X[0]) * i) / 240);

/** A descent, and the loss at each of its places. */
interface Rolled {
  readonly path: Path;
  readonly losses: readonly number[];
  /** Where it ends, in words. */
  readonly ends: string;
  readonly color: string;
}

interface Result {
  readonly hill: readonly number[];
  readonly plain: Rolled;
  readonly rolling: Rolled;
}

async function compute(values: Settings, pause: Pause): Promise<Result> {
  const { lr, momentum, start, iterations } = values;
  const loss = hilly(values);
  const paths = await descend(loss, [start], [{ lr }, { lr, momentum }], iterations, pause);
  const [plain, rolling] = await Promise.all(
    paths.map(async (path, i) => ({
      path,
      losses: await lossesOf(loss, path),
      ends: await placeOnHill(path.at(-1)![0]!, values),
      color: i === 0 ? "--knn" : "--loss",
    })),
  );
  return { hill: await alongLine(loss, PLACES), plain: plain!, rolling: rolling! };
}

export function hillFigure(): Figure<typeof CONTROLS, Result> {
  const board = new Board(document.querySelector("#hill canvas")!, { x: X, y: [0, 1] });
  let result: Result | null = null;
  const player = new Player(document.querySelector("#hill .player")!, (iteration) => {
    if (result) board.draw(picture(result, iteration));
  });
  const figure: Figure<typeof CONTROLS, Result> = new Figure({
    name: "hill",
    controls: CONTROLS,
    compute,
    formula: ({ walls, top, tilt }) => ({ walls: coefficient(walls), top: coefficient(top), tilt: added(tilt) }),
    show: (computed, { momentum }) => {
      result = computed;
      board.extent = { x: X, y: heightsOf(computed.hill) };
      player.load(computed.plain.path.length - 1);
      figure.find(".momentum-name").textContent = `momentum ${momentum}`;
      return `${ending("Plain descent", computed.plain)} ${ending("Momentum", computed.rolling)}`;
    },
  });
  board.onPick((start) => figure.set({ start }));
  board.onArrow((right) => {
    const { start } = figure.values;
    figure.set({ start: start + right * CONTROLS.start.step });
    return figure.values.start !== start;
  });
  return figure;
}

/** Ends of the y axis: the hill from its lowest place up to the highest one that a ball may start from, with some room. */
function heightsOf(hill: readonly number[]): [number, number] {
  const inReach = hill.filter((_, i) => PLACES[i]! >= CONTROLS.start.min && PLACES[i]! <= CONTROLS.start.max);
  const [low, high] = [Math.min(...inReach), Math.max(...inReach)];
  const toTenth = (value: number): number => Math.round(10 * value) / 10;
  return [toTenth(low - 0.1 * (high - low)), toTenth(high + 0.07 * (high - low))];
}

function ending(name: string, { path, losses, ends }: Rolled): string {
  const w = path.at(-1)![0]!;
  return `${name} ends at w = ${shown(w)}, ${ends}; its loss is ${shown(losses.at(-1)!)}.`;
}

/** The hill, where the balls have been, and the balls. */
function picture({ hill, plain, rolling }: Result, iteration: number): Paint {
  return (context, board) => {
    context.beginPath();
    PLACES.forEach((w, i) => context.lineTo(board.x(w), board.y(hill[i]!)));
    context.strokeStyle = cssColor("--field-line");
    context.lineWidth = 2;
    context.stroke();
    context.lineTo(board.width, board.height);
    context.lineTo(0, board.height);
    context.fillStyle = cssColor("--surface-low");
    context.globalAlpha = 0.22;
    context.fill();
    context.globalAlpha = 1;
    const floor = Math.floor(iteration);
    for (const { path, losses, color } of [plain, rolling]) {
      context.fillStyle = cssColor(color);
      context.globalAlpha = 0.45;
      for (let i = 0; i <= floor; i++) dot(context, board.x(path[i]![0]!), board.y(losses[i]!));
      context.globalAlpha = 1;
    }
    for (const rolled of [plain, rolling]) sitting(context, board, { hill, ...rolled }, iteration);
  };
}

function dot(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath();
  context.arc(x, y, 3, 0, 2 * Math.PI);
  context.fill();
}

/** A ball that touches the hill, on its upper side. */
function sitting(
  context: CanvasRenderingContext2D,
  board: Board,
  { hill, path, color }: Rolled & { hill: readonly number[] },
  iteration: number,
): void {
  const w = between(
    path.map(([each]) => each!),
    iteration,
  );
  const place = ((w - X[0]) / (X[1] - X[0])) * (PLACES.length - 1);
  const [x, y] = [board.x(w), board.y(between(hill, place))];
  const slope = (board.y(between(hill, place + 1)) - board.y(between(hill, place - 1))) / (2 * (board.width / 240));
  const long = Math.hypot(slope, 1);
  ball(context, x + (RADIUS * slope) / long, y - RADIUS / long, RADIUS, color);
}

/** A list's value at an index that may be a fraction, or beyond its ends. */
function between(values: readonly number[], index: number): number {
  const at = Math.min(values.length - 1, Math.max(0, index));
  const low = Math.floor(at);
  const high = Math.min(values.length - 1, low + 1);
  return values[low]! + (at - low) * (values[high]! - values[low]!);
}
