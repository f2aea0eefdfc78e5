/** The choice of images on the page: fields, drops, and what was read. It reads nothing itself: a worker does (imagesReader.ts). */

import type { PlacedFile } from "flywheel/data";
import { missingText, type Reading, readingOf, summaryNotes, summaryText } from "./chosenFiles";
import { droppedFiles } from "./droppedFiles";
import type { ReaderEvent } from "./imagesReader";
import { timeLeft } from "./numbers";
import { sizeProblemOf } from "./options";
import type { HowFar } from "./progress";
import type { ImagesSummary, PackedImages } from "./protocol";
import type { TrainingOptions } from "./training";

const byId = (id: string): HTMLElement => document.getElementById(id)!;

const LOCKED = "Images are chosen before a training: press Reset first, then drop them.";

export class DataChoice {
  /** Null: Fashion-MNIST, which comes with the page and is read when a run starts. */
  chosen: PackedImages | null = null;
  private reader: Worker | null = null;
  /** What `reader` reads. */
  private reading: Reading | null = null;
  /** The user's own images: another size means to read them again. */
  private own: readonly PlacedFile[] = [];
  private isLocked = false;
  /** Choices that were begun. A drop is one from its start, though its folders take a while to list. */
  private begun = 0;
  /** The choice that counts; what earlier ones still bring is left. */
  private latest = 0;
  /** Drops whose folders are being listed. */
  private readonly listing = new Set<number>();

  private readonly place = byId("images") as HTMLFieldSetElement;
  private readonly size = byId("images-size") as HTMLSelectElement;
  private readonly progress = byId("images-progress") as HTMLProgressElement;
  private readonly left = byId("images-left");
  private readonly initialText = byId("images-chosen").textContent;

  /**
   * @param changed called when other images are chosen
   * @param missing which images the address asks for, and the user has yet to open; null for none
   */
  constructor(
    private readonly changed: () => void,
    private missing: string | null,
  ) {
    if (missing !== null) {
      this.tell(missingText(missing));
      byId("images-embedded").hidden = false;
    }
    for (const id of ["images-files", "images-folder"]) {
      const field = byId(id) as HTMLInputElement;
      field.addEventListener("change", () => {
        const files = [...(field.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
        field.value = ""; // so that the same files can be opened again
        if (files.length > 0) this.choose(files);
      });
    }
    byId("images-embedded").addEventListener("click", () => {
      this.latest = ++this.begun;
      this.take(null);
      byId("images-files").focus(); // the button has gone
    });
    this.size.addEventListener("change", () => {
      const files = this.reading ? ownFiles(this.reading) : this.own;
      if (files.length > 0) this.choose(files);
    });
    this.takeDrops();
  }

  /** Why a run cannot start with these images, in a sentence; null if it can. */
  problemOf(options: TrainingOptions): string | null {
    if (this.missing !== null) return missingText(this.missing);
    if (this.isReading) return "Images are being read: wait until they are there.";
    if (this.chosen === null) return null;
    const { trainCount, height } = this.chosen.summary;
    return options.batchSize > trainCount
      ? `The batch size must be at most the ${trainCount} images to train on, got ${options.batchSize}.`
      : sizeProblemOf(options, height);
  }

  /** Images of a run stay as they are. */
  lock(isLocked: boolean): void {
    this.isLocked = this.place.disabled = isLocked;
  }

  /** What a run trains on, as it tells. */
  show(summary: ImagesSummary): void {
    byId("images-chosen").textContent = summaryText(summary);
  }

  /**
   * Reads files, if they are images, and takes these in place of those that are chosen. If they are none, everything stays as it was,
   * what is being read included.
   *
   * @param choice when they were chosen, as `begun` counts
   */
  choose(files: readonly PlacedFile[], choice = ++this.begun): void {
    if (choice < this.latest) return;
    const reading = readingOf(files, Number(this.size.value));
    if (typeof reading === "string") {
      this.resetSize();
      this.tell(reading);
    } else {
      this.latest = choice;
      this.read(reading);
    }
  }

  /** Whether other images may be there soon. */
  private get isReading(): boolean {
    return this.reader !== null || [...this.listing].some((choice) => choice > this.latest);
  }

  private read(reading: Reading): void {
    this.endReader();
    const reader = new Worker(new URL("./imagesReader.ts", import.meta.url), { type: "module", name: "images" });
    [this.reader, this.reading] = [reader, reading];
    this.tell("");
    this.showProgress({ share: 0, secondsLeft: null });
    reader.onmessage = ({ data: event }: MessageEvent<ReaderEvent>) => {
      if (event.type === "progress") this.showProgress(event);
      if (event.type === "problem") this.refuse(event.message);
      if (event.type === "read") {
        this.own = ownFiles(reading);
        this.take(event.images, summaryNotes(event.images.summary, event.unread));
      }
    };
    reader.onerror = (event) => {
      event.preventDefault();
      this.refuse(event.message || "The worker that reads images could not be loaded.");
    };
    reader.postMessage(reading);
  }

  private take(images: PackedImages | null, notes = ""): void {
    this.endReader();
    this.missing = null;
    this.chosen = images;
    if (images?.kind !== "own") this.own = [];
    byId("images-chosen").textContent = images ? summaryText(images.summary) : this.initialText;
    byId("images-embedded").hidden = images === null;
    this.tell(notes);
    this.changed();
  }

  /** What was being read cannot be; what is chosen stays. */
  private refuse(problem: string): void {
    this.endReader();
    this.resetSize();
    this.tell(problem);
  }

  /** The field says which size the user's own images have, or will have when they are read. */
  private resetSize(): void {
    if (this.reading?.kind === "own") this.size.value = String(this.reading.size);
    else if (!this.reading && this.chosen?.kind === "own") this.size.value = String(this.chosen.summary.height);
  }

  private tell(text: string): void {
    byId("images-told").textContent = text;
  }

  /** @param howFar null: nobody knows */
  private showProgress(howFar: HowFar | null): void {
    this.progress.hidden = this.left.hidden = !this.isReading;
    this.left.textContent = `Reading${timeLeft(howFar?.secondsLeft ?? null)}`; // beside the status, which is read aloud
    if (howFar === null) this.progress.removeAttribute("value");
    else this.progress.value = howFar.share;
  }

  private endReader(): void {
    this.reader?.terminate();
    this.reader = this.reading = null;
    this.showProgress(null);
  }

  /** Files may be dropped anywhere: beside a small field, the browser would leave the page and show them. */
  private takeDrops(): void {
    const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes("Files") ?? false;
    addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      document.body.dataset["drop"] = "";
    });
    addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) delete document.body.dataset["drop"]; // out of the window
    });
    addEventListener("drop", (event) => {
      delete document.body.dataset["drop"];
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (this.isLocked) this.tell(LOCKED);
      else void this.takeDrop(event.dataTransfer!);
    });
  }

  private async takeDrop(transfer: DataTransfer): Promise<void> {
    const choice = ++this.begun;
    this.listing.add(choice);
    if (!this.reader) this.showProgress(null);
    try {
      const files = await droppedFiles(transfer);
      if (this.isLocked) this.tell(LOCKED);
      else this.choose(files, choice);
    } catch (error) {
      if (choice > this.latest) this.tell(`The drop could not be read: ${String(error)}`);
    } finally {
      this.listing.delete(choice);
      if (!this.reader) this.showProgress(null);
    }
  }
}

/** The files of a reading that are the user's own images. */
const ownFiles = (reading: Reading): readonly PlacedFile[] => (reading.kind === "own" ? reading.files : []);
