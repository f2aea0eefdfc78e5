/** The card of files to take: each row has a button that asks for files, and links to them once they are made. */

import type { ExportedFile, ExportKind, Request } from "../protocol";

export class ExportPanel {
  /** @param card the place for links of a row has what the row is of as `data-made` */
  constructor(private readonly card: HTMLElement) {}

  /** Files were asked for. */
  asked(what: Request): void {
    this.put(what, "Made once the step under way is done.");
  }

  /** Links to files, in place of those before. */
  offer(what: ExportKind | "curves", files: readonly ExportedFile[]): void {
    this.put(what, ...files.map(linkTo));
  }

  /** What was asked for does not come. @returns whether it were files of this card */
  refuse(what: Request, message: string): boolean {
    return this.put(what, `Not made: ${message}`);
  }

  clear(): void {
    for (const place of this.card.querySelectorAll("[data-made]")) fill(place);
  }

  /** @returns whether there is a place for it: else nothing happens */
  private put(what: Request | "curves", ...content: (string | Node)[]): boolean {
    const place = this.card.querySelector(`[data-made="${what}"]`);
    if (place) fill(place, ...content);
    return place !== null;
  }
}

/** Lets go of the bytes behind links that were there. */
function fill(place: Element, ...content: (string | Node)[]): void {
  for (const link of place.querySelectorAll("a")) URL.revokeObjectURL(link.href);
  place.replaceChildren(...content);
}

function linkTo({ name, bytes }: ExportedFile): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  link.download = name;
  link.textContent = `${name} (${shownSize(bytes.length)})`;
  return link;
}

const shownSize = (byteLength: number): string =>
  byteLength < 1e6 ? `${Math.ceil(byteLength / 1000)} kB` : `${(byteLength / 1e6).toFixed(1)} MB`;
