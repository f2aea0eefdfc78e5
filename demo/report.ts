/** Passes a session's events on to `npm start`, in order, as JSON lists; features go as files. */

import type { FileArray } from "flywheel/io";
import type { FeaturesEvent } from "./protocol";
import type { Session, SessionEvent } from "./session";

/** Events of bytes, which are no JSON. */
const BINARY: readonly string[] = [
  "features",
  "checkpoint",
  "views",
  "neighbours",
  "queue",
  "map",
  "export",
] satisfies SessionEvent["type"][];

/** File formats of features. */
export type FeaturesFormat = "npy" | "safetensors";

export interface ReportOptions {
  /** Of the features. */
  readonly format: FeaturesFormat;
  /** Whether the terminal takes checkpoints. */
  readonly checkpoints: boolean;
}

/**
 * @param url where to send, given by the terminal in the page's address
 * @param options see ReportOptions
 */
export function reportTo(session: Session, url: string, { format, checkpoints }: ReportOptions): void {
  let queue: SessionEvent[] = [];
  let sending = false;
  const send = async (): Promise<void> => {
    if (sending) return; // whatever comes meanwhile goes with the next list
    sending = true;
    try {
      while (queue.length > 0) {
        const events = queue;
        queue = [];
        for (const event of events) {
          if (event.type === "features") await sendFeatures(event, url, format);
          if (event.type === "checkpoint" && checkpoints) await post(`${url}/files/checkpoint`, event.bytes);
        }
        const told = events.filter(({ type }) => !BINARY.includes(type));
        if (told.length > 0) await post(`${url}/events`, JSON.stringify(told));
      }
    } catch (error) {
      stop();
      await tell(error).catch(() => undefined); // the terminal is gone; the page goes on without it
    }
    sending = false;
  };
  /** What the terminal waits for will not come. */
  const tell = (error: unknown): Promise<void> => {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const event: SessionEvent = { type: "error", name, message, isUsage: false };
    return post(`${url}/events`, JSON.stringify([event]));
  };
  const stop = session.subscribe((event) => {
    queue.push(event);
    void send();
  });
}

async function sendFeatures({ bank, test }: FeaturesEvent, url: string, format: FeaturesFormat): Promise<void> {
  const { writeNpy, writeSafetensors } = await import("flywheel/io");
  const arrays: Record<string, FileArray> = {};
  for (const [name, { count, dim, features, labels }] of Object.entries({ bank, test })) {
    arrays[name] = { shape: [count, dim], dtype: "f32", data: features };
    arrays[`${name}_labels`] = { shape: [count], dtype: labels instanceof Uint8Array ? "u8" : "i32", data: labels };
  }
  if (format === "safetensors") {
    await post(`${url}/files/all`, writeSafetensors(arrays));
  } else {
    for (const [name, array] of Object.entries(arrays)) await post(`${url}/files/${name}`, writeNpy(array));
  }
}

async function post(url: string, body: string | Uint8Array): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    body: typeof body === "string" ? body : new Blob([body as BlobPart]),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
}
