// @ts-check
/**
 * Bugs that `npm run plant` plants one by one, each to be found by the tests named beside it: one a shader file, one a family of
 * gradients, and some where graphs become launches, where pending writes run, and where optimizers work on the host. `find` must
 * be in the file exactly once. `tests/plantedBugs.node.test.ts` sees to it, and has the list of what must have one.
 *
 * @typedef {object} PlantedBug
 * @property {string} what what is wrong, in a few words
 * @property {string} file
 * @property {string} find
 * @property {string} replace
 * @property {"cpu" | "webgpu"} project
 * @property {string} tests part of a path
 * @property {string} only pattern of test names
 */

/**
 * @param {string} name of the shader
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @param {[tests: string, only: string]} seen where the bug is to be seen
 * @returns {PlantedBug}
 */
const shader = (name, what, find, replace, [tests, only]) => ({
  what,
  file: `shaders/${name}.wgsl`,
  find,
  replace,
  project: "webgpu",
  tests,
  only,
});

/**
 * The rows of an op, on a GPU.
 *
 * @param {string} op
 * @returns {[string, string]}
 */
const rowsOf = (op) => ["tests/ops/everyOp.gpu", `^every op on the GPU ${op}$`];

/**
 * A test of whole updates and clipping.
 *
 * @param {string} only
 * @param {"software" | "hardware"} adapterClass
 * @returns {[string, string]}
 */
const updates = (only, adapterClass = "software") => [
  "tests/optim/updates.gpu",
  `^planned for ${adapterClass} ${only}$`,
];

/**
 * The same for a kernel of hardware adapters.
 *
 * @param {string} only
 * @returns {[string, string]}
 */
const onHardware = (only) => ["tests/ops/hardware.gpu", `^planned for hardware ${only}$`];

