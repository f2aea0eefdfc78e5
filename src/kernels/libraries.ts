/** The WGSL function libraries that any fused kernel may call; only what is used reaches a shader. */

import indexSource from "../../shaders/lib/index.wgsl?raw";
import mathSource from "../../shaders/lib/math.wgsl?raw";
import randomSource from "../../shaders/lib/random.wgsl?raw";
import type { Shader } from "./kernel";

export const LIBRARIES: readonly Shader[] = [
  { name: "lib/index", source: indexSource },
  { name: "lib/math", source: mathSource },
  { name: "lib/random", source: randomSource },
];
