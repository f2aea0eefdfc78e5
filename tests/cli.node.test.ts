import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FASHION_MNIST_FILES } from "../src/data/fashionMnist";
import { writeSafetensors } from "../src/io";
import { RECIPES } from "../src/moco";
import { RECIPE_PRESETS } from "../demo/recipePresets.mjs";
import { UsageError, dataFile, helpText, parseOptions } from "../scripts/cli.mjs";

const folder = mkdtempSync(join(tmpdir(), "flywheel-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder of empty data files, but for some. */
function dataFolder(name: string, files: readonly string[]): string {
  mkdirSync(join(folder, name), { recursive: true });
  for (const file of files) writeFileSync(join(folder, name, file), "");
  return join(folder, name);
}

const NAMES = Object.values(FASHION_MNIST_FILES);

describe("parseOptions", () => {
  test("gives the recipe's defaults and the embedded data", () => {
    const { data, ...rest } = parseOptions([]);
    expect(data).toBe(join(import.meta.dirname, "../demo/public/data/fashion-mnist"));
    expect(rest).toEqual({
      recipe: "fashionMnist",
      steps: 300,
      batchSize: 128,
      queueSize: 1024,
      dim: 128,
      temperature: 0.1,
      momentum: 0.99,
      lr: 0.06,
      weightDecay: 5e-4,
      shuffle: "on",
      symmetric: "off",
      seed: 0,
      encoder: "tinyFlat",
      tune: "off",
      device: "webgpu",
      json: null,
      features: null,
      checkpoint: null,
      resume: null,
      evalEvery: null,
      evaluate: true,
      linearProbe: false,
      headless: false,
      help: false,
    });
  });

  test("takes the options of a checkpoint, but for those that are given", () => {
    const file = join(folder, "save.safetensors");
    const save = (options: string): void => writeFileSync(file, writeSafetensors({}, { options }));
    save('{"encoder":"tinyGap","steps":50,"queueSize":333,"json":"/etc/passwd","headless":true}');
    const options = parseOptions(["--resume", file, "--steps", "50"]);
    expect(options).toMatchObject({ encoder: "tinyGap", steps: 50, queueSize: 333, json: null, headless: false });
    expect(() => parseOptions(["--resume", file, "--steps", "60"])).toThrow(/where steps is 50, got 60; leave it out/);
    expect(parseOptions(["--resume", file, "--checkpoint", file]).checkpoint).toBe(file);
    expect(() => parseOptions(["--resume", file, "--json", file])).toThrow(/--resume and --json must name different/);
    expect(options.resume).toBe(file);
    const refuses = (text: string | RegExp): void => expect(() => parseOptions(["--resume", file])).toThrow(text);
    save('{"encoder":"vgg"}');
    refuses(/^encoder of .* must be one of tinyFlat, .*, got "vgg"/);
    save('{"recipe":"v2","encoder":"resnet8"}');
    expect(parseOptions(["--resume", file])).toMatchObject({ recipe: "v2", encoder: "resnet8" });
    expect(() => parseOptions(["--resume", file, "--recipe", "v1"])).toThrow(
      /where recipe is v2, got v1; leave it out/,
    );
    save('{"encoder":"tinyGap"}'); // of before there were others
    expect(parseOptions(["--resume", file]).recipe).toBe("fashionMnist");
    expect(() => parseOptions(["--resume", file, "--recipe", "v2"])).toThrow(/where recipe is fashionMnist, got v2/);
    expect(parseOptions(["--resume", file]).symmetric).toBe("off");
    expect(() => parseOptions(["--resume", file, "--symmetric", "on"])).toThrow(/where symmetric is off, got on/);
    save('{"symmetric":"on"}');
    expect(parseOptions(["--resume", file]).symmetric).toBe("on");
    const ofImages = (images: string): void => writeFileSync(file, writeSafetensors({}, { options: "{}", images }));
    ofImages('{"kind":"fashionMnist"}');
    expect(parseOptions(["--resume", file]).steps).toBe(300);
    ofImages('{"kind":"cifar10"}');
    refuses(/^--resume must name a checkpoint of a run on Fashion-MNIST, got .*, of other images; open it on the page/);
    save("[");
    refuses(/^--resume must name a checkpoint that npm start or the page wrote/);
    for (const bytes of [[], [255, 255, 255, 255, 255, 255, 255, 255, 1], [4, 0, 0, 0, 0, 0, 0, 0, 1]]) {
      writeFileSync(file, Uint8Array.from(bytes));
      refuses(/^--resume must name a checkpoint/);
    }
    expect(() => parseOptions(["--resume", join(folder, "nowhere")])).toThrow(/^--resume must name a file, got/);
  });

  test("takes what is not given from the recipe", () => {
    expect(parseOptions(["--recipe", "v2", "--steps", "50"])).toMatchObject({
      ...RECIPE_PRESETS.v2,
      ...{ recipe: "v2", steps: 50, temperature: 0.2 },
    });
    expect(() => parseOptions(["--recipe", "v9"])).toThrow(
      '--recipe must be one of fashionMnist, cifar, v1, v2, got "v9".',
    );
  });

  test("reads every option, in both forms", () => {
    const data = dataFolder("all", NAMES);
    const argv =
      "--recipe cifar --steps 1e3 --batch-size=64 --queue-size 4096 --dim 32 --temperature .2 --momentum 1 --lr 3e-2 --weight-decay 0 " +
      `--shuffle off --symmetric on --seed 4294967295 --encoder resnet8 --device cpu --tune=off --data ${data} --json out.json --features out.npy --checkpoint out.safetensors --eval-every 50 --linear-probe --headless`;
    expect(parseOptions(argv.split(" "), { cwd: folder })).toEqual({
      recipe: "cifar",
      steps: 1000,
      batchSize: 64,
      queueSize: 4096,
      dim: 32,
      temperature: 0.2,
      momentum: 1,
      lr: 0.03,
      weightDecay: 0,
      shuffle: "off",
      symmetric: "on",
      seed: 4294967295,
      encoder: "resnet8",
      device: "cpu",
      tune: "off",
      data,
      json: join(folder, "out.json"),
      features: join(folder, "out.npy"),
      checkpoint: join(folder, "out.safetensors"),
      resume: null,
      evalEvery: 50,
      evaluate: true,
      linearProbe: true,
      headless: true,
      help: false,
    });
    expect(parseOptions(["--no-eval"]).evaluate).toBe(false);
    const official = "--moco-dim 32 --moco-k 4096 --moco-m=0.999 --moco-t 0.07";
    expect(parseOptions(official.split(" "))).toMatchObject({
      ...{ dim: 32, queueSize: 4096, momentum: 0.999, temperature: 0.07 },
    });
    expect(() => parseOptions(["--moco-t", "0"])).toThrow('--moco-t must be a number above 0, got "0".');
    expect(() => parseOptions(["--moco-k"])).toThrow("--moco-k needs a value: write --moco-k N.");
    expect(helpText()).toContain("of the key encoder's moving average, 0 to 1; also --moco-m (default 0.99)");
    expect(parseOptions(["--steps", "1", "--steps", "2"]).steps).toBe(2);
  });

  test("takes data files without .gz, and looks for paths from cwd", () => {
    const plain = NAMES.map((name) => name.replace(".gz", ""));
    dataFolder("plain", plain);
    const { data } = parseOptions(["--data", "plain"], { cwd: folder });
    expect(NAMES.map((name) => dataFile(data, name))).toEqual(plain.map((name) => join(folder, "plain", name)));
    expect(dataFile(data, "other.gz")).toBeUndefined();
  });

  test("asks for help whatever else is wrong", () => {
    expect(parseOptions(["--help", "--steps", "no"]).help).toBe(true);
    expect(parseOptions(["-h"]).help).toBe(true);
  });

  writeFileSync(join(folder, "file.txt"), "");
  mkdirSync(join(folder, "folder.npy"));
  for (const part of ["labels", "bank", "bank.labels"]) mkdirSync(join(folder, `with.${part}.${part}.npy`));
  symlinkSync(folder, join(folder, "link"), "junction");
  dataFolder("partial", NAMES.slice(0, 3));
  test.each([
    ["--bogus", "--bogus is no option; npm start -- --help lists them all."],
    ["--batchSize 8", "--batchSize is no option; did you mean --batch-size?"],
    ["--__proto__ 1", "--__proto__ is no option; npm start -- --help lists them all."],
    ["-x", "-x is no option; npm start -- --help lists them all."],
    ["--no-headless", "--no-headless is no option; npm start -- --help lists them all."],
    [
      "100",
      'An option must start with --, got "100"; with npm, options follow a lone --, as in npm start -- --steps 300.',
    ],
    ["--steps", "--steps needs a value: write --steps N."],
    ["--steps=", "--steps needs a value: write --steps N."],
    ["--json --headless", "--json needs a value, got the option --headless: write --json FILE."],
    ["--headless=yes", '--headless takes no value, got "yes".'],
    ["--help=no", '--help takes no value, got "no".'],
    ["--steps ten", '--steps must be an integer from 1 to 2147483647, got "ten".'],
    ["--steps 0", '--steps must be an integer from 1 to 2147483647, got "0".'],
    ["--steps -5", '--steps must be an integer from 1 to 2147483647, got "-5".'],
    ["--steps 2.5", '--steps must be an integer from 1 to 2147483647, got "2.5".'],
    ["--steps 0x10", '--steps must be an integer from 1 to 2147483647, got "0x10".'],
    ["--steps 1e99", '--steps must be an integer from 1 to 2147483647, got "1e99".'],
    ["--dim 0", '--dim must be an integer from 1 to 32768, got "0".'],
    ["--dim 100000000", '--dim must be an integer from 1 to 32768, got "100000000".'],
    ["--batch-size 60008", '--batch-size must be an integer from 1 to 60000, got "60008".'],
    ["--eval-every 0", '--eval-every must be an integer from 1 to 2147483647, got "0".'],
    ["--temperature 0", '--temperature must be a number above 0, got "0".'],
    ["--temperature Infinity", '--temperature must be a number above 0, got "Infinity".'],
    ["--momentum 1.01", '--momentum must be a number from 0 to 1, got "1.01".'],
    ["--momentum -0.1", '--momentum must be a number from 0 to 1, got "-0.1".'],
    ["--lr 0", '--lr must be a number above 0, got "0".'],
    ["--lr 1e999", '--lr must be a number above 0, got "1e999".'],
    ["--weight-decay -1", '--weight-decay must be a number of at least 0, got "-1".'],
    ["--seed -1", '--seed must be an integer from 0 to 4294967295, got "-1".'],
    ["--seed 4294967296", '--seed must be an integer from 0 to 4294967295, got "4294967296".'],
    ["--symmetric both", '--symmetric must be one of off, on, got "both".'],
    [
      "--symmetric on --queue-size 200",
      "--queue-size must be at least twice --batch-size with --symmetric on, as each image has two keys, got 200 and 128; raise it.",
    ],
    ["--tune maybe", '--tune must be one of off, on, got "maybe".'],
    ["--tune on --device cpu", "--tune on needs --device webgpu, as the CPU has no variants, got cpu; drop one."],
    ["--encoder vit", '--encoder must be one of tinyFlat, tinyGap, resnet8, resnet18, resnet34, resnet50, got "vit".'],
    ["--device gpu", '--device must be one of webgpu, cpu, got "gpu".'],
    [
      "--batch-size 100",
      "--batch-size must be a multiple of 8, the splits of the shuffled BatchNorm, got 100; try 104.",
    ],
    ["--queue-size 64", "--queue-size must be at least --batch-size, got 64 and 128; raise it."],
    [
      "--queue-size 1073741824",
      "--queue-size times --dim must be at most 33554432, as the queue must fit a GPU binding, which is 128 MiB by default, got 1073741824 and 128; lower one.",
    ],
    [
      "--queue-size 262272",
      "--queue-size times --dim must be at most 33554432, as the queue must fit a GPU binding, which is 128 MiB by default, got 262272 and 128; lower one.",
    ],
    ["--no-eval --eval-every 5", "--eval-every and --no-eval exclude each other, got both; drop one."],
    ...["a.npy", "a.labels.npy", "a.bank.npy", "a.bank.labels.npy", "link/a.bank.npy"].map((json) => [
      `--json ${json} --features ./a.npy`,
      `--json and --features must name different files, got ${folder}/${json} for both.`,
    ]),
    ["--features a.npz", '--features must end in .npy or .safetensors, got "a.npz".'],
    ["--features folder.npy", `--features must name a file, got ${folder}/folder.npy, which is none.`],
    ...["labels", "bank", "bank.labels"].map((part) => [
      `--features with.${part}.npy`,
      `--features must name a file, got ${folder}/with.${part}.${part}.npy (it goes with with.${part}.npy), which is none.`,
    ]),
    [
      "--json none/a.json",
      `--json must name a file in an existing folder, got ${folder}/none/a.json; create the folder first.`,
    ],
    [
      "--json file.txt/a",
      `--json must name a file in an existing folder, got ${folder}/file.txt/a; create the folder first.`,
    ],
    ["--json new/", `--json must name a file, got ${folder}/new, which is none.`],
    ["--data none", `--data must be an existing folder of the four Fashion-MNIST files, got ${folder}/none.`],
    ["--data file.txt", `--data must be an existing folder of the four Fashion-MNIST files, got ${folder}/file.txt.`],
    ["--data partial", `--data must hold the four Fashion-MNIST files, but ${folder}/partial lacks ${NAMES[3]}.`],
  ])("rejects %s", (argv, message) => {
    let thrown: unknown;
    try {
      parseOptions(argv.split(" "), { cwd: folder });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UsageError);
    expect((thrown as Error).message).toBe(message);
  });

  test("takes a queue and a batch that just fit, and --json beside other files", () => {
    expect(parseOptions(["--queue-size", "262144", "--batch-size", "64"]).queueSize).toBe(2 ** 18);
    expect(parseOptions("--queue-size 1024 --dim 32768".split(" ")).dim).toBe(2 ** 15);
    const argv = "--json a.labels.npy --features a.safetensors".split(" ");
    expect(parseOptions(argv, { cwd: folder }).json).toBe(join(folder, "a.labels.npy"));
  });

  test("rejects a folder that cannot be written", () => {
    mkdirSync(join(folder, "locked"));
    chmodSync(join(folder, "locked"), 0o500);
    const parse = (): unknown => parseOptions(["--json", "locked/a.json"], { cwd: folder });
    // The superuser may write everywhere.
    if (process.getuid?.() === 0) expect(parse).not.toThrow();
    else expect(parse).toThrow("must name a file that can be written");
  });
});

test("helpText shows every option with its default", () => {
  const text = helpText();
  for (const key of Object.keys(parseOptions([])).filter((name) => name !== "evaluate")) {
    expect(text).toContain(`--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} `);
  }
  for (const shown of [
    "(default 300)",
    "(default 0.0005)",
    "(default tinyFlat)",
    "(default demo/public/data/fashion-mnist)",
  ]) {
    expect(text).toContain(shown);
  }
});

test("helpText says what is smaller than in the original of each recipe", () => {
  const text = helpText();
  for (const name of ["cifar", "v1", "v2"] as const) {
    const [ours, theirs] = [RECIPE_PRESETS[name], RECIPES[name]];
    const [line] = new RegExp(`^ +${name} .*$`, "m").exec(text)!;
    expect(line).toContain(
      `${ours.encoder}, batch ${ours.batchSize}, queue ${ours.queueSize}, momentum ${ours.momentum}; `,
    );
    expect(line).toMatch(
      new RegExp(`: ${[theirs.arch, theirs.batchSize, theirs.queueSize, theirs.keyMomentum].join(", ")}$`),
    );
  }
  expect(text).toContain("all trained on the Fashion-MNIST files of --data");
});