const SHADERS = [
  shader("adam", "the step takes the moment before", "param[i], moments.first, second)", "param[i], exp_avg[i], second)", updates("Adam")),
  shader("adaptiveMaxPool2dIndices", "windows end a pixel early", "params.width + params.out_width - 1u)", "params.width)", rowsOf("adaptiveMaxPool2dIndices")),
  shader("augment", "a box's last column is looked over", "start + min(low + 1u, size - 1u)", "start + low + 1u", rowsOf("augment")),
  shader("augment", "boxes between pixels are half a pixel off", "(f32(i) + 0.5) - 0.5, 0.0", "(f32(i) + 0.5), 0.0", rowsOf("augment")),
  shader("augment", "contrast by the mean of what comes before the other colours", "let coloured = jittered(pixel, own, 0u, contrast, 0.0);\n      part += gray_of(coloured);", "let coloured = jittered(pixel, own, 0u, contrast, 0.0);\n      part += gray_of(pixel);", rowsOf("augment")),
  shader("augment", "a blur that repeats the edge", "min(inside, 2 * (i32(size) - 1) - inside)", "min(inside, 2 * i32(size) - 1 - inside)", rowsOf("augment")),
  shader("clipFactor", "another epsilon", "(norm + 1e-6), 1.0)", "(norm + 1e-2), 1.0)", ["tests/nn/clipping.gpu", "^clipping against PyTorch "]),
  shader("clipGradNorm", "clipped twice", "grad[i] * factor[0]", "grad[i] * factor[0] * factor[0]", updates("clipping by norm")),
  shader("clipGradValue", "negative gradients vanish", "vec4<f32>(-limit.x)", "vec4<f32>(0.0)", updates("clipping by value")),
  shader("conv2d", "padding of the other dimension", "out_x * STRIDE_WIDTH - params.pad_width", "out_x * STRIDE_WIDTH - params.pad_height", rowsOf("conv2d")),
  shader("conv2dGradInput", "no left and right edge", "grad_out[line + out_x[px]], inside_y & inside_x[px])", "grad_out[line + out_x[px]], inside_y)", rowsOf("conv2dGradInput")),
  shader("conv2dGradInputTaps", "padding of the other dimension", "left + params.pad_width", "left + params.pad_height", rowsOf("conv2dGradInput")),
  shader("conv2dGradWeight", "stride of the other dimension", "left + out_x * STRIDE_WIDTH", "left + out_x * STRIDE_HEIGHT", rowsOf("conv2dGradWeight")),
  shader("elementwise", "the last four elements are left out", "i < params.count", "i + RUN < params.count", rowsOf("add")),
  shader("elementwise", "a turn takes one element again and again", "compute4(i + k)", "compute4(i)", ["tests/kernels/runs.gpu", "^an expression, 256 x 288$"]),
  shader("elementwiseScalar", "the last element is left out", "i < params.count", "i + 1u < params.count", ["tests/ops/everyOp.gpu", "^every op on the GPU "]),
  shader("contrast", "a chunk's last keys count twice", "select(-inf_of(1.0), params.scale * sums[i][j], is_there)", "params.scale * sums[i][j]", rowsOf("contrast")),
  shader("contrastMean", "a chunk's last keys count twice", "weights[i][j] = select(0.0, ieee_exp(params.scale * weights[i][j] - totals[i]), is_there);", "weights[i][j] = ieee_exp(params.scale * weights[i][j] - totals[i]);", rowsOf("contrastMean")),
  shader("contrastTotals", "chunks of other largest scores are added as they are", "sum += found.y * select(exp(found.x - largest), 1.0, found.x == largest);", "sum += found.y;", rowsOf("contrast")),
  shader("ema", "weights swapped", "coefficients.x, coefficients.y", "coefficients.y, coefficients.x", ["tests/moco/contrast.gpu", ""]),
  shader("gradNorm", "half of a chunk", "half > 0u", "half > 1u", updates("clipping by norm")),
  shader("lars", "no momentum in the step", "group.lr * velocity", "group.lr * direction", updates("LARS")),
  shader("larsNorms", "half of a block", "half > 0u", "half > 1u", updates("LARS", "hardware")),
  shader("larsTrust", "the ratio upside down", "trust_coefficient * of_param / of_update", "trust_coefficient * of_update / of_param", updates("LARS")),
  shader("matmul", "the last four terms are left out", "k < end; k += 4u", "k + 4u < end; k += 4u", rowsOf("matmul")),
  shader("matmulSubgroup", "one invocation hands over another's", "a_row = of_lane(loaded, r)", "a_row = of_lane(loaded, r ^ 1u)", rowsOf("matmul")),
  shader("matmulStrided", "the last term is left out", "for (; k < end; k++)", "for (; k + 1u < end; k++)", rowsOf("matmul")),
  shader("matmulTiled", "one term of a tile is left out", "p < DEPTH; p++", "p + 1u < DEPTH; p++", onHardware("matmul")),
  shader("maxPool2d", "rows past the image", "let last_y = last_inside(top, DILATION_HEIGHT, params.height);", "let last_y = last_inside(top, DILATION_HEIGHT, params.height) - DILATION_HEIGHT;", rowsOf("maxPool2d")),
  shader("maxPool2dGrad", "windows are counted one by one", "let next = within == params.stride_width;", "let next = within >= 1u;", rowsOf("maxPool2dGrad")),
  shader("maxPool2dIndices", "counted from the plane before", "let base = i32(plane) * params.height * params.width;", "let base = max(i32(plane) - 1, 0) * params.height * params.width;", rowsOf("maxPool2dIndices")),
  shader("momentumSgd", "parameters that are live count as none", "segment & 3u", "segment & 1u", updates("SGD")),
  shader("momentumSgdEma", "weights swapped", "coefficients.x, coefficients.y", "coefficients.y, coefficients.x", updates("SGD, followed")),
  shader("momentumSgdUniform", "momentum is not kept", "momentum[i] = sgd.momentum;", "", updates("SGD, all alike")),
  shader("reduceColumns", "the last row is left out", "row < min(block + BLOCK * RUN, end); row += RUN", "row + RUN < min(block + BLOCK * RUN, end); row += RUN", rowsOf("sum")),
  shader("reduceRows", "a lane twice, another not", "combine(acc.z, acc.w)", "combine(acc.z, acc.z)", rowsOf("sum")),
  shader("rmsProp", "the mean is not squared", "square - mean * mean", "square - mean", updates("RMSprop, centered in one group")),
  shader("scan", "reversed ones run forward", "params.reversed == 1u", "params.reversed == 2u", rowsOf("cumsum")),
  shader("scanCarries", "a chunk's own total is carried into it", "carries[place] = total;\n    total = combine(total, totals[place]);", "total = combine(total, totals[place]);\n    carries[place] = total;", rowsOf("cumsum")),
  shader("scanTotals", "a chunk's last element is left out", "t < min(start + params.chunk, params.n)", "t < min(start + params.chunk - 1u, params.n)", rowsOf("cumsum")),
  shader("scatter", "the last source wins", "output[at] = fold(output[at], src[source]);", "output[at] = src[source];", rowsOf("scatterReduce")),
  shader("sort", "equals change places", "sorted_keys[place - 1u] < own", "sorted_keys[place - 1u] <= own", rowsOf("sortIndices")),
  shader("sortMerge", "equals of two runs change places", "keys[a] >= keys[b]", "keys[a] > keys[b]", rowsOf("sortIndices")),
  shader("sumPartials", "the second part is left out", "part = 1u", "part = 2u", rowsOf("matmul")),
  shader("sweep", "what is past a row's end counts", "vec4<bool>(vec + j < whole) | lanes", "vec4<bool>(true)", ["tests/schedule/sweeps.gpu", "^planned for software softmax$"]),
  shader("sweep", "squares are of the mean alone", "part_squares += squares - off * step;", "part_squares += squares;", ["tests/kernels/runs.gpu", "^squares around the mean are exact"]),
  shader("sweep", "a sum stays around the maximum that was", "let scale = exp_down(top - next);", "let scale = 1.0;", ["tests/kernels/runs.gpu", "of rows with rising numbers$"]),
  shader("sweepShared", "what is past a row's end counts", "vec4<bool>(vec < whole) | lanes", "vec4<bool>(true)", ["tests/schedule/sweeps.gpu", "^planned for hardware softmax$"]),
  shader("topk", "equals come twice", "(i > last)", "(i >= last)", rowsOf("topkIndices")),
  shader("topkCollect", "what equals the threshold counts as better", "key > threshold.x", "key >= threshold.x", onHardware("topk in chunks.*")),
  shader("topkHistogram", "a digit's first bit is lost", "params.shift) & 255u", "params.shift) & 127u", onHardware("topk in chunks.*")),
  shader("topkPick", "what is better is taken off once only", "rank -= count;", "rank -= min(count, 1u);", onHardware("topk in chunks.*")),
  shader("lib/index", "quotients are a little too small", "return u32((f32(n) + 0.5) * reciprocal)", "return u32(f32(n) * reciprocal)", ["tests/ops/everyOp.gpu", "^every op on the GPU (permute|reshape|slice|expand)$"]),
  shader("lib/index", "quotients of four are a little too small", "return vec4<u32>((vec4<f32>(n) + 0.5) * reciprocal)", "return vec4<u32>(vec4<f32>(n) * reciprocal)", ["tests/ops/everyOp.gpu", "^every op on the GPU (permute|reshape|slice|expand)$"]),
  shader("lib/math", "a coefficient in its fifth digit", "5.0000001201e-1", "5.0002e-1", ["tests/helpers/accuracy.gpu", "of exp$"]),
  shader("lib/norm", "no root of a power", "return power(folded, inverse)", "return folded", ["tests/nn/clipping.gpu", "^clipping against PyTorch "]),
  shader("lib/random", "a round too few", "round < 10u", "round < 9u", rowsOf("randomBits")),
  shader("lib/sortKey", "infinity counts as NaN", "magnitude > 0x7f800000u", "magnitude >= 0x7f800000u", rowsOf("topkIndices")),
  shader("lib/update", "nesterov looks ahead too far", "push + group.momentum * velocity", "push + velocity", updates("SGD")),
]; // prettier-ignore

