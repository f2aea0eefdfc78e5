/**
 * Profiler: what each launch of some code takes on the GPU, by timestamp queries. Takes a function, gives a list of launches
 * with times and a table of them. It changes what it measures a little: each launch gets a pass of its own.
 */

import { defaultDevice, type Device } from "../device";
import { DeviceError } from "../errors";
import { backendOf } from "./device";
import { hasTimestamps, measureLaunches, type Profile, type ProfiledLaunch, profileOf } from "./measure";
import { addTrack } from "./tracks";

/**
 * Runs a function and measures each launch that the library makes meanwhile. Wait for the results inside: what is only
 * described and not computed has no launches. An optimizer's update runs with the step after it.
 *
 * @param body what to measure; run it once before, or kernels are compiled meanwhile
 * @param options.device default: the default device
 * @param options.tracks whether the launches also become a track "GPU" of the browser's Performance panel, if that is recording,
 *   as entries of `performance.measure`; default false
 * @returns launches in the order in which they ran
 * @throws DeviceError for the CPU, or a GPU without timestamp queries
 *
 * @example
 * const result = await profile(() => trainStep(batch));
 * console.log(printProfile(result));
 */
export async function profile(
  body: () => unknown,
  { device = defaultDevice(), tracks = false }: { readonly device?: Device; readonly tracks?: boolean } = {},
): Promise<Profile> {
  const backend = backendOf("profile", device);
  if (!hasTimestamps(backend)) {
    throw new DeviceError(
      "profile: the GPU must have timestamp queries, got one without. Use Chrome with --enable-unsafe-webgpu.",
    );
  }
  const measured: Promise<ProfiledLaunch[]>[] = [];
  const stop = measureLaunches(
    backend,
    (launches) => measured.push(launches),
    (problem) => {
      throw new DeviceError(`profile: ${problem}. Profile less.`);
    },
  );
  try {
    await body();
  } finally {
    stop();
  }
  const submits = await Promise.all(measured);
  if (tracks) addTrack(submits);
  return profileOf(submits.flat());
}
