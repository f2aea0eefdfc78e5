/**
 * What page, worker and terminal tell one another: plain data, no functions. The page sends commands, the worker answers
 * with events; the page passes the events on to whoever listens (its own views, and `npm start`).
 */

import type { Statistics } from "flywheel/data";
import type { RunResult } from "./loop";
import type { Embeddings, TrainingOptions } from "./training";
import type { Tuning } from "./tuning";

/** Page to worker. A worker runs one training; to reset, the page ends it and makes another. */
export type Command =
  | {
      readonly type: "start";
      readonly options: TrainingOptions;
      /** Whether the features are wanted at the end. */
      readonly features: boolean;
      /** Whether a linear probe on all training images is wanted at the end. */
      readonly linearProbe: boolean;
      readonly images: ImagesSource;
      /** Where `npm start` keeps what tuning finds, an absolute address; null: in the browser. */
      readonly tuningUrl: string | null;
      /** A checkpoint to go on from; null: from the start. */
      readonly resume: Blob | null;
      /** Whether a checkpoint is wanted at each evaluation, asked for or not. */
      readonly checkpoints: boolean;
      /** Whether somebody looks at the queue and the device meanwhile. */
      readonly watch: boolean;
    }
  /** Asks for something that is answered after the step that is under way; at the end of a run, too. */
  | { readonly type: "ask"; readonly what: Request }
  | { readonly type: "pause" }
  /** One more step of a run that is paused. */
  | { readonly type: "step" }
  | { readonly type: "resume" };

/**
 * What may be asked for while a run goes on: a checkpoint, a linear classifier trained on the features, the time of each kernel in the
 * next step, features for a map, and files.
 */
export type Request = "save" | "probe" | "times" | "map" | ExportKind;

/** Files of the run as it is: the query encoder's weights, its features of the test images in two formats, and the authors' checkpoint. */
export type ExportKind = "encoder" | "features" | "arrays" | "pytorch";

/** Worker to page. */
export type TrainingEvent =
  | PhaseEvent
  | PieceEvent
  | AdapterEvent
  | ImagesEvent
  | LoadedEvent
  | TuningEvent
  | StepEvent
  | KnnEvent
  | ViewsEvent
  | NeighboursEvent
  | FeaturesEvent
  | CheckpointEvent
  | QueueEvent
  | ProbeEvent
  | TimesEvent
  | MapEvent
  | ExportEvent
  | RefusalEvent
  | DeviceEvent
  | DoneEvent
  | FailureEvent;

export type Phase = "loading" | "evaluating" | "tuning" | "probing" | "training" | "paused";

/** What the worker is doing from now on. */
export interface PhaseEvent {
  readonly type: "phase";
  readonly phase: Phase;
}

/** What takes long within a phase: files, variants of kernels, features of images, nearest neighbours, or epochs of a linear classifier. */
export type Piece = "fetching" | "trying" | "encoding" | "comparing" | "classifying";

/** How far a piece is. */
export interface PieceEvent {
  readonly type: "piece";
  readonly piece: Piece;
  /** 0 to 1. */
  readonly share: number;
  /** Null before there is a rate to tell. */
  readonly secondsLeft: number | null;
}

/** The first event of a run that gets that far, but for how far its pieces are, and that a save was loaded. */
export interface AdapterEvent {
  readonly type: "adapter";
  /** For people: `google / swiftshader`. */
  readonly adapter: string;
  readonly device: "webgpu" | "cpu";
}

/** What the run trains on, once it is there. */
export interface ImagesEvent {
  readonly type: "images";
  readonly images: ImagesSummary;
}

/** A save was found right, all of it, and the run goes on from it. */
export interface LoadedEvent {
  readonly type: "loaded";
  /** Of the run. */
  readonly options: TrainingOptions;
  /** Steps that it has done. */
  readonly step: number;
}

/** What became of tuning; only where it was asked for. */
export interface TuningEvent {
  readonly type: "tuning";
  readonly tuning: Tuning;
}

/** A step whose loss has been read. */
export interface StepEvent {
  readonly type: "step";
  /** Steps done, from 1. */
  readonly step: number;
  readonly loss: number;
  /** Share of the batch whose positive scores higher than every key of the queue, 0 to 1. */
  readonly contrastAccuracy: number;
  /** Learning rate of the step. */
  readonly lr: number;
  /** Over the last steps; null before there is a rate to tell. */
  readonly stepsPerSecond: number | null;
  /** Until the last step and the evaluations that are due; null as above. */
  readonly secondsLeft: number | null;
}

/** An evaluation. */
export interface KnnEvent {
  readonly type: "knn";
  /** Steps done before it; 0 is the untrained encoder. */
  readonly step: number;
  /** 0 to 1. */
  readonly accuracy: number;
}

