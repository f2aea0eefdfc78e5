/**
 * What points of a class look like: a colour and a shape. Ten colours that stand out from the page in light and in dark; two classes
 * of one shape have colours that also those can tell apart who see less of red, green or blue.
 */

export interface Mark {
  /** Path of an SVG around 0, 0, some 10 wide. */
  readonly path: string;
  readonly light: string;
  readonly dark: string;
}

const COLORS = [
  { light: "#293fe8", dark: "#84a4ff" },
  { light: "#c27a0b", dark: "#d38509" },
  { light: "#0f704a", dark: "#02b97a" },
  { light: "#be53c5", dark: "#fcb2ff" },
  { light: "#ef5e77", dark: "#d81050" },
  { light: "#00a388", dark: "#347666" },
  { light: "#804a00", dark: "#feda9a" },
  { light: "#5500a2", dark: "#8547df" },
  { light: "#8f1071", dark: "#ba6a9f" },
  { light: "#383d41", dark: "#b9b9b9" },
] as const;

const SHAPES = [
  "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0Z", // a disc
  "M-4-4h8v8h-8Z", // a square
  "M0-5.2 5 4.2H-5Z", // a triangle
  "M0-5.8 5 0 0 5.8-5 0Z", // a diamond
  "M-1.8-5h3.6v3.2H5v3.6H1.8V5h-3.6V1.8H-5v-3.6h3.2Z", // a cross
] as const;

/** The mark of a class. More than ten repeat colours, with other shapes. */
export function markOf(label: number): Mark {
  const round = Math.floor(label / COLORS.length);
  return { path: SHAPES[(label + round) % SHAPES.length]!, ...COLORS[label % COLORS.length]! };
}

/** A mark as an image of the page, for a legend: its colour follows the page's. */
export function markImage({ path, light, dark }: Mark): SVGElement {
  const make = (name: string, attributes: Record<string, string>): SVGElement => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    return element;
  };
  const image = make("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true" });
  image.append(make("path", { d: path, style: `fill: light-dark(${light}, ${dark})` }));
  return image;
}
