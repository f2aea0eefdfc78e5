/** Set-up file of the `webgpu` project: gives Node a `navigator.gpu`, Dawn on whatever Vulkan driver there is. */
import { create, globals } from "webgpu";

const pinned = globalThis as { dawn?: GPU };
Object.assign(globalThis, globals);
// Pinned: if the object is collected while a device lives, the process crashes.
pinned.dawn ??= create([]);
Object.defineProperty(globalThis, "navigator", { value: { gpu: pinned.dawn }, configurable: true });
