/**
 * The options of `npm start`: argv in, checked values out. Reads and runs nothing; it only looks whether the files and
 * folders that the options name are there. A bad input is a UsageError of one sentence, which the caller prints
 * before it exits with code 2.
 */
import { accessSync, closeSync, constants, existsSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ENCODERS, RECIPE_PRESETS } from "../demo/recipePresets.mjs";

/**
 * Checked options; paths are absolute.
 *
 * @typedef {object} Options
 * @property {import("../demo/recipePresets.mjs").RecipeName} recipe
 * @property {number} steps
 * @property {number} batchSize
 * @property {number} queueSize
 * @property {number} dim
 * @property {number} temperature
 * @property {number} momentum Of the key encoder (m of the paper), not of SGD.
 * @property {number} lr
 * @property {number} weightDecay
 * @property {"on" | "off"} shuffle
 * @property {"off" | "on"} symmetric
 * @property {number} seed
 * @property {import("../demo/recipePresets.mjs").EncoderName} encoder
 * @property {"webgpu" | "cpu"} device
 * @property {"off" | "on"} tune
 * @property {string} data Folder of the four IDX files; `dataFile` finds them in it.
 * @property {string | null} json Where to write the results; null: nowhere.
 * @property {boolean} linearProbe Whether to train a linear classifier at the end.
 * @property {string | null} features Where to write the features; null: nowhere.
 * @property {string | null} checkpoint Where to write checkpoints; null: nowhere.
 * @property {string | null} resume The checkpoint to go on from; null: from the start.
 * @property {number | null} evalEvery Steps between evaluations; null: only before and after training.
 * @property {boolean} evaluate False with --no-eval.
 * @property {boolean} headless
 * @property {boolean} help Print helpText() and do nothing else; the other values are then defaults.
 */

/** A command line that cannot be run. The message is one sentence for the user. */
export class UsageError extends Error {
  name = "UsageError";
}

/** SplitBatchNorm's groups: every batch is cut into this many. */
const BATCH_NORM_SPLITS = 8;

/** Numbers that one GPU binding holds at WebGPU's default limits: 128 MiB of f32. */
const BINDING_NUMBERS = 2 ** 25;

/** Longest feature vector: the head of tinyFlat, `[dim, 1024]`, must fit a binding. */
const MAX_DIM = BINDING_NUMBERS / 1024;

/** Fashion-MNIST has no more training images. */
const MAX_BATCH = 60_000;

/** A checkpoint's header is far shorter. */
const MAX_HEADER_BYTES = 1e8;

/** The published names; a file may also lie there without its .gz. */
const DATA_FILES = [
  "train-images-idx3-ubyte.gz",
  "train-labels-idx1-ubyte.gz",
  "t10k-images-idx3-ubyte.gz",
  "t10k-labels-idx1-ubyte.gz",
];

const DEFAULT_DATA = fileURLToPath(new URL("../demo/public/data/fashion-mnist", import.meta.url));

const PRESETS = RECIPE_PRESETS.fashionMnist;

/**
 * One option: what its value looks like (no `value`: a switch), its default, its help and how to check it; and its name in the command
 * line of MoCo's authors, which is taken, too.
 *
 * @typedef {object} OptionDef
 * @property {keyof Options} key
 * @property {string} [value]
 * @property {string | number | boolean | null} preset
 * @property {string} help
 * @property {string} [official]
 * @property {(flag: string, text: string, cwd: string) => string | number} [parse]
 */

