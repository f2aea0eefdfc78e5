/** Small grey images on the page: the augmented views, and the nearest neighbours. Takes bytes, makes canvases. */

import type { LabeledImage, NeighboursEvent, QueueEvent, ViewsEvent } from "./protocol";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** The queue, and a line where the next keys go. */
export function showQueue(canvas: HTMLCanvasElement, { pixels, height, width, pointer }: QueueEvent): void {
  canvas.width = width;
  canvas.height = height;
  canvas.hidden = false;
  const context = canvas.getContext("2d")!;
  context.putImageData(new ImageData(greyOf(pixels), width, height), 0, 0);
  context.fillStyle = getComputedStyle(canvas).accentColor;
  context.fillRect(0, Math.round(pointer * height), width, Math.max(1, Math.round(height / 128)));
}

/** Bytes of grey as a canvas takes them. */
function greyOf(pixels: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(4 * pixels.length);
  pixels.forEach((grey, i) => rgba.set([grey, grey, grey, 255], 4 * i));
  return rgba;
}

/** A canvas of one image. `description` is for those who do not see it; without one it is decoration. */
function canvasOf(pixels: Uint8Array, { height, width }: Size, description?: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  if (description) {
    canvas.role = "img";
    canvas.ariaLabel = description;
  } else {
    canvas.ariaHidden = "true";
  }
  canvas.getContext("2d")!.putImageData(new ImageData(greyOf(pixels), width, height), 0, 0);
  return canvas;
}

/** Three rows: the images, and two views of each. */
export function showViews(place: HTMLElement, event: ViewsEvent): void {
  const area = event.height * event.width;
  const row = (title: string, bytes: Uint8Array): HTMLElement => {
    const line = element("div", "views-row");
    const count = bytes.length / area;
    const images = Array.from({ length: count }, (_, i) =>
      canvasOf(bytes.subarray(i * area, (i + 1) * area), event, `${title}, image ${i + 1} of ${count}`),
    );
    line.append(element("span", "row-title", title), ...images);
    return line;
  };
  place.replaceChildren(row("image", event.originals), row("query view", event.first), row("key view", event.second));
}

/**
 * One row an image: its neighbours before training, and now.
 *
 * @param before the first evaluation of the run
 * @param now the latest
 */
export function showNeighbours(
  place: HTMLElement,
  before: NeighboursEvent,
  now: NeighboursEvent,
  classes: readonly string[],
): void {
  const rows = now.queries.map(({ image, nearest }, i) => {
    const name = classes[image.label] ?? "";
    const row = document.createElement("tr");
    const query = element("th", "query");
    query.scope = "row";
    query.append(canvasOf(image.pixels, now), element("span", "", name));
    row.append(query, neighbourCell(before.queries[i]!.nearest, image, before, classes));
    row.append(neighbourCell(nearest, image, now, classes));
    return row;
  });
  place.replaceChildren(...rows);
}

function neighbourCell(
  nearest: readonly LabeledImage[],
  query: LabeledImage,
  size: Size,
  classes: readonly string[],
): HTMLElement {
  const cell = element("td", "");
  const tiles = element("div", "tiles");
  for (const { pixels, label } of nearest) {
    const same = label === query.label;
    const name = classes[label] ?? "";
    const tile = element("span", same ? "tile same" : "tile other");
    tile.title = same ? name : `${name}: another class`;
    tile.append(canvasOf(pixels, size, tile.title));
    tiles.append(tile);
  }
  const matches = nearest.filter(({ label }) => label === query.label).length;
  cell.append(tiles, element("small", "", `${matches} of ${nearest.length}`));
  return cell;
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
