/** What a page says where the browser offers no GPU: why, and what to do. Takes what the browser says, gives sentences. */

/** What of `navigator` and the window counts. */
export interface Surroundings {
  readonly gpu: Pick<GPU, "requestAdapter"> | undefined;
  readonly isSecure: boolean;
  /** Of the page. */
  readonly origin: string;
}

/** Why there is no GPU, and what may help. */
export interface MissingGpu {
  readonly reason: string;
  readonly ways: readonly string[];
}

const here = (): Surroundings => ({
  gpu: (navigator as Partial<Navigator>).gpu,
  isSecure: isSecureContext,
  origin: location.origin,
});

/** Null where there is a GPU. */
export async function missingGpu({ gpu, isSecure, origin }: Surroundings = here()): Promise<MissingGpu | null> {
  if (!isSecure)
    return {
      reason: `Browsers give WebGPU to secure addresses only, and ${origin} is none.`,
      ways: ["Open the page by https, or on this computer as localhost."],
    };
  if (!gpu)
    return {
      reason: "This browser has no WebGPU.",
      ways: [
        "Chrome and Edge have it since 113, on Android since 121; Safari since 26; Firefox since 141 on Windows.",
        "On Linux, Chrome may want chrome://flags/#enable-unsafe-webgpu and #enable-vulkan.",
      ],
    };
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (adapter) return null;
  return {
    reason: "This browser has WebGPU, but found no graphics adapter for it.",
    ways: [
      "Allow graphics acceleration in the browser's settings, and update the graphics driver.",
      "After a crash of the GPU, restart the browser. chrome://gpu tells what is wrong.",
      "On Linux, Chrome may want chrome://flags/#enable-unsafe-webgpu and #enable-vulkan.",
    ],
  };
}

/** Shows a panel where there is no GPU. Its elements with `data-reason` and `data-ways` are filled. */
export async function showMissingGpu(panel: HTMLElement): Promise<void> {
  const missing = await missingGpu();
  panel.hidden = missing === null;
  if (missing === null) return;
  panel.querySelector("[data-reason]")!.textContent = missing.reason;
  panel.querySelector("[data-ways]")!.replaceChildren(
    ...missing.ways.map((way) => {
      const item = document.createElement("li");
      item.textContent = way;
      return item;
    }),
  );
}

/** A training that the CPU reference ends in a few minutes: a small encoder, small batches, nothing evaluated. */
const ON_THE_CPU = { device: "cpu", encoder: "tinyGap", batchSize: 16, queueSize: 256, steps: 100, evaluate: false };

/** What does not start at once, or takes long there: images to be opened, a save to go on from, tuning, and judging all images. */
const NOT_ON_THE_CPU = ["data", "resume", "tune", "linearProbe", "features"];

/** The page's address for a training on the CPU, which starts at once. */
export function cpuAddress(address: string): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(ON_THE_CPU)) url.searchParams.set(name, String(value));
  for (const name of NOT_ON_THE_CPU) url.searchParams.delete(name);
  url.searchParams.set("autostart", "");
  return url.href;
}
