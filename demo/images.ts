/** Small images on the page, grey or in colour: the augmented views, and the nearest neighbours. Takes bytes, makes canvases. */

import type { ImageSize, LabeledImage, NeighboursEvent, QueueEvent, ViewsEvent } from "./protocol";

/** The queue, and a line where the next keys go. */
export function showQueue(canvas: HTMLCanvasElement, { pixels, height, width, pointer }: QueueEvent): void {
  canvas.width = width;
  canvas.height = height;
  canvas.hidden = false;
  const context = canvas.getContext("2d")!;
  context.putImageData(new ImageData(rgbaOf(pixels, { height, width, channels: 1 }), width, height), 0, 0);
  context.fillStyle = getComputedStyle(canvas).accentColor;
  context.fillRect(0, Math.round(pointer * height), width, Math.max(1, Math.round(height / 128)));
}

/** Planes of grey or of red, green and blue, as a canvas takes them. */
function rgbaOf(pixels: Uint8Array, { height, width, channels }: ImageSize): Uint8ClampedArray<ArrayBuffer> {
  const area = height * width;
  const [green, blue] = channels === 3 ? [area, 2 * area] : [0, 0];
  const rgba = new Uint8ClampedArray(4 * area);
  for (let i = 0; i < area; i++) rgba.set([pixels[i]!, pixels[green + i]!, pixels[blue + i]!, 255], 4 * i);
  return rgba;
}

/**
 * A canvas of one image.
 *
 * @param pixels bytes `[channels, height, width]`, of one channel or three
 * @param description for those who do not see it; without one it is decoration
 */
export function canvasOf(pixels: Uint8Array, size: ImageSize, description?: string): HTMLCanvasElement {
  const { height, width } = size;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  if (description) {
    canvas.role = "img";
    canvas.ariaLabel = description;
  } else {
    canvas.ariaHidden = "true";
  }
  canvas.getContext("2d")!.putImageData(new ImageData(rgbaOf(pixels, size), width, height), 0, 0);
  return canvas;
}

/** Three rows: the images, and two views of each. */
export function showViews(place: HTMLElement, event: ViewsEvent): void {
  const byteLength = event.channels * event.height * event.width;
  const row = (title: string, bytes: Uint8Array): HTMLElement => {
    const line = element("div", "views-row");
    const count = bytes.length / byteLength;
    const images = Array.from({ length: count }, (_, i) =>
      canvasOf(bytes.subarray(i * byteLength, (i + 1) * byteLength), event, `${title}, image ${i + 1} of ${count}`),
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
 * @param classes names by label; none where images have no classes
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
    query.append(canvasOf(image.pixels, now, name ? "" : `test image ${i + 1}`), element("span", "", name));
    row.append(query, neighbourCell(before.queries[i]!.nearest, image, before, classes));
    row.append(neighbourCell(nearest, image, now, classes));
    return row;
  });
  place.replaceChildren(...rows);
}

function neighbourCell(
  nearest: readonly LabeledImage[],
  query: LabeledImage,
  size: ImageSize,
  classes: readonly string[],
): HTMLElement {
  const cell = element("td", "");
  const tiles = element("div", "tiles");
  for (const { pixels, label } of nearest) {
    const tile = classes.length > 0 ? labelledTile(label, query.label, classes) : element("span", "tile");
    tile.append(canvasOf(pixels, size, tile.title || "a neighbour"));
    tiles.append(tile);
  }
  cell.append(tiles);
  const matches = nearest.filter(({ label }) => label === query.label).length;
  if (classes.length > 0) cell.append(element("small", "", `${matches} of ${nearest.length}`));
  return cell;
}

function labelledTile(label: number, wanted: number, classes: readonly string[]): HTMLElement {
  const same = label === wanted;
  const name = classes[label] ?? "";
  const tile = element("span", same ? "tile same" : "tile other");
  tile.title = same ? name : `${name}: another class`;
  return tile;
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
