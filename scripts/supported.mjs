// @ts-check
/**
 * `npm run supported`: writes docs/SUPPORTED.md, what flywheel offers beside PyTorch's names. All of it comes from the public
 * declarations and their docstrings, and from the registry of ops; a test compares the page with what they say now.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureDependencies, root, runMain } from "./setup.mjs";

/**
 * What the page needs to know of an op.
 *
 * @typedef {{ name: string, lowering: { kind: string }, vjp: unknown }} RegisteredOp
 * @typedef {{ name: string, torch: string, what: string }} Row
 */

export const page = join(root, "docs", "SUPPORTED.md");

/** Namespaces of the package, in the order of the page. */
const SECTIONS = [
  { heading: "Layers (`nn`)", path: ["nn"], skip: ["init", "utils", "functional"] },
  { heading: "Initialisers (`nn.init`)", path: ["nn", "init"], skip: [] },
  { heading: "Utilities (`nn.utils`)", path: ["nn", "utils"], skip: [] },
  { heading: "Optimizers and schedules (`optim`)", path: ["optim"], skip: [] },
  { heading: "Models (`models`)", path: ["models"], skip: [] },
];

/** What a PyTorch user may look for. */
const NOT_HERE = [
  "Methods that write in place: `setAt`, `scatter` and others return a new tensor; parameters and buffers have `assign`.",
  "Calling a module: it is `model.forward(x)`. Hooks of modules; tensors have `registerHook`.",
  "Complex numbers, `float16`, `bfloat16`; 64-bit integers, which are `i32` here; `float64` on a GPU.",
  "`Conv3d` and all else in three dimensions; `LSTM`, `GRU` and other recurrent layers; `EmbeddingBag`; `CTCLoss`.",
  "`Adagrad`, `Adadelta`, `NAdam`, `RAdam`, `Adamax`, `LBFGS`.",
  "Decompositions and solvers of `torch.linalg`, `torch.fft`, sparse and quantised tensors, `vmap`, distributions.",
  "`DataLoader`: batches are slices of a permutation, `x.index(order.narrow(0, first, count))` with `order = randperm(n)`.",
];

/**
 * The page's text.
 *
 * @param {Iterable<RegisteredOp>} ops
 */
export async function render(ops) {
  const { default: ts } = await import("typescript");
  const reader = new Reader(ts);
  const exported = reader.exportsOf(join(root, "src", "index.ts"));
  /** @param {Map<string, import("typescript").Symbol>} members @param {(symbol: import("typescript").Symbol, name: string) => boolean} isShown */
  const rows = (members, isShown) =>
    [...members].flatMap(([name, symbol]) => (isShown(symbol, name) ? [reader.row(name, symbol)] : []));
  const isFunction = (/** @type {import("typescript").Symbol} */ symbol) => reader.isFunction(symbol);
  const parts = [
    "# What is supported",
    "Written by `npm run supported` from the docstrings of the public declarations and from the registry of ops: do not edit it by hand. " +
      "The name in PyTorch is that of the closest function; where there is none, it is ours. Options are those of the docstrings.",
    table("Functions", rows(exported, isFunction)),
    table(
      "Methods of `Tensor`",
      rows(reader.methodsOf(exported.get("Tensor")), () => true),
    ),
    table("Functions of `F`", rows(reader.namespace(exported, ["F"]), isFunction)),
    ...SECTIONS.flatMap(({ heading, path, skip }) => {
      const members = rows(
        reader.namespace(exported, path),
        (each, name) => !skip.includes(name) && reader.isValue(each),
      );
      return members.length > 0 ? [table(heading, members)] : [];
    }),
    ["## Not here", "", ...NOT_HERE.map((line) => `- ${line}`)].join("\n"),
    registry(ops),
  ];
  return `${parts.join("\n\n")}\n`;
}

/**
 * @param {string} heading
 * @param {Row[]} rows
 */
function table(heading, rows) {
  const sorted = [...rows].sort((a, b) => a.name.localeCompare(b.name, "en"));
  const lines = sorted.map(({ name, torch, what }) => `| \`${name}\` | ${torch && `\`${torch}\``} | ${what} |`);
  return [`## ${heading}`, "", "| here | PyTorch | what |", "| --- | --- | --- |", ...lines].join("\n");
}

const KINDS = {
  leaf: "data, bound as it is",
  alias: "its input's memory",
  pointwise: "an expression, fused",
  reshape: "index arithmetic",
  view: "index arithmetic",
  indexed: "reads at computed places, fused",
  generator: "an expression of the element's index, fused",
  reduce: "a reduction, with what is pointwise before and after it",
  kernel: "a kernel of its own",
};

/** @param {Iterable<RegisteredOp>} ops */
function registry(ops) {
  const rows = [...ops]
    .sort((a, b) => a.name.localeCompare(b.name, "en"))
    .map(({ name, lowering, vjp }) => {
      const kind = KINDS[/** @type {keyof typeof KINDS} */ (lowering.kind)] ?? lowering.kind;
      return `| \`${name}\` | ${kind} | ${vjp ? "yes" : ""} |`;
    });
  const note =
    "What everything above is made of. Each runs on the CPU and on WebGPU, and is compared with PyTorch on both, but for " +
    "parts of random draws, which are compared with published words or with the distribution.";
  return ["## Ops", "", note, "", "| op | on the GPU | gradient |", "| --- | --- | --- |", ...rows].join("\n");
}