/**
 * @param {string} file
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @returns {PlantedBug} to be found by tests that are yet to be named
 */
const bug = (file, what, find, replace) => ({ what, file, find, replace, project: "cpu", tests: "", only: "" });

/**
 * A gradient against central differences.
 *
 * @param {string} file
 * @param {string} op
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @returns {PlantedBug}
 */
const gradient = (file, op, what, find, replace) => ({
  ...bug(`src/ops/${file}.ts`, `gradient of ${op}: ${what}`, find, replace),
  tests: "tests/ops/everyOp.grad",
  only: `^gradient of ${op} `,
});

/**
 * A gradient against PyTorch's, where differences say nothing or the rule is a composed function's.
 *
 * @param {string} file
 * @param {string} op
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @returns {PlantedBug}
 */
const atGolden = (file, op, what, find, replace) => ({
  ...gradient(file, op, what, find, replace),
  tests: "tests/tensor/everyOp.test",
  only: `^${op} `,
});

const GRADIENTS = [
  gradient("arithmetic", "div", "the divisor's without its sign", "neg(mul(gradOut, div(output, b!)))", "mul(gradOut, div(output, b!))"),
  gradient("math", "pow", "a power too low", "pow(a!, sub(b!, 1))", "pow(a!, sub(b!, 2))"),
  gradient("trigonometry", "cos", "without its sign", "derivative: (x) => neg(sin(x))", "derivative: (x) => sin(x)"),
  gradient("special", "erf", "of another curve", "mul(exp(neg(square(x))), TWO_OVER_ROOT_PI)", "mul(exp(neg(abs(x))), TWO_OVER_ROOT_PI)"),
  gradient("reduce", "prod", "one side twice", 'productOfOneSide(rows, last, "after")', 'productOfOneSide(rows, last, "before")'),
  gradient("join", "cat", "of the first part for all", "narrow(gradOut, dim, start - size, size)", "narrow(gradOut, dim, 0, size)"),
  gradient("slice", "slice", "backwards as if forwards", "padZeros(flip(x, backwards), before", "padZeros(x, before"),
  gradient("scan", "linearScan", "of the neighbour on the other side", 'mul(back, neighbour(output, attrs, "before", 0))', 'mul(back, neighbour(output, attrs, "after", 0))'),
  gradient("conv2d", "conv2d", "stride of the other dimension", "conv2dGradWeight(input!, gradOut, weight!.shape, attrs)", "conv2dGradWeight(input!, gradOut, weight!.shape, { ...attrs, stride: [attrs.stride[1], attrs.stride[0]] })"),
  gradient("matmul", "matmul", "of the second factor without transposing the first", "return product(transpose(a, -1, -2), gradOut)", "return product(a, gradOut)"),
  gradient("views", "permute", "the same order again", "permutedBack(gradOut, invertPermutation(dims))", "permutedBack(gradOut, dims)"),
  gradient("windows", "unfold", "without dilation", "overlapAdd(gradOut, attrs, input!", "overlapAdd(gradOut, { ...attrs, dilation: 1 }, input!"),
  gradient("indexing", "gather", "what several places take adds up to the largest", "scatterAdd(zeros(x!.shape, x!.dtype), dim, index!, gradOut)", 'scatterFold("amax", zeros(x!.shape, x!.dtype), dim, index!, gradOut)'),
  gradient("maxPool", "maxPool2d", "windows that overlap give the last one's alone", "(totals[inIndex]! += gradOut!.data[outIndex]!)", "(totals[inIndex]! = gradOut!.data[outIndex]!)"),
  atGolden("reduce", "amax", "ties get all of it each", "spread(div(gradOut, sumDims(isBest, dims)), dims, x!.shape)", "spread(gradOut, dims, x!.shape)"),
  atGolden("indexing", "scatterReduce", "ties get all of it each", "div(gradOut, maximum(scatterAdd(ofX, dim, index!, ofSrc), 1))", "gradOut"),
  {
    ...gradient("indexing", "scatter", "of values that another has overwritten", "where(isLast, gather(gradOut, dim, index, op), 0)", "gather(gradOut, dim, index, op)"),
    tests: "tests/tensor/indexing.test",
    only: "keeps the last",
  },
  atGolden("maxUnpool", "maxUnpool2d", "what went in", "gather(gradOut, 2, places, op)", "withoutGrad(x)"),
  atGolden("gridSample", "gridSample", "none of rounded places, where PyTorch has zeros", "() => [zeros(x.shape, x.dtype)]", "() => [null]"),
  atGolden("taps", "interpolate", "the first tap's weight for all", "along(row(weights, k), x, dim)", "along(row(weights, 0), x, dim)"),
  atGolden("diagonal", "diagonalScatter", "beside the diagonal", "last(start), last(rest), last(columns)", "last(rest), last(start), last(columns)"),
  atGolden("normalization", "batchNorm", "without what the mean takes off", "sub(sub(dy, div(sumDy, count)), mul(xhat, div(sumDyXhat, count)))", "sub(dy, mul(xhat, div(sumDyXhat, count)))"),
  atGolden("normalization", "layerNorm", "without what the variance takes off", "sub(sub(dy, mean(dy, dims, true)), mul(xhat, mean(mul(dy, xhat), dims, true)))", "sub(dy, mean(dy, dims, true))"),
  atGolden("moments", "norm", "ties get all of it each", "maximum(sumDims(cast(isExtreme, x.dtype), list), 1)", "maximum(mul(sumDims(cast(isExtreme, x.dtype), list), 0), 1)"),
  atGolden("quantiles", "median", "ties get all of it each", "expand(div(gradOut, sum(ties)), x.shape)", "expand(gradOut, x.shape)"),
  atGolden("loss", "binaryCrossEntropyWithLogits", "without the target", "mul(gradOut, sub(sigmoid(scores!), target!))", "mul(gradOut, sigmoid(scores!))"),
  atGolden("activation", "softplus", "without beta", "mul(gradOut, sigmoid(scaledOf(of!)))", "mul(gradOut, sigmoid(of!))"),
  {
    ...gradient("maxPool", "maxPool2d", "of the second order none", "needs[0] ? pick(gradOut, apply(maxPool2dIndicesOp, [input!], attrs)) : null", "null"),
    tests: "tests/tensor/secondOrder",
    only: "^maxPool2d$",
  },
  {
    ...bug("src/autograd/backward.ts", "of what is used twice that of one use", "before ? add(before, grad) : grad", "grad"),
    tests: "tests/autograd/backward",
  },
]; // prettier-ignore

