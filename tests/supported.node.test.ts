/** docs/SUPPORTED.md says what the sources say, all that is public is documented, and names are PyTorch's. */

import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import "../src/ops";
import { allOps } from "../src/ops/op";
import { page, render } from "../scripts/supported.mjs";

let text: string;
beforeAll(async () => {
  text = await render(allOps().values());
});

/** The rows of the tables of names: ours, PyTorch's, what it is. */
const rows = (): string[][] =>
  text
    .split("## Ops")[0]!
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.replaceAll("`", "").trim()))
    .map(([, name, torch, what]) => [name!, torch!, what!]);

test("the page is what `npm run supported` writes", () => {
  expect(readFileSync(page, "utf8")).toBe(text);
});

test("all that is public has a docstring", () => {
  expect(rows().filter(([, , what]) => what === "")).toEqual([]);
});

/** Names that are not PyTorch's in camelCase, and why. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  "index for torch.Tensor.__getitem__": "JavaScript has no brackets of one's own",
  "customVjp for torch.autograd.Function": "a function of two functions, where PyTorch has a class of two methods",
  "recompute for torch.utils.checkpoint.checkpoint": "a checkpoint is a file here",
  "Buffer for torch.nn.Module.register_buffer": "PyTorch 1.13 has the method alone",
  "setAt for torch.Tensor.__setitem__": "nor assignment to them",
  "resetPeakMemory for torch.cuda.reset_peak_memory_stats":
    "what it resets is a field of memory(), not of memory_stats()",
};

const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();

test("names are PyTorch's in camelCase", () => {
  const other = rows().filter(([name, torch]) => torch !== "" && plain(torch!.split(".").at(-1)!) !== plain(name!));
  expect(other.map(([name, torch]) => `${name} for ${torch}`).toSorted()).toEqual(Object.keys(OTHER_NAMES).toSorted());
});
