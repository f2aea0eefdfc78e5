/** The card of the map: hears of features, has them laid out in a worker of its own, and shows how far that is. */

import { timeLeft } from "../numbers";
import type { MapEvent, Request } from "../protocol";
import { MapFigure } from "./mapFigure";
import type { Directions } from "./layout";
import type { LayoutEvent } from "./worker";

export class MapPanel {
  private readonly figure: MapFigure;
  private readonly says: HTMLElement;
  /** Progress of a layout, and the button that stops it. */
  private readonly underWay: HTMLElement;
  private readonly progress: HTMLProgressElement;
  private readonly share: HTMLElement;
  /** Asks for a map. */
  private readonly button: HTMLElement;
  private worker: Worker | null = null;
  /** What the map is of, in words. */
  private title = "";

  constructor(card: HTMLElement) {
    this.says = card.querySelector<HTMLElement>(".says")!;
    this.underWay = card.querySelector<HTMLElement>(".under-way")!;
    this.progress = card.querySelector("progress")!;
    this.share = card.querySelector<HTMLElement>(".share")!;
    this.button = card.querySelector<HTMLElement>("[data-ask=map]")!;
    this.figure = new MapFigure(card.querySelector<HTMLElement>(".map-figure")!);
    card.querySelector(".stop")!.addEventListener("click", () => this.stop());
  }

  /** Features were asked for. */
  asked(what: Request): void {
    if (what === "map") this.say("Encoding the images, once the step under way is done.");
  }

  /** Lays features out; a layout under way is left. */
  show({ features, dim, ...images }: MapEvent): void {
    this.end();
    const count = images.rows.length;
    this.title = `Step ${images.step}: ${count} test images.`;
    this.figure.show(images);
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "map" });
    this.worker.onmessage = ({ data }: MessageEvent<LayoutEvent>) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.receive({ type: "error", message: event.message || "The map's worker could not be loaded." });
    };
    this.worker.postMessage({ count, dim, features } satisfies Directions);
    this.underWay.hidden = false;
    this.progress.removeAttribute("value"); // finding neighbours takes as long as it takes
    this.share.textContent = "Finding the neighbours of each";
    this.say(this.title);
  }

  /** What was asked for does not come. @returns whether it were features */
  refuse(what: Request, message: string): boolean {
    if (what === "map") this.say(`The map failed: ${message}`);
    return what === "map";
  }

  /** Of a run that is over, or a new one. */
  clear(): void {
    this.end();
    this.figure.clear();
    this.say("");
  }

  private receive(event: LayoutEvent): void {
    if (event.type === "error") {
      this.end();
      this.say(`The map failed: ${event.message}`);
      return;
    }
    this.figure.move(event.places);
    this.progress.value = event.share;
    // beside the status, which is read aloud
    this.share.textContent = `${Math.floor(100 * event.share)} %${timeLeft(event.secondsLeft)}`;
    if (event.share < 1) return;
    this.end();
    this.say(`${this.title} The map is drawn.`);
  }

  private stop(): void {
    this.end();
    this.say(`${this.title} Stopped before all found their places.`);
  }

  private end(): void {
    this.worker?.terminate();
    this.worker = null;
    const hadFocus = this.underWay.contains(document.activeElement);
    this.underWay.hidden = true;
    if (hadFocus) this.button.focus(); // Stop has gone
  }

  private say(text: string): void {
    this.says.textContent = text;
  }
}