/** What all images of a run have in common. */
export interface ImageSize {
  /** 1 for grey, 3 for red, green and blue. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Which images: those of the page, CIFAR-10's from files, or the user's own. */
export type ImagesKind = "fashionMnist" | "cifar10" | "own";

/** What is known of the images of a run. */
export interface ImagesSummary extends ImageSize {
  readonly kind: ImagesKind;
  /** Images to train on. */
  readonly trainCount: number;
  readonly testCount: number;
  /** Empty where there are no classes: labels then say nothing. */
  readonly classNames: readonly string[];
  /** What images are normalised by. */
  readonly statistics: Statistics;
}

/** Where a run gets its images. */
export type ImagesSource =
  | {
      readonly kind: "fashionMnist";
      /** Folder of the data files, an absolute address. */
      readonly dataUrl: string;
    }
  | PackedImages;

/** Images that were read from files. */
export interface PackedImages {
  readonly kind: Exclude<ImagesKind, "fashionMnist">;
  readonly summary: ImagesSummary;
  readonly train: PackedPart;
  readonly test: PackedPart;
}

/** Some images of a safetensors file. */
export interface PackedPart {
  readonly file: Blob;
  /** Which of them, in order; null: all. */
  readonly rows: Int32Array | null;
}

/** Images as the encoders see them: bytes, `[count, channels, height, width]`. */
export interface ViewsEvent extends ImageSize {
  readonly type: "views";
  readonly originals: Uint8Array;
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** A few test images and the training images that are nearest to them by the features of `step`. */
export interface NeighboursEvent extends ImageSize {
  readonly type: "neighbours";
  readonly step: number;
  readonly queries: readonly { readonly image: LabeledImage; readonly nearest: readonly LabeledImage[] }[];
}

export interface LabeledImage {
  /** Bytes `[channels, height, width]`. */
  readonly pixels: Uint8Array;
  readonly label: number;
}

/** The embeddings of bank and test images after the last step; only if asked for. */
export interface FeaturesEvent {
  readonly type: "features";
  readonly bank: Embeddings;
  readonly test: Embeddings;
}

/** A linear classifier on what comes before the head, the encoder as it is. */
export interface ProbeEvent {
  readonly type: "probe";
  /** Steps done. */
  readonly step: number;
  /** Of the test images, 0 to 1. */
  readonly accuracy: number;
}

/** What the kernels of one step took, the slowest first. */
export interface TimesEvent {
  readonly type: "times";
  readonly step: number;
  /** Of all. */
  readonly timeMs: number;
  readonly kernels: readonly KernelTime[];
}

export interface KernelTime {
  readonly kernel: string;
  readonly launches: number;
  readonly timeMs: number;
  readonly flops: number;
  /** Least bytes that it must read and write. */
  readonly bytes: number;
}

/** Some of the test images, to be shown in a map. */
export interface MapImages extends ImageSize {
  /** Steps done. */
  readonly step: number;
  /** Which of the test images they are. */
  readonly rows: Int32Array;
  /** Bytes `[count, channels, height, width]`. */
  readonly pixels: Uint8Array;
  /** Indices into `classes`; null where images have none. */
  readonly labels: Int32Array | null;
  readonly classes: readonly string[];
}

/** Images with their features, each of length 1. */
export interface MapEvent extends MapImages {
  readonly type: "map";
  readonly dim: number;
  /** `[count, dim]` */
  readonly features: Float32Array;
}

/** Files that were asked for. */
export interface ExportEvent {
  readonly type: "export";
  readonly what: ExportKind;
  /** Steps done. */
  readonly step: number;
  readonly files: readonly ExportedFile[];
}

export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What was asked for failed; the run goes on. */
export interface RefusalEvent {
  readonly type: "refusal";
  readonly what: Request;
  /** A sentence for the user. */
  readonly message: string;
}

/** The queue as a picture, a row a key: evenly many of all keys, in the order in which they lie. */
export interface QueueEvent {
  readonly type: "queue";
  /** Bytes `[height, width]`; 128 is zero. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** Where the next keys go, 0 to 1. */
  readonly pointer: number;
  /** Share of the keys that are real, not of the random ones of the start. */
  readonly filled: number;
}

/** What the run asks of the device. */
export interface DeviceEvent {
  readonly type: "device";
  /** In use and pooled; null on the CPU. */
  readonly liveByteLength: number | null;
  readonly peakByteLength: number | null;
  readonly dispatchesPerStep: number | null;
  readonly submitsPerStep: number | null;
  readonly buffersCreatedPerStep: number | null;
}

/** A checkpoint that was asked for. */
export interface CheckpointEvent {
  readonly type: "checkpoint";
  /** Steps done. */
  readonly step: number;
  /** A safetensors file. */
  readonly bytes: Uint8Array;
}

/** The last event of a run that ends well. */
export interface DoneEvent {
  readonly type: "done";
  readonly result: RunResult;
}

/** The last event of a run that does not. */
export interface FailureEvent {
  readonly type: "error";
  /** Name of the error's class. */
  readonly name: string;
  /** A sentence for the user. */
  readonly message: string;
  /** The input or the machine does not allow the run (no adapter, broken data); otherwise it broke on the way. */
  readonly isUsage: boolean;
}
