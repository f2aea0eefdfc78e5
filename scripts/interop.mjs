// @ts-check
/**
 * `npm run interop`: whether PyTorch and flywheel resume each other's checkpoints. Writes files here, has a Python with torch and
 * torchvision read them, train on and write others, alone and in two processes, and prints one line a check; if asked to, docs/interop/INTEROP.md,
 * too. It takes minutes and needs PyTorch (Debian: apt-get install -y python3-torch python3-torchvision), so `npm test` leaves it out.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { readOptions, userPath, wrongOption } from "./benchOptions.mjs";
import { markdownOf } from "./interopReport.mjs";
import { root, runMain, SetupError } from "./setup.mjs";
import { provideGpu, withSources } from "./sources.mjs";

/** @typedef {typeof import("../interop/steps")} Steps */
/** @typedef {import("./interopReport.mjs").Check} Check */
/** @typedef {{ python: string, folder: string, side: Steps }} Both */

const COMMAND = "npm run interop";
const SCRIPTS = join(root, "interop/pytorch");
const RESULTS = join(root, "docs/interop/INTEROP.md");
const IMAGES = join(root, "demo/public/data/fashion-mnist/train-images-idx3-ubyte.gz");

/** Steps here, in PyTorch, and here again. */
const PART = 10;

/** Images of a step that the script draws views of itself. */
const BATCH = 32;

/** How far losses of f32 may be apart after 30 steps: their roundings, and what training makes of them. */
const LOSS_TOLERANCE = 1e-4;

/** Largest difference of features, relative to the largest one: up to 50 layers of f32. */
const FEATURE_TOLERANCE = 1e-4;

/** Processes of the distributed run. */
const PROCESSES = 2;

await runMain(() => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(helpText());
    return Promise.resolve(0);
  }
  const python = pythonWithTorchvision();
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), "flywheel-interop-"));
  mkdirSync(folder, { recursive: true });
  return withSources(async (load) => {
    const side = /** @type {Steps} */ (await load("/interop/steps.ts"));
    if (options.device === "webgpu") await provideGpu();
    const adapter = await side.open(options.device);
    console.log(`flywheel on ${adapter}, PyTorch with ${python}\n`);
    const both = { python, folder, side };
    const checks = [
      ...checkFiles(both),
      ...(await checkEncoders(both)),
      ...(await checkResnet(both)),
      ...(await checkTraining(both)),
      ...(await checkData(both)),
    ];
    console.log(`\n${table(checks)}`);
    if (options.writeResults) writeResults(checks, { adapter, versions: versionsOf(python), lr: side.RECIPE.lr });
    return checks.every(({ holds }) => holds) ? 0 : 1;
  }).finally(() => {
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  });
});

/**
 * @param {string[]} argv
 * @returns {{ help: boolean, device: "cpu" | "webgpu", keep: string | undefined, writeResults: boolean }}
 */
function parseOptions(argv) {
  /** @type {{ device: "cpu" | "webgpu", keep: string | undefined, writeResults: boolean }} */
  const options = { device: "webgpu", keep: undefined, writeResults: false };
  const help = readOptions(COMMAND, argv, {
    taking: {
      device: (name) => {
        if (name !== "cpu" && name !== "webgpu") wrongOption(COMMAND, `--device must be cpu or webgpu, got "${name}"`);
        options.device = name;
      },
      keep: (path) => (options.keep = userPath(path)),
    },
    switches: { "write-results": () => (options.writeResults = true) },
  });
  return { help, ...options };
}

function helpText() {
  return `Usage: ${COMMAND} -- [options]

Whether PyTorch and flywheel resume each other's checkpoints: files bit for bit; the features of encoders that flywheel saved, for images
of several sizes, up to a ResNet-50's, and of a ResNet-18 that PyTorch saved;
${PART} steps here, ${PART} in PyTorch and ${PART} here against ${3 * PART} here; two processes of PyTorch from the same file, and views that
they draw themselves against the same ones given. One line a check.

  --device NAME  where flywheel trains, cpu or webgpu (default webgpu)
  --keep FOLDER  leave the files there
  --write-results
                 write ${relative(root, RESULTS)}, too
  --help, -h     show this

Needs a Python with torch and torchvision. Exit codes: 0 all hold, 1 one does not, 2 nothing to run on.
`;
}

// ---- Python ----

function pythonWithTorchvision() {
  const candidates = ["python3", "/usr/bin/python3"];
  const python = candidates.find(
    (each) => spawnSync(each, ["-c", "import numpy, torch, torchvision"], { stdio: "ignore" }).status === 0,
  );
  if (python) return python;
  throw new SetupError(
    `${COMMAND} needs a Python with torch and torchvision, and neither of ${candidates.join(", ")} has them: on Debian, apt-get install -y python3-torch python3-torchvision libopenblas0-pthread.`,
  );
}

