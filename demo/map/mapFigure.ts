/** The map on the page: points of images by class, and the image of the one that is pointed at. Takes places, computes none. */

import { canvasOf } from "../images";
import { SharpCanvas } from "../sharpCanvas";
import type { MapImages } from "../protocol";
import type { Places } from "./layout";
import { type Mark, markImage, markOf } from "./marks";
import { fitted, nextPoint, pointAt, type Points, tipPlace } from "./points";

/** Between the points and the edges of the canvas, in pixels. */
const MARGIN = 22;

/** Between a point and its tip, in pixels. */
const GAP = 14;

/** How far from a point it is still pointed at: a finger is wider than it aims. */
const REACH = { mouse: 12, other: 24 };

/** Pixels that an arrow key passes over, with Shift. */
const LEAP = 40;

const NOWHERE: Places = new Float32Array();

export class MapFigure {
  private readonly surface: SharpCanvas;
  private readonly tip: HTMLElement;
  private readonly legend: HTMLElement;
  private images: MapImages | null = null;
  private places: Places = NOWHERE;
  /** `places` as they are drawn now. */
  private points: Points = NOWHERE;
  private selected: number | null = null;
  /** Whose image is in the tip. */
  private inTip: number | null = null;
  /** The class that stands out; null: all do. */
  private only: number | null = null;

  /** @param place where a canvas, a `.tip` and a `.map-legend` are */
  constructor(private readonly place: HTMLElement) {
    this.tip = place.querySelector<HTMLElement>(".tip")!;
    this.legend = place.querySelector<HTMLElement>(".map-legend")!;
    this.surface = new SharpCanvas(place.querySelector("canvas")!);
    this.surface.draw((context) => this.paint(context));
    this.listen();
  }

  /** Takes the images of a new map, whose places come later. */
  show(images: MapImages): void {
    this.images = images;
    this.only = this.inTip = null;
    this.place.hidden = false;
    this.showLegend(images);
    this.move(NOWHERE);
    this.select(null);
  }

  /** Takes the places of all images. */
  move(places: Places): void {
    this.places = places;
    this.surface.redraw();
  }

  clear(): void {
    this.place.hidden = true;
    this.images = null;
    this.move(NOWHERE);
  }

  private listen(): void {
    const { canvas } = this.surface;
    for (const type of ["pointermove", "pointerdown"] as const)
      canvas.addEventListener(type, (event) => this.pick(event));
    canvas.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse") this.select(null); // a finger is lifted to see what it has found
    });
    canvas.addEventListener("focus", () => {
      if (canvas.matches(":focus-visible")) this.select(this.selected ?? this.middle());
    });
    canvas.addEventListener("blur", () => this.select(null));
    canvas.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.select(null);
    });
    this.surface.onArrow((right, up) => this.step(right, up));
  }

  private pick(event: PointerEvent): void {
    const reach = event.pointerType === "mouse" ? REACH.mouse : REACH.other;
    this.select(pointAt(this.points, ...this.surface.placeOf(event), reach));
  }

  /** The point that is nearest to the middle of the canvas. */
  private middle(): number | null {
    return pointAt(this.points, this.surface.width / 2, this.surface.height / 2, Infinity);
  }

  /** To the next point in a direction. @returns whether there is one */
  private step(right: number, up: number): boolean {
    const { points, selected } = this;
    const leap = Math.max(Math.abs(right), Math.abs(up)) > 1 ? LEAP : 0;
    const direction = { right: Math.sign(right), down: -Math.sign(up) };
    const next = selected === null ? this.middle() : nextPoint(points, selected, { ...direction, beyond: leap });
    if (next !== null) this.select(next);
    return next !== null;
  }

  private select(point: number | null): void {
    this.selected = point;
    this.surface.redraw();
    this.showTip();
  }

  // ---- what is drawn ----

  private paint(context: CanvasRenderingContext2D): void {
    const { surface, selected } = this;
    this.points = fitted(this.places, surface, MARGIN);
    this.showTip(); // the point may have moved
    const { color, backgroundColor } = getComputedStyle(surface.canvas);
    const stamp = stampOn(context);
    const draw = (point: number, scale: number): void =>
      stamp(markOf(this.labelOf(point) ?? 0), { x: this.points[2 * point]!, y: this.points[2 * point + 1]!, scale });
    context.lineWidth = 1.5;
    context.strokeStyle = backgroundColor; // a rim, so that points on points can be told apart
    for (let point = 0; point < this.points.length / 2; point++) {
      context.globalAlpha = this.only === null || this.labelOf(point) === this.only ? 1 : 0.12;
      draw(point, 0.8);
    }
    context.globalAlpha = 1;
    if (selected === null || this.points.length === 0) return;
    context.lineWidth = 3;
    context.strokeStyle = color;
    draw(selected, 1.7);
  }

  private labelOf(point: number): number | null {
    return this.images?.labels?.[point] ?? null;
  }

  private showTip(): void {
    const { images, selected, points, tip } = this;
    tip.hidden = !images || selected === null || points.length === 0;
    if (!images || selected === null || tip.hidden) return;
    if (this.inTip !== selected) this.fillTip(images, selected);
    const { width, height } = this.surface;
    const size = { width: tip.offsetWidth, height: tip.offsetHeight };
    const [left, top] = tipPlace([points[2 * selected]!, points[2 * selected + 1]!], size, { width, height, gap: GAP });
    tip.style.left = `${left}px`;
    tip.style.top = `${top}px`;
  }

  private fillTip(images: MapImages, selected: number): void {
    this.inTip = selected;
    const byteLength = images.channels * images.height * images.width;
    const pixels = images.pixels.subarray(selected * byteLength, (selected + 1) * byteLength);
    const label = this.labelOf(selected);
    const name = document.createElement("b");
    name.textContent = label === null ? "" : (images.classes[label] ?? `class ${label}`);
    const text = document.createElement("span");
    text.append(name, ` test image ${images.rows[selected]! + 1}`);
    this.tip.replaceChildren(canvasOf(pixels, images), text);
  }

  // ---- the legend ----

  /** A button a class, which lets it stand out. */
  private showLegend({ labels, classes }: MapImages): void {
    const present = [...new Set(labels)].sort((a, b) => a - b);
    const buttons = present.map((label) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(markImage(markOf(label)), classes[label] ?? `class ${label}`);
      button.addEventListener("click", () => {
        this.only = this.only === label ? null : label;
        buttons.forEach((each, i) => (each.ariaPressed = String(present[i] === this.only)));
        this.surface.redraw();
      });
      button.ariaPressed = "false";
      return button;
    });
    this.legend.replaceChildren(...buttons);
  }
}

/** Draws marks in the page's colours as they are now, with the canvas's own rim. */
function stampOn(
  context: CanvasRenderingContext2D,
): (mark: Mark, at: { readonly x: number; readonly y: number; readonly scale: number }) => void {
  const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const shapes = new Map<string, Path2D>();
  return (mark, { x, y, scale }) => {
    const shape = shapes.get(mark.path) ?? new Path2D(mark.path);
    shapes.set(mark.path, shape);
    context.save();
    context.translate(x, y);
    context.scale(scale, scale);
    context.fillStyle = mark[scheme];
    context.stroke(shape);
    context.fill(shape);
    context.restore();
  };
}