/** @type {Readonly<Record<string, OptionDef>>} */
const OPTIONS = {
  recipe: {
    key: "recipe",
    value: "NAME",
    preset: "fashionMnist",
    help: "augmentation, head, how the learning rate falls, and other defaults of the options: fashionMnist, cifar, v1 or v2",
    parse: oneOf(...Object.keys(RECIPE_PRESETS)),
  },
  steps: { key: "steps", value: "N", preset: PRESETS.steps, help: "training steps, one batch each", parse: count },
  "batch-size": {
    key: "batchSize",
    value: "N",
    preset: PRESETS.batchSize,
    help: `images a step, a multiple of ${BATCH_NORM_SPLITS}`,
    parse: (flag, text) => positiveInteger(flag, text, MAX_BATCH),
  },
  "queue-size": {
    key: "queueSize",
    value: "N",
    preset: PRESETS.queueSize,
    help: "keys in the queue, at least the batch size",
    official: "moco-k",
    parse: count,
  },
  dim: {
    key: "dim",
    value: "N",
    preset: PRESETS.dim,
    help: "length of a feature vector",
    official: "moco-dim",
    parse: (flag, text) => positiveInteger(flag, text, MAX_DIM),
  },
  temperature: {
    key: "temperature",
    value: "X",
    preset: PRESETS.temperature,
    help: "divides the logits, above 0",
    official: "moco-t",
    parse: (flag, text) => number(flag, text, "a number above 0", (x) => x > 0),
  },
  momentum: {
    key: "momentum",
    value: "X",
    preset: PRESETS.momentum,
    help: "of the key encoder's moving average, 0 to 1",
    official: "moco-m",
    parse: (flag, text) => number(flag, text, "a number from 0 to 1", (x) => x >= 0 && x <= 1),
  },
  lr: {
    key: "lr",
    value: "X",
    preset: PRESETS.lr,
    help: "learning rate at the start",
    parse: (flag, text) => number(flag, text, "a number above 0", (x) => x > 0),
  },
  "weight-decay": {
    key: "weightDecay",
    value: "X",
    preset: PRESETS.weightDecay,
    help: "of all parameters, 0 or more",
    parse: (flag, text) => number(flag, text, "a number of at least 0", (x) => x >= 0),
  },
  shuffle: {
    key: "shuffle",
    value: "NAME",
    preset: "on",
    help: "whether keys are encoded in another order than queries, on or off",
    parse: oneOf("on", "off"),
  },
  symmetric: {
    key: "symmetric",
    value: "NAME",
    preset: "off",
    help: "off, or on: each view is a query once and a key once, and the loss is the sum of both",
    parse: oneOf("off", "on"),
  },
  seed: {
    key: "seed",
    value: "N",
    preset: 0,
    help: "of all randomness, 0 to 4294967295",
    parse: (flag, text) =>
      number(flag, text, "an integer from 0 to 4294967295", (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32),
  },
  encoder: {
    key: "encoder",
    value: "NAME",
    preset: PRESETS.encoder,
    help: `${ENCODERS.slice(0, -1).join(", ")} or ${ENCODERS.at(-1)}`,
    parse: oneOf(...ENCODERS),
  },
  device: {
    key: "device",
    value: "NAME",
    preset: "webgpu",
    help: "webgpu or cpu (the reference: slow)",
    parse: oneOf("webgpu", "cpu"),
  },
  tune: {
    key: "tune",
    value: "NAME",
    preset: "off",
    help: "off, or on: try which kernels are fastest here, once, for some seconds; later runs know (see README)",
    parse: oneOf("off", "on"),
  },
  data: {
    key: "data",
    value: "DIR",
    preset: DEFAULT_DATA,
    help: "folder of the four Fashion-MNIST IDX files",
    parse: (flag, text, cwd) => resolve(cwd, text),
  },
  json: { key: "json", value: "FILE", preset: null, help: "write the results there as JSON", parse: outputFile },
  features: {
    key: "features",
    value: "FILE",
    preset: null,
    help: "write features (of length 1) and labels of bank and test images there, .npy or .safetensors",
    parse: featuresFile,
  },
  checkpoint: {
    key: "checkpoint",
    value: "FILE",
    preset: null,
    help: "write a checkpoint there at each evaluation and at the end, whole or not at all",
    parse: outputFile,
  },
  resume: {
    key: "resume",
    value: "FILE",
    preset: null,
    help: "go on from a checkpoint, to the bit, with the options it was made with",
    parse: inputFile,
  },
  "eval-every": {
    key: "evalEvery",
    value: "N",
    preset: null,
    help: "evaluate every N steps too, not only before and after (in a window: 50)",
    parse: count,
  },
  "linear-probe": {
    key: "linearProbe",
    preset: false,
    help: "train a linear classifier on the features of all training images at the end, and test it",
  },
  "no-eval": { key: "evaluate", preset: true, help: "train only, no kNN evaluation" },
  headless: { key: "headless", preset: false, help: "open no window" },
  help: { key: "help", preset: false, help: "print this text (or -h)" },
};

/**
 * Reads a command line.
 *
 * @param {readonly string[]} argv arguments after the script's name
 * @param {{ cwd?: string }} [options] cwd: what relative paths start from; by default where the user ran npm
 * @returns {Options}
 * @throws UsageError for every input that cannot be run
 *
 * @example
 * parseOptions(["--steps", "100", "--encoder=tinyGap"]).steps; // 100
 */
export function parseOptions(argv, { cwd = process.env.INIT_CWD ?? process.cwd() } = {}) {
  /** @type {Record<string, string | number | boolean | null>} */
  const values = {};
  for (const def of Object.values(OPTIONS)) values[def.key] = def.preset;
  const given = new Set();
  const tokens = tokensOf(argv);
  if (tokens.some((token) => token.kind === "option" && token.name === "help" && token.value === undefined)) {
    return /** @type {Options} */ ({ ...values, help: true });
  }
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") throw strayArgument(token.value);
    const def = definitionOf(token);
    if (!def.parse && token.value !== undefined)
      throw new UsageError(`${token.rawName} takes no value, got ${JSON.stringify(token.value)}.`);
    values[def.key] = def.parse ? def.parse(token.rawName, valueOf(token, def), cwd) : !def.preset;
    given.add(def.key);
  }
  const recipe = /** @type {Options["recipe"]} */ (values.recipe);
  for (const [key, value] of Object.entries(RECIPE_PRESETS[recipe])) if (!given.has(key)) values[key] = value;
  if (typeof values.resume === "string") {
    for (const [key, value] of Object.entries(savedOptions(values.resume))) {
      if (given.has(key) && values[key] !== value) {
        throw new UsageError(
          `--resume goes on with the options of the file, where ${key} is ${value}, got ${values[key]}; leave it out.`,
        );
      }
      values[key] = value;
    }
  }
  const options = /** @type {Options} */ (values);
  checkTogether(options);
  checkData(options.data);
  return options;
}