/**
 * @param {string} file
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @returns {PlantedBug}
 */
const fusion = (file, what, find, replace) => ({
  ...bug(file, what, find, replace),
  project: "webgpu",
  tests: "tests/schedule/graphs.fuzz",
});

/**
 * Tensors of several bindings.
 *
 * @param {string} file
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @returns {PlantedBug}
 */
const windows = (file, what, find, replace) => ({
  ...fusion(file, what, find, replace),
  tests: "tests/schedule/windows.gpu",
});

const LAUNCHES = [
  fusion("src/kernels/scatter.ts", "an epilogue reads what the kernel has overwritten", "  rereadsOutput: true,\n", ""),
  {
    ...fusion("src/codegen/indexing.ts", "lanes count as aligned wherever the others start", "flat.start % LANES === 0 && outside.every(({ weight }) => weight % LANES === 0)", "flat.start % LANES === 0"),
    tests: "tests/ops/everyOp.gpu",
    only: "^every op on the GPU (slice|permute|cat|pad|reshape|expand)$",
  },
  fusion("src/schedule/plan.ts", "memory is given to others while it is still needed", "this.lastUse.get(node) === index)", "this.lastUse.get(node)! >= index)"),
  fusion("src/schedule/order.ts", "a variable is read after what replaces it", "if (next && next !== unit) before.get(next)!.push(unit);", ""),
  {
    ...fusion("src/schedule/sweeps.ts", "what comes back from outside counts as inside", "if (outside & draft.bits || draft.members", "if (draft.members"),
    tests: "tests/schedule/sweeps.gpu",
  },
  {
    ...fusion("shaders/conv2dGradWeight.wgsl", "the bias of another channel", "store_bias(sum_channel(job % all, job / all), job % all, job / all);", "store_bias(sum_channel(0u, job / all), job % all, job / all);"),
    tests: "tests/schedule/companions.gpu",
  },
  {
    ...fusion("src/codegen/part.ts", "a part strides as if it were the whole grid", "params.all_groups_x, params.all_groups_y, ${own}.z", "${own}.x, ${own}.y, ${own}.z"),
    tests: "tests/kernels/parts.gpu",
  },
  windows("src/codegen/windows.ts", "each window starts where the first does", "byteOffset: index * size", "byteOffset: 0 * index"),
  windows("src/codegen/outputWindows.ts", "what is read elsewhere too follows the output", ".filter((key) => !others.has(key))", ".filter((key) => key !== others)"),
  windows("src/codegen/accessors.ts", "runs of four end at the border between two windows", "if (i < ${end - 3}u)", "if (i < ${end}u)"),
]; // prettier-ignore