/** Reads declarations and docstrings with TypeScript's compiler. */
class Reader {
  /** @param {typeof import("typescript")} ts */
  constructor(ts) {
    this.ts = ts;
    const configPath = join(root, "tsconfig.json");
    const config = ts.parseJsonConfigFileContent(ts.readConfigFile(configPath, ts.sys.readFile).config, ts.sys, root);
    this.program = ts.createProgram([join(root, "src", "index.ts")], config.options);
    this.checker = this.program.getTypeChecker();
  }

  /** @param {string} file */
  exportsOf(file) {
    const source = this.program.getSourceFile(file);
    const module = source && this.checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`supported: ${file} must be a module.`);
    return new Map(this.checker.getExportsOfModule(module).map((symbol) => [symbol.name, this.resolved(symbol)]));
  }

  /** @param {import("typescript").Symbol} symbol */
  resolved(symbol) {
    return symbol.flags & this.ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  /**
   * Members by name of a namespace that was exported with `export * as`; none where there is no such namespace.
   *
   * @param {Map<string, import("typescript").Symbol>} exported
   * @param {string[]} path
   */
  namespace(exported, path) {
    let members = exported;
    for (const name of path) {
      const symbol = members.get(name);
      if (!symbol) return new Map();
      members = new Map(this.checker.getExportsOfModule(symbol).map((each) => [each.name, this.resolved(each)]));
    }
    return members;
  }

  /** @param {import("typescript").Symbol | undefined} symbol the class */
  methodsOf(symbol) {
    if (!symbol) throw new Error("supported: Tensor must be exported.");
    const members = this.checker.getPropertiesOfType(this.checker.getDeclaredTypeOfSymbol(symbol));
    const { ModifierFlags } = this.ts;
    const shown = members.filter((member) => {
      const declaration = member.declarations?.[0];
      if (!declaration || member.name.startsWith("__")) return false;
      const flags = this.ts.getCombinedModifierFlags(declaration);
      return !(flags & (ModifierFlags.Private | ModifierFlags.Protected));
    });
    return new Map(shown.map((member) => [member.name, member]));
  }

  /** @param {string} name of a method of Tensor */
  methodOf(name) {
    const method = this.methodsOf(this.exportsOf(join(root, "src", "index.ts")).get("Tensor")).get(name);
    if (!method) throw new Error(`supported: a docstring points to Tensor.${name}, which must exist.`);
    return method;
  }

  /** @param {import("typescript").Symbol} symbol */
  isValue(symbol) {
    return (symbol.flags & this.ts.SymbolFlags.Value) !== 0;
  }

  /** @param {import("typescript").Symbol} symbol */
  isFunction(symbol) {
    const declaration = symbol.valueDeclaration;
    if (!declaration || symbol.flags & this.ts.SymbolFlags.Class) return false;
    return this.checker.getTypeOfSymbolAtLocation(symbol, declaration).getCallSignatures().length > 0;
  }

  /**
   * @param {string} name
   * @param {import("typescript").Symbol} symbol
   * @returns {Row}
   */
  row(name, symbol) {
    return { name, ...this.docOf(symbol) };
  }

  /**
   * The first sentence of a docstring, or of that of the method it points to, and what it names of PyTorch.
   *
   * @param {import("typescript").Symbol} symbol
   * @returns {{ torch: string, what: string }}
   */
  docOf(symbol) {
    const { ts } = this;
    const text = ts.displayPartsToString(symbol.getDocumentationComment(this.checker));
    const tags = symbol.getJsDocTags(this.checker).filter(({ name }) => name === "see");
    const named = tags.map(({ text: parts }) => ts.displayPartsToString(parts)).join(" ");
    const torch = /\btorch(?:vision)?(?:\.\w+)+/.exec(named)?.[0] ?? "";
    const [first = ""] = text.split(/\n\s*\n|(?<=[.:])\s+(?=[A-Z`])/);
    const what = first.replaceAll(/\s+/g, " ").replaceAll("|", "\\|").replace(/[.:]$/, "").trim();
    const method = /^(?:See|As) `Tensor\.(\w+)`$/.exec(what)?.[1];
    return { torch, what: method ? this.docOf(this.methodOf(method)).what : what };
  }
}

/** The registry, from the sources. */
async function registeredOps() {
  const { createServer } = await import("vite");
  const server = await createServer({
    configFile: false,
    root,
    server: { middlewareMode: true, ws: false },
    logLevel: "error",
    optimizeDeps: { noDiscovery: true },
  });
  try {
    await server.ssrLoadModule("/src/ops/index.ts");
    const { allOps } = await server.ssrLoadModule("/src/ops/op.ts");
    return [.../** @type {Map<string, RegisteredOp>} */ (allOps()).values()];
  } finally {
    await server.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runMain(
    async () => {
      ensureDependencies();
      writeFileSync(page, await render(await registeredOps()));
      console.log(`wrote ${page.slice(dirname(dirname(page)).length + 1)}`);
    },
    import.meta.url,
  );
}