/**
 * The options of the run that wrote a checkpoint, by the names of Options. Only names that are known, each checked as if it were typed.
 *
 * @param {string} path
 * @returns {Record<string, string | number>}
 */
function savedOptions(path) {
  const { options: saved, images } = metadataOf(path);
  const values = saved === undefined ? null : parsedObject(saved);
  if (!values) {
    throw new UsageError(
      `--resume must name a checkpoint that npm start or the page wrote, got ${path}, which is none.`,
    );
  }
  if (images !== undefined && parsedObject(images)?.kind !== "fashionMnist") {
    throw new UsageError(
      `--resume must name a checkpoint of a run on Fashion-MNIST, got ${path}, of other images; open it on the page, with those images.`,
    );
  }
  /** @type {Record<string, string | number>} */
  const options = { recipe: "fashionMnist", symmetric: "off" }; // those of checkpoints that name none
  for (const { key, parse } of Object.values(OPTIONS)) {
    if (!Object.hasOwn(values, key) || !parse || [outputFile, inputFile, featuresFile].includes(parse)) continue;
    options[key] = parse(`${key} of ${path}`, String(values[key]), "");
  }
  return options;
}

/**
 * The text that stands in a safetensors file's header.
 *
 * @param {string} path
 * @returns {Record<string, string | undefined>}
 */
function metadataOf(path) {
  const file = openSync(path, "r");
  try {
    const length = Buffer.alloc(8);
    if (readSync(file, length) < 8) return {};
    const byteLength = Number(length.readBigUInt64LE());
    if (byteLength > MAX_HEADER_BYTES) return {};
    const header = Buffer.alloc(byteLength);
    readSync(file, header);
    const metadata = parsedObject(header.toString())?.__metadata__;
    return typeof metadata === "object" && metadata !== null ? { ...metadata } : {};
  } finally {
    closeSync(file);
  }
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | null} null if it is no object in JSON
 */
function parsedObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

/** @param {import("../demo/recipePresets.mjs").RecipeName} name */
function sizesOf(name) {
  const { encoder, batchSize, queueSize, momentum } = RECIPE_PRESETS[name];
  return `${encoder}, batch ${batchSize}, queue ${queueSize}, momentum ${momentum}`;
}

/**
 * What each recipe is, for `--help`.
 *
 * @type {Readonly<Record<import("../demo/recipePresets.mjs").RecipeName, string>>}
 */
const RECIPE_LINES = {
  fashionMnist: `ours, for small grey images: ${sizesOf("fashionMnist")}`,
  cifar: `the MoCo authors' for CIFAR-10: ${sizesOf("cifar")}; theirs: resnet18, 512, 4096, 0.99`,
  v1: `MoCo v1: ${sizesOf("v1")}; the paper's: resnet50, 256, 65536, 0.999`,
  v2: `MoCo v2: ${sizesOf("v2")}; the paper's: resnet50, 256, 65536, 0.999`,
};

/**
 * What `--help` prints: every option with its unit or choices and its default.
 *
 * @returns {string}
 */
export function helpText() {
  const rows = Object.entries(OPTIONS).map(([name, { value, preset, help, official }]) => {
    const shown = preset === DEFAULT_DATA ? relative(resolve(DEFAULT_DATA, "../../../.."), DEFAULT_DATA) : preset;
    const said = official ? `${help}; also --${official}` : help;
    const text = value && preset !== null ? `${said} (default ${shown})` : said;
    return `  ${`--${name}${value ? ` ${value}` : ""}`.padEnd(20)} ${text}`;
  });
  return `Usage: npm start -- [options]

Trains a MoCo encoder on Fashion-MNIST and evaluates it with k nearest neighbours.

${rows.join("\n")}

Recipes, all trained on the Fashion-MNIST files of --data, at sizes for minutes on one machine:
${Object.entries(RECIPE_LINES)
  .map(([name, line]) => `  ${name.padEnd(13)} ${line}`)
  .join("\n")}

Exit codes: 0 done, 1 failed, 2 wrong options or no adapter, 130 ended by Ctrl-C, 141 nobody reads its output.
`;
}

/**
 * Where a data file lies in a folder: under its published name, or decompressed, without the .gz.
 *
 * @param {string} folder
 * @param {string} name one of the four names, with .gz
 * @returns {string | undefined} undefined if there is neither
 */
