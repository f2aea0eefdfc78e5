/**
 * A launch in parts: a shader whose grid is a piece of a larger one. WebGPU has no base for its workgroups, so the shader adds it: what
 * the entry point is told of its place becomes its place in the whole grid, and the size of the grid that of the whole. Takes
 * specialised WGSL; gives the same with four more parameters. Shader files know nothing of it.
 */

import { InternalError } from "../errors";
import type { Pass } from "../kernels/kernel";
import type { Part } from "../kernels/parts";
import { type Field, PARAMS } from "./specialize";

const ENTRY = /@workgroup_size\(([^)]*)\)\s*fn main\(([\s\S]*?)\)\s*\{/;
const PLACE = /@builtin\((workgroup_id|num_workgroups|global_invocation_id)\) (\w+): vec3<u32>/g;

/** Fields that are added behind the others: the first workgroup of a part, and the size of the whole grid. */
export const PART_FIELDS: readonly Field[] = ["first_group_x", "first_group_y", "all_groups_x", "all_groups_y"].map(
  (name) => ({ name, type: "u32" }),
);

/** The values of `PART_FIELDS` for one part of a grid. */
export const partParams = ({ first }: Part, [x, y]: Pass["grid"]): number[] => [...first, x, y];

/** Specialised WGSL, for the parts of a grid. */
export function inParts(wgsl: string): string {
  const [head, sizes, entry] = (ENTRY.exec(wgsl) ?? []) as unknown as [string?, string?, string?];
  if (head === undefined || !PARAMS.test(wgsl) || entry!.search(PLACE) < 0)
    throw new InternalError("inParts: a shader must have parameters, and a main that asks for its place in the grid.");
  const [width, height = "1u"] = sizes!.split(",").map((size) => size.trim());
  const wholes: Readonly<Record<string, string>> = {
    workgroup_id: " + vec3<u32>(params.first_group_x, params.first_group_y, 0u)",
    global_invocation_id: ` + vec3<u32>(params.first_group_x * ${width}, params.first_group_y * ${height}, 0u)`,
  };
  const lines: string[] = [];
  const renamed = head.replace(PLACE, (_, builtin: string, name: string) => {
    const own = `${name}_of_part`;
    const size = `vec3<u32>(params.all_groups_x, params.all_groups_y, ${own}.z)`;
    lines.push(`  let ${name} = ${builtin === "num_workgroups" ? size : `${own}${wholes[builtin]}`};`);
    return `@builtin(${builtin}) ${own}: vec3<u32>`;
  });
  const fields = PART_FIELDS.map(({ name, type }) => `${name}: ${type}`).join(", ");
  return wgsl
    .replace(head, () => [renamed, ...lines].join("\n"))
    .replace(PARAMS, (_, body: string) => `struct Params { ${body.trim()}, ${fields} }`);
}
