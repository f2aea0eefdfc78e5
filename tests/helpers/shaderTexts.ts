/** The shader files as they lie in `shaders/`, by name, and what of a file no specialisation may change. */

const files = import.meta.glob<string>("../../shaders/**/*.wgsl", { query: "?raw", import: "default", eager: true });

/** File stem below `shaders/` -> text. */
export const SHADERS: ReadonlyMap<string, string> = new Map(
  Object.entries(files).map(([path, text]) => [/shaders\/(.+)\.wgsl$/.exec(path)![1]!, text]),
);

const IS_HOLE =
  /^(const |alias |@group\(0\)|struct Params|.*\/\/ @(hook|lib)$|.*@builtin\((workgroup_id|num_workgroups|global_invocation_id)\))/;

/** Lines that every specialisation keeps as they are: all but holes, loops that are written out, Params, and the place in a grid. */
export function fixedLines(text: string): string[] {
  const lines = text.replace(/struct Params \{[^}]*\}.*/, "").split("\n");
  const fixed: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    if (lines[i]!.trim().startsWith("// @unroll")) {
      i = endOfLoop(lines, i + 1);
      continue;
    }
    const line = lines[i]!.trim();
    if (line !== "" && !IS_HOLE.test(line)) fixed.push(line);
  }
  return fixed;
}

function endOfLoop(lines: readonly string[], first: number): number {
  let depth = 0;
  for (let i = first; i < lines.length; i++) {
    for (const char of lines[i]!) depth += char === "{" ? 1 : char === "}" ? -1 : 0;
    if (depth === 0) return i;
  }
  return lines.length;
}