export function dataFile(folder, name) {
  const paths = [join(folder, name), join(folder, name.replace(/\.gz$/, ""))];
  return paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** @typedef {{ kind: "option", name: string, rawName: string, value?: string, inlineValue?: boolean }} OptionToken */

/**
 * Splits the command line without judging it: parseArgs' own errors are long and know no defaults.
 *
 * @param {readonly string[]} argv
 */
function tokensOf(argv) {
  /** @type {Record<string, { type: "string" | "boolean", short?: string }>} */
  const types = {};
  for (const [name, { value, official = name }] of Object.entries(OPTIONS))
    types[name] = types[official] = { type: value ? "string" : "boolean" };
  types.help = { type: "boolean", short: "h" };
  return parseArgs({ args: [...argv], options: types, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/**
 * @param {OptionToken} token
 * @returns {OptionDef}
 */
function definitionOf({ name, rawName }) {
  const def = Object.hasOwn(OPTIONS, name)
    ? OPTIONS[name]
    : Object.values(OPTIONS).find(({ official }) => official === name);
  if (def) return def;
  const plain = (/** @type {string} */ text) => text.toLowerCase().replaceAll(/[-_]/g, "");
  const near = Object.keys(OPTIONS).find((known) => plain(name) !== "" && plain(known).startsWith(plain(name)));
  throw new UsageError(
    `${rawName} is no option; ${near ? `did you mean --${near}?` : "npm start -- --help lists them all."}`,
  );
}

/**
 * The text after an option that takes one.
 *
 * @param {OptionToken} token
 * @param {OptionDef} def
 * @returns {string}
 */
function valueOf({ rawName, value, inlineValue }, def) {
  if (value === undefined || value === "" || (!inlineValue && value.startsWith("--"))) {
    const got = value ? `, got the option ${value}` : "";
    throw new UsageError(`${rawName} needs a value${got}: write ${rawName} ${def.value}.`);
  }
  return value;
}

/** @param {string} text */
function strayArgument(text) {
  return new UsageError(
    `An option must start with --, got ${JSON.stringify(text)}; with npm, options follow a lone --, as in npm start -- --steps 300.`,
  );
}

/**
 * A decimal number that satisfies a condition.
 *
 * @param {string} flag
 * @param {string} text
 * @param {string} what the condition in words
 * @param {(value: number) => boolean} holds
 */
function number(flag, text, what, holds) {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value) || !holds(value))
    throw new UsageError(`${flag} must be ${what}, got ${JSON.stringify(text)}.`);
  return value;
}

/**
 * @param {string} flag
 * @param {string} text
 */
function count(flag, text) {
  return positiveInteger(flag, text, 2 ** 31 - 1);
}

/**
 * @param {string} flag
 * @param {string} text
 * @param {number} max
 */
function positiveInteger(flag, text, max) {
  return number(flag, text, `an integer from 1 to ${max}`, (x) => Number.isInteger(x) && x >= 1 && x <= max);
}

/**
 * @param {...string} names
 * @returns {(flag: string, text: string) => string}
 */
function oneOf(...names) {
  return (flag, text) => {
    if (!names.includes(text))
      throw new UsageError(`${flag} must be one of ${names.join(", ")}, got ${JSON.stringify(text)}.`);
    return text;
  };
}

/**
 * A file that can be written: its folder exists and lets us.
 *
 * @param {string} flag
 * @param {string} text
 * @param {string} cwd
 */
function outputFile(flag, text, cwd) {
  const path = resolve(cwd, text);
  if (text.endsWith("/")) throw new UsageError(`${flag} must name a file, got ${path}, which is none.`);
  checkWritable(flag, path);
  return path;
}

/**
 * A file that can be read.
 *
 * @param {string} flag
 * @param {string} text
 * @param {string} cwd
 */
function inputFile(flag, text, cwd) {
  const path = resolve(cwd, text);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`${flag} must name a file, got ${path}, which is none.`);
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new UsageError(`${flag} must name a file that can be read, got ${path}, where reading is not allowed.`);
  }
  return path;
}

/**
 * @param {string} flag
 * @param {string} path
 * @param {string} [shown] the path in words
 */