/**
 * What runs, and when: found without a GPU unless it says otherwise.
 *
 * @param {string} file
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @param {[tests: string, only: string]} seen where the bug is to be seen
 * @returns {PlantedBug}
 */
const running = (file, what, find, replace, [tests, only]) => ({
  ...bug(`src/runtime/${file}.ts`, what, find, replace),
  project: tests.includes(".gpu") ? "webgpu" : "cpu",
  tests,
  only,
});

const RUNNING = [
  {
    ...running("node", "programs of other attributes share a plan", "|${JSON.stringify(attrs)}|", "||", ["tests/tensor/programs.gpu", "nearly the same"]),
    file: "src/graph/node.ts",
  },
  running("planKey", "versions of state count as one", "version - firstVersion.get(variable)!", "0", ["tests/tensor/programs.gpu", "nearly the same"]),
  running("planKey", "what is read counts as what stays", "place.get(node)!, want)", "place.get(node)!)", ["tests/tensor/programs.gpu", "nearly the same"]),
  running("needed", "state is overwritten before those that are left out have read it", "version < (overwritten.get(variable) ?? -1)", "version < -1", ["tests/tensor/state.fuzz.gpu", ""]),
  running("indexChecks", "the largest index is not looked at", "[amin(index), amax(index)]", "[amin(index), amin(index)]", ["tests/tensor/indexing.gpu", "debug mode"]),
  running("engine", "a write that is taken out leaves its version behind", "if (latest > 0) variable.version = latest;", "", ["tests/tensor/programs.test", ""]),
  running("engine", "a version that was overwritten is read as the latest", "return node.version !== realized && ", "return node.version > realized && ", ["tests/tensor/state.test", ""]),
  running("variable", "graphs go on reading the first version", "!this.leaf || this.leaf.version !== this.version", "!this.leaf", ["tests/tensor/state.test", ""]),
  running("recording", "numbers may differ between recordings", "!Object.is(value, a[i])", "false", ["tests/compile/compile.test", "baked in"]),
  running("replay", "what changes keeps its first value", "this.sourced[index]!.hostData![0] = source.read() as number;", "this.sourced[index]!.hostData![0] ||= source.read() as number;", ["tests/compile/compile.gpu", "drawn anew"]),
  running("replay", "arguments are those of the recording", "return args[origin.index]!;", "return (this.first ??= args)[origin.index]!;", ["tests/compile/compile.gpu", "a model's output"]),
  running("watched", "fields of modules may change", "if (!Object.is(now[i], before[i])) return false;", "", ["tests/compile/compile.gpu", "another function"]),
  running("slotPool", "two slots of a plan are one", "used.set(size, index + 1)", "used.set(size, index)", ["tests/tensor/programs.gpu", ""]),
]; // prettier-ignore

