/** What the page tells the terminal, and that the terminal is not left waiting. */

import { afterEach, describe, expect, test, vi } from "vitest";
import type { FeaturesEvent } from "../../demo/protocol";
import { reportTo } from "../../demo/report";
import type { Session, SessionEvent } from "../../demo/session";

/** A session that says what the test says. */
function reported(): { say: (event: SessionEvent) => void; stopped: ReturnType<typeof vi.fn> } {
  let hear: (event: SessionEvent) => void = () => undefined;
  const stopped = vi.fn();
  const session = {
    subscribe: (listener: typeof hear) => {
      hear = listener;
      return stopped;
    },
  };
  reportTo(session as unknown as Session, "/report", { format: "npy", checkpoints: false });
  return { say: (event) => hear(event), stopped };
}

const part = (features: number) => ({
  ...{ count: 2, dim: 3, features: new Float32Array(features), labels: Uint8Array.of(0, 1) },
});
const features = (length: number): FeaturesEvent => ({ type: "features", bank: part(length), test: part(length) });
const answer = (): Promise<Response> => Promise.resolve(new Response(null, { status: 204 }));

afterEach(() => vi.restoreAllMocks());

describe("a report", () => {
  test("sends features as files, then what happened since", async () => {
    const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(answer);
    const { say, stopped } = reported();
    say(features(6));
    say({ type: "phase", phase: "training" });
    await vi.waitFor(() => expect(fetched).toHaveBeenCalledTimes(5));
    const files = ["bank", "bank_labels", "test", "test_labels"].map((name) => `/report/files/${name}`);
    expect(fetched.mock.calls.map(([url]) => url)).toEqual([...files, "/report/events"]);
    expect(JSON.parse(fetched.mock.calls[4]![1]!.body as string)).toEqual([{ type: "phase", phase: "training" }]);
    expect(stopped).not.toHaveBeenCalled();
  });

  test("says why a file could not be made: the terminal waits for it", async () => {
    const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(answer);
    const { say, stopped } = reported();
    say(features(5)); // of 6
    await vi.waitFor(() => expect(fetched).toHaveBeenCalledTimes(1));
    const [[url, init]] = fetched.mock.calls as [[string, RequestInit]];
    expect(url).toBe("/report/events");
    const [event] = JSON.parse(init.body as string) as SessionEvent[];
    expect(event).toMatchObject({ type: "error", name: "ShapeError", isUsage: false });
    expect(event).toHaveProperty("message", expect.stringContaining("got 5 values for [2, 3]"));
    expect(stopped).toHaveBeenCalledOnce();
  });

  test("ends where nobody listens any more", async () => {
    const fetched = vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("Failed to fetch"));
    const { say, stopped } = reported();
    say({ type: "phase", phase: "training" });
    await vi.waitFor(() => expect(fetched).toHaveBeenCalledTimes(2));
    expect(stopped).toHaveBeenCalledOnce();
  });
});