function checkWritable(flag, path, shown = path) {
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${flag} must name a file in an existing folder, got ${shown}; create the folder first.`);
  }
  const exists = existsSync(path);
  if (exists && !statSync(path).isFile()) {
    throw new UsageError(`${flag} must name a file, got ${shown}, which is none.`);
  }
  try {
    accessSync(folder, constants.W_OK); // a file is replaced, not written over
    if (exists) accessSync(path, constants.W_OK);
  } catch {
    throw new UsageError(`${flag} must name a file that can be written, got ${shown}, where writing is not allowed.`);
  }
}

/**
 * @param {string} flag
 * @param {string} text
 * @param {string} cwd
 */
function featuresFile(flag, text, cwd) {
  if (![".npy", ".safetensors"].includes(extname(text))) {
    throw new UsageError(`${flag} must end in .npy or .safetensors, got ${JSON.stringify(text)}.`);
  }
  const path = outputFile(flag, text, cwd);
  for (const other of Object.values(featureFiles(path))) {
    if (other !== path) checkWritable(flag, other, `${other} (it goes with ${basename(path)})`);
  }
  return path;
}

/**
 * The files that --features stands for, by the names that the page gives them.
 *
 * @param {string | null} path
 * @returns {Record<string, string>}
 *
 * @example
 * featureFiles("a.npy").bank; // "a.bank.npy"
 */
export function featureFiles(path) {
  if (path === null) return {};
  if (!path.endsWith(".npy")) return { all: path };
  const stem = path.slice(0, -".npy".length);
  return {
    test: path,
    test_labels: `${stem}.labels.npy`,
    bank: `${stem}.bank.npy`,
    bank_labels: `${stem}.bank.labels.npy`,
  };
}

/**
 * Where runs leave what tuning found, for those to come: the user's cache folder.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string}
 */
export function tuningFile(env = process.env) {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "flywheel", "tuning.json");
}

/**
 * The path without links to its folder: one file has one.
 *
 * @param {string} path
 */
function realPath(path) {
  return join(realpathSync(dirname(path)), basename(path));
}

/**
 * Options that must fit one another.
 *
 * @param {Options} options
 */
function checkTogether({
  batchSize,
  queueSize,
  dim,
  symmetric,
  device,
  tune,
  evaluate,
  evalEvery,
  json,
  features,
  checkpoint,
  resume,
}) {
  if (batchSize % BATCH_NORM_SPLITS !== 0) {
    throw new UsageError(
      `--batch-size must be a multiple of ${BATCH_NORM_SPLITS}, the splits of the shuffled BatchNorm, got ${batchSize}; ` +
        `try ${nearMultiple(batchSize, BATCH_NORM_SPLITS)}.`,
    );
  }
  if (queueSize < batchSize) {
    throw new UsageError(`--queue-size must be at least --batch-size, got ${queueSize} and ${batchSize}; raise it.`);
  }
  if (symmetric === "on" && queueSize < 2 * batchSize) {
    throw new UsageError(
      `--queue-size must be at least twice --batch-size with --symmetric on, as each image has two keys, got ${queueSize} and ${batchSize}; raise it.`,
    );
  }
  if (queueSize * dim > BINDING_NUMBERS) {
    throw new UsageError(
      `--queue-size times --dim must be at most ${BINDING_NUMBERS}, as the queue must fit a GPU binding, which is 128 MiB by default, got ${queueSize} and ${dim}; lower one.`,
    );
  }
  if (tune === "on" && device === "cpu") {
    throw new UsageError(`--tune on needs --device webgpu, as the CPU has no variants, got cpu; drop one.`);
  }
  if (!evaluate && evalEvery !== null) {
    throw new UsageError(`--eval-every and --no-eval exclude each other, got both; drop one.`);
  }
  /** @type {[flag: string, path: string][]} */
  const written = [
    ...(resume === null ? [] : [/** @type {[string, string]} */ (["--resume", resume])]),
    ...(json === null ? [] : [/** @type {[string, string]} */ (["--json", json])]),
    ...(checkpoint === null ? [] : [/** @type {[string, string]} */ (["--checkpoint", checkpoint])]),
    ...Object.values(featureFiles(features)).map((path) => /** @type {[string, string]} */ (["--features", path])),
  ];
  // a checkpoint may take the place of the one that is gone on from
  const mayShare = (/** @type {string} */ a, /** @type {string} */ b) =>
    a === b || (a !== "--json" && a !== "--features" && b !== "--json" && b !== "--features");
  for (const [flag, path] of written) {
    const other = written.find(([name, same]) => !mayShare(flag, name) && realPath(same) === realPath(path));
    if (other) throw new UsageError(`${flag} and ${other[0]} must name different files, got ${path} for both.`);
  }
}

/**
 * @param {number} value
 * @param {number} step
 */
function nearMultiple(value, step) {
  return Math.max(1, Math.round(value / step)) * step;
}

/** @param {string} folder */
function checkData(folder) {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`--data must be an existing folder of the four Fashion-MNIST files, got ${folder}.`);
  }
  const missing = DATA_FILES.filter((name) => !dataFile(folder, name));
  if (missing.length > 0) {
    throw new UsageError(`--data must hold the four Fashion-MNIST files, but ${folder} lacks ${missing.join(", ")}.`);
  }
}