/**
 * Runs a script of interop/pytorch; its messages are shown.
 *
 * @param {string} python
 * @param {string[]} args
 * @returns {string} what it printed
 */
function run(python, args) {
  const { status, stdout } = spawnSync(python, args, {
    cwd: SCRIPTS,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", OMP_NUM_THREADS: "1" },
    timeout: 600_000,
  });
  if (status !== 0) throw new Error(`${python} ${args.join(" ")} failed: see its messages above.`);
  return stdout;
}

/**
 * @param {string} python
 * @returns {Record<string, string>}
 */
function versionsOf(python) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { flywheel: version, Node: process.versions.node, ...JSON.parse(run(python, ["check.py", "versions"])) };
}

// ---- the checks ----

/**
 * @param {Both} both
 * @returns {Check[]}
 */
function checkFiles({ python, folder, side }) {
  const files = join(folder, "files");
  mkdirSync(files, { recursive: true });
  for (const { name, theirs, ours } of side.pairsOfFiles()) {
    writeFileSync(join(files, `${name}.torch.pt`), theirs);
    writeFileSync(join(files, `${name}.ours.pt`), ours);
  }
  const result = JSON.parse(run(python, ["check.py", "files", files]));
  console.log(`files: PyTorch reads ${result.files}, ${result.weightsOnly} also with weights_only=True`);
  const got = result.wrong.length === 0 ? "all" : `all but ${result.wrong.join(", ")}`;
  return [
    {
      what: `torch.load reads ${result.files} files of writeTorch, bit for bit`,
      wanted: "all",
      got,
      holds: got === "all" && result.files > 10,
    },
  ];
}

/**
 * @param {Both} both
 * @returns {Promise<Check[]>}
 */
async function checkEncoders({ python, folder, side }) {
  const encoders = join(folder, "encoders");
  mkdirSync(encoders, { recursive: true });
  for await (const { name, checkpoint, images } of side.encoderFiles()) {
    writeFileSync(join(encoders, `${name}.pth.tar`), checkpoint);
    writeFileSync(join(encoders, `${name}.images.pt`), images);
  }
  const differences = JSON.parse(run(python, ["check.py", "encoders", encoders]).replaceAll("NaN", "null")); // JSON has no NaN
  return Object.entries(differences).map(([name, difference]) =>
    atMost(`features of ${name} in PyTorch, relative difference`, difference ?? NaN, FEATURE_TOLERANCE),
  );
}

/**
 * @param {Both} both
 * @returns {Promise<Check[]>}
 */
async function checkResnet({ python, folder, side }) {
  const { tensors } = JSON.parse(run(python, ["check.py", "resnet18", folder]));
  const difference = await side.resnetDifference(
    readFileSync(join(folder, "resnet18.pth.tar")),
    readFileSync(join(folder, "images.pt")),
  );
  return [
    { what: "tensors in PyTorch's ResNet-18 checkpoint", wanted: "246", got: `${tensors}`, holds: tensors === 246 },
    atMost("its features here, relative difference", difference, FEATURE_TOLERANCE),
  ];
}

/**
 * @param {Both} both
 * @returns {Promise<Check[]>}
 */
async function checkTraining({ python, folder, side }) {
  const views = side.makeViews(gunzipSync(readFileSync(IMAGES)), 3 * PART);
  const viewsFile = join(folder, "views.pt");
  writeFileSync(viewsFile, side.viewsFile(views));
  const source = ["--views", viewsFile, "--first", `${PART}`, "--steps", `${PART}`];

  const whole = side.newRun();
  const begin = await side.train(whole, views, { first: 0, count: PART });
  const first = join(folder, "first.pth.tar");
  writeFileSync(first, await side.saved(whole));
  const rest = await side.train(whole, views, { first: PART, count: 2 * PART });

  const resume = { first: 2 * PART, count: PART };
  const alone = trainInPytorch([python], { folder, name: "alone", from: first, source, side });
  const last = await side.train(side.resumed(readFileSync(alone.file)), views, resume);

  // in several processes each BatchNorm sees a part of the batch: so does SplitBatchNorm here
  const processes = PROCESSES;
  const like = side.resumed(readFileSync(first), processes);
  const restLike = await side.train(like, views, { first: PART, count: 2 * PART, processes });
  const split = trainInPytorch([python, ...(await torchrun())], {
    folder,
    name: "split",
    from: first,
    source,
    side,
  });
  const lastSplit = await side.train(side.resumed(readFileSync(split.file), processes), views, {
    ...resume,
    processes,
  });

  show("flywheel", [...begin, ...rest]);
  show("flywheel, PyTorch, flywheel", [...begin, ...alone.losses, ...last]);
  show("flywheel, then BatchNorm split", [...begin, ...restLike]);
  show(`flywheel, PyTorch x ${processes}, flywheel`, [...begin, ...split.losses, ...lastSplit]);
  return [
    atMost(`losses of PyTorch's ${PART} steps, relative difference`, farthest(alone.losses, rest), LOSS_TOLERANCE),
    atMost(`losses of the ${PART} steps here after them`, farthest(last, rest.slice(PART)), LOSS_TOLERANCE),
    atMost(`losses of ${PART} steps in ${processes} processes`, farthest(split.losses, restLike), LOSS_TOLERANCE),
    atMost(`losses of the ${PART} steps here after those`, farthest(lastSplit, restLike.slice(PART)), LOSS_TOLERANCE),
  ];
}