/**
 * What optimizers and schedules compute on the host.
 *
 * @param {string} file
 * @param {string} what
 * @param {string} find
 * @param {string} replace
 * @param {[tests: string, only: string]} seen where the bug is to be seen
 * @returns {PlantedBug}
 */
const host = (file, what, find, replace, [tests, only]) => ({
  ...bug(`src/optim/${file}.ts`, what, find, replace),
  tests: `tests/optim/${tests}.test`,
  only,
});

const HOST = [
  host("adam", "bias is corrected by the other average's decay", "lr / (1 - betas[0] ** steps)", "lr / (1 - betas[1] ** steps)", ["optimizers", "^Adam "]),
  host("adam", "AdamW's decay without the rate", "[0, 1 - lr * weightDecay]", "[0, 1 - weightDecay]", ["optimizers", "^AdamW "]),
  host("sgd", "the first step counts as any other", "isLive ? SegmentState.live : SegmentState.first", "isLive ? SegmentState.live : SegmentState.live", ["optimizers", "^SGD "]),
  host("schedules/cosine", "the rate stays where it turns", "(epoch - 1 - this.tMax) % (2 * this.tMax) === 0", "false", ["schedules", "CosineAnnealing"]),
  host("schedules/oneCycle", "phases start at 0", "index === 0 ? 0 : this.phases[index - 1]!.end", "0", ["schedules", "OneCycle"]),
]; // prettier-ignore

/** @type {readonly PlantedBug[]} */
export const PLANTED_BUGS = [...SHADERS, ...GRADIENTS, ...LAUNCHES, ...RUNNING, ...HOST];