/**
 * Views that the script draws itself, in several processes: if each did not draw the same, losses would be others than those of the same views
 * given in a file. It goes on from the first checkpoint of `checkTraining`, so after it.
 *
 * @param {Both} both
 * @returns {Promise<Check[]>}
 */
async function checkData({ python, folder, side }) {
  const [data, viewsFile] = [dirname(IMAGES), join(folder, "drawn.pt")];
  const { steps } = JSON.parse(run(python, ["check.py", "views", data, viewsFile, `${BATCH}`]));
  /** @param {string} name @param {string[]} source */
  const losses = async (name, source) => {
    const from = join(folder, "first.pth.tar");
    const launch = [python, ...(await torchrun())];
    return trainInPytorch(launch, { folder, name, from, source: [...source, "--steps", `${steps}`], side }).losses;
  };
  const drawn = await losses("drawn", ["--data", data, "--seed", "0", "--batch-size", `${BATCH}`]);
  const given = await losses("given", ["--views", viewsFile]);
  show(`PyTorch x ${PROCESSES} on --data`, drawn);
  const isSame = drawn.length === steps && drawn.every((loss, step) => loss === given[step]);
  return [
    {
      what: `losses of ${steps} steps in ${PROCESSES} processes, views drawn there and the same given`,
      wanted: "equal",
      got: isSame ? "equal" : `${drawn.join(", ")} and ${given.join(", ")}`,
      holds: isSame,
    },
  ];
}

/**
 * What starts several processes on this machine.
 *
 * @returns {Promise<string[]>}
 */
async function torchrun() {
  const place = ["--master_addr", "127.0.0.1", "--master_port", `${await freePort()}`];
  // on Python 3.11 PyTorch 1.13 does not know its own default, no redirection
  const output = ["--redirects", "1", "--tee", "1"];
  return ["-m", "torch.distributed.run", "--nproc_per_node", `${PROCESSES}`, ...place, ...output];
}

/**
 * @param {string[]} launch Python, and what starts the script in several processes
 * @param {{ folder: string, name: string, from: string, source: string[], side: Steps }} what
 * @returns {{ file: string, losses: number[] }}
 */
function trainInPytorch([python = "", ...launch], { folder, name, from, source, side }) {
  const [file, losses] = [join(folder, `${name}.pth.tar`), join(folder, `${name}.json`)];
  const { momentum, temperature } = side.RECIPE;
  const recipe = ["--moco-m", `${momentum}`, "--moco-t", `${temperature}`];
  run(python, [...launch, "train_moco.py", from, "--out", file, "--losses", losses, ...source, ...recipe]);
  return { file, losses: JSON.parse(readFileSync(losses, "utf8")) };
}

/** @returns {Promise<number>} a port of loopback that nobody uses */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/**
 * The largest relative difference of losses; infinity where one is missing or no number.
 *
 * @param {readonly number[]} losses
 * @param {readonly number[]} expected the first of these
 */
function farthest(losses, expected) {
  if (losses.length !== PART) return Infinity;
  const differences = losses.map((loss, step) => Math.abs(loss / (expected[step] ?? NaN) - 1));
  return differences.every(Number.isFinite) ? Math.max(...differences) : Infinity;
}

/**
 * @param {string} what
 * @param {readonly number[]} losses
 */
function show(what, losses) {
  const some = losses.filter((_, step) => step % 5 === 4 || step === 0).map((loss) => loss.toFixed(5));
  console.log(`${what.padEnd(32)} losses of steps 1, 5, 10 ... 30: ${some.join(" ")}`);
}

/**
 * @param {string} what
 * @param {number} got
 * @param {number} bound
 */
function atMost(what, got, bound) {
  return { what, wanted: `<= ${bound}`, got: got.toExponential(1), holds: got <= bound };
}

/**
 * @param {readonly Check[]} checks
 * @param {import("./interopReport.mjs").Circumstances} circumstances
 */
function writeResults(checks, circumstances) {
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, markdownOf(checks, circumstances));
  console.log(`\nwritten to ${relative(process.cwd(), RESULTS)}`);
}

/** @param {readonly Check[]} rows */
function table(rows) {
  const width = Math.max(...rows.map(({ what }) => what.length));
  return rows
    .map(({ what, wanted, got, holds }) =>
      [what.padEnd(width), got.padStart(8), wanted.padEnd(9), holds ? "ok" : "FAILED"].join("  "),
    )
    .join("\n");
}
