"""layers.json: modules over several steps, with gradients and state."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from .case import Input, torch_args
from .record import Draw, encode, encode_all


class SplitBatchNorm(nn.BatchNorm2d):
    """BatchNorm over interleaved groups (sample n is in group n % splits), as several devices would see them.

    Running statistics are the mean of the groups' own updates. num_batches_tracked stays as it is.
    """

    def __init__(self, num_features, num_splits, **options):
        super().__init__(num_features, **options)
        self.num_splits = num_splits

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        copies = [t.repeat(self.num_splits) for t in (self.running_mean, self.running_var, self.weight, self.bias)]
        groups = x.view(-1, self.num_features * self.num_splits, *x.shape[2:])
        y = F.batch_norm(groups, *copies, True, self.momentum, self.eps)
        for running, copy in zip([self.running_mean, self.running_var], copies):
            running.copy_(copy.view(self.num_splits, -1).mean(0))
        return y.view(x.shape)


def residual(Block):
    """Takes what our blocks take: channels in, width, stride."""

    def make(channels, width, stride):
        out = width * Block.expansion
        around = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        return Block(channels, width, stride, around if stride > 1 or channels != out else None)

    return make


# with arguments, where there are some
ACTIVATIONS = {
    "ReLU6": [],
    "LeakyReLU": [0.2],
    "ELU": [0.5],
    "CELU": [2.0],
    "SELU": [],
    "GELU": [{"approximate": "tanh"}],
    "SiLU": [],
    "Mish": [],
    "Sigmoid": [],
    "LogSigmoid": [],
    "Tanh": [],
    "Softplus": [{"beta": 2}],
    "Softsign": [],
    "Hardtanh": [-0.5, 2.0],
    "Hardsigmoid": [],
    "Hardswish": [],
    "Softmax": [1],
    "LogSoftmax": [1],
    "Hardshrink": [1.0],
    "Softshrink": [1.0],
    "Tanhshrink": [],
    "Threshold": [0.5, -2.0],
    "Softmin": [1],
    "GLU": [-1],
    "PReLU": [],
}

LOSSES = [
    "CrossEntropyLoss",
    "NLLLoss",
    "MSELoss",
    "L1Loss",
    "SmoothL1Loss",
    "HuberLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "KLDivLoss",
    "GaussianNLLLoss",
    "PoissonNLLLoss",
    "SoftMarginLoss",
    "MultiLabelSoftMarginLoss",
    "CosineEmbeddingLoss",
    "TripletMarginLoss",
    "MarginRankingLoss",
    "HingeEmbeddingLoss",
    "CosineSimilarity",
    "PairwiseDistance",
]

# of images and signals: name: module, input shape
SPATIAL_LAYERS = {
    "conv1d": (["Conv1d", 2, 3, 3, {"stride": 2, "padding": 1}], [2, 2, 6]),
    "conv1d same": (["Conv1d", 4, 2, 4, {"groups": 2, "padding": "same", "dilation": 2, "bias": False}], [1, 4, 6]),
    "conv1d reflected": (["Conv1d", 1, 2, 3, {"padding": 2, "paddingMode": "reflect"}], [2, 1, 5]),
    "conv same": (["Conv2d", 2, 2, [3, 2], {"padding": "same"}], [1, 2, 4, 3]),
    "conv of one image": (["Conv2d", 2, 2, 2], [2, 3, 4]),
    "conv reflected": (["Conv2d", 1, 2, 3, {"padding": [1, 2], "paddingMode": "reflect"}], [1, 1, 4, 3]),
    "conv replicated, same": (["Conv2d", 1, 2, [2, 4], {"padding": "same", "paddingMode": "replicate"}], [1, 1, 3, 3]),
    "conv circular": (["Conv2d", 2, 1, 3, {"padding": 1, "stride": 2, "paddingMode": "circular"}], [1, 2, 4, 3]),
    "conv reflected, valid": (["Conv2d", 1, 1, 2, {"padding": "valid", "paddingMode": "reflect"}], [1, 1, 3, 3]),
    "convTranspose1d": (["ConvTranspose1d", 2, 3, 4, {"stride": 2, "padding": 1}], [2, 2, 4]),
    "convTranspose2d": (["ConvTranspose2d", 2, 3, 3, {"stride": 2, "padding": 1, "outputPadding": 1}], [1, 2, 3, 2]),
    "convTranspose2d groups": (["ConvTranspose2d", 4, 2, [2, 3], {"groups": 2, "dilation": 2, "bias": False}], [1, 4, 2, 2]),
    "maxPool1d": (["MaxPool1d", 3, {"stride": 2, "dilation": 2, "ceilMode": True}], [2, 2, 8]),
    "maxPool2d cut": (["MaxPool2d", 2, {"ceilMode": True}], [1, 2, 3, 5]),
    "avgPool1d": (["AvgPool1d", 3, {"stride": 2, "padding": 1, "countIncludePad": False}], [2, 2, 6]),
    "avgPool2d divisor": (["AvgPool2d", 2, {"ceilMode": True, "divisorOverride": 3}], [1, 2, 3, 4]),
    "lpPool1d": (["LPPool1d", 2, 3, {"stride": 1}], [1, 2, 5]),
    "lpPool2d": (["LPPool2d", 2, [2, 3]], [1, 2, 4, 6]),
    "adaptiveAvgPool1d": (["AdaptiveAvgPool1d", 3], [2, 2, 5]),
    "adaptiveAvgPool2d rows stay": (["AdaptiveAvgPool2d", [None, 2]], [1, 2, 3, 5]),
    "adaptiveMaxPool1d": (["AdaptiveMaxPool1d", 3], [2, 2, 5]),
    "adaptiveMaxPool2d": (["AdaptiveMaxPool2d", [3, 2]], [1, 2, 4, 5]),
    "upsample": (["Upsample", {"scaleFactor": 2, "mode": "bilinear"}], [1, 2, 2, 3]),
    "upsample by default": (["Upsample", {"scaleFactor": 2}], [1, 2, 3]),
    "upsamplingNearest2d": (["UpsamplingNearest2d", {"size": [3, 5]}], [1, 2, 2, 3]),
    "upsamplingBilinear2d": (["UpsamplingBilinear2d", {"scaleFactor": 2}], [1, 2, 2, 3]),
    "pixelShuffle": (["PixelShuffle", 2], [1, 8, 2, 3]),
    "pixelUnshuffle": (["PixelUnshuffle", 2], [1, 2, 4, 2]),
    "zeroPad2d": (["ZeroPad2d", [1, 0, 2, -1]], [1, 2, 3, 2]),
    "constantPad1d": (["ConstantPad1d", 2, 0.5], [1, 2, 3]),
    "constantPad2d": (["ConstantPad2d", [1, 2, 0, 1], -1.5], [1, 2, 2, 3]),
    "reflectionPad1d": (["ReflectionPad1d", [2, 1]], [1, 2, 4]),
    "reflectionPad2d": (["ReflectionPad2d", 1], [1, 2, 3, 2]),
    "replicationPad1d": (["ReplicationPad1d", 2], [1, 2, 3]),
    "unfold": (["Unfold", [2, 3], {"dilation": [2, 1], "padding": 1, "stride": 2}], [1, 2, 4, 5]),
    "fold": (["Fold", [4, 5], 2, {"stride": 2, "padding": [0, 1]}], [1, 8, 6]),
    "replicationPad2d": (["ReplicationPad2d", [1, 0, 2, 1]], [1, 2, 2, 3]),
}
SPATIAL = sorted({spec[0] for spec, _ in SPATIAL_LAYERS.values()} | {"MaxUnpool1d", "MaxUnpool2d"})

MODULES = {
    "Linear": nn.Linear,
    "Conv2d": nn.Conv2d,
    "BatchNorm1d": nn.BatchNorm1d,
    "BatchNorm2d": nn.BatchNorm2d,
    "SplitBatchNorm": SplitBatchNorm,
    "MaxPool2d": nn.MaxPool2d,
    "AvgPool2d": nn.AvgPool2d,
    "AdaptiveAvgPool2d": nn.AdaptiveAvgPool2d,
    "ReLU": nn.ReLU,
    "RReLU": nn.RReLU,
    "Unflatten": nn.Unflatten,
    "Flatten": nn.Flatten,
    **{name: getattr(nn, name) for name in SPATIAL},
    "LayerNorm": nn.LayerNorm,
    "GroupNorm": nn.GroupNorm,
    "InstanceNorm1d": nn.InstanceNorm1d,
    "InstanceNorm2d": nn.InstanceNorm2d,
    "Embedding": nn.Embedding,
    "MultiheadAttention": nn.MultiheadAttention,
    "TransformerEncoderLayer": nn.TransformerEncoderLayer,
    "TransformerEncoder": nn.TransformerEncoder,
    "TransformerDecoderLayer": nn.TransformerDecoderLayer,
    "TransformerDecoder": nn.TransformerDecoder,
    **{name: getattr(nn, name) for name in LOSSES},
    "BasicBlock": residual(BasicBlock),
    "Bottleneck": residual(Bottleneck),
} | {name: getattr(nn, name) for name in ACTIVATIONS}

SMALL_CNN = [
    ["Conv2d", 2, 4, 3, {"stride": 2, "padding": 1, "bias": False}],
    ["BatchNorm2d", 4],
    ["ReLU"],
    ["MaxPool2d", 2],
    ["Conv2d", 4, 6, 3, {"padding": 1}],
    ["ReLU"],
    ["AdaptiveAvgPool2d", 1],
    ["Flatten"],
    ["Linear", 6, 5],
]

def ints(low, high, *shape):
    """An input of integers in [low, high)."""
    return lambda draw: draw.ints(low, high, *shape)


def between(low, high, *shape):
    return lambda draw: draw.uniform(low, high, *shape)


def given(*values, shape=None, dtype=torch.float32):
    """Fixed values, such as targets of 1 and -1. They get no gradient."""
    return lambda draw: Input(torch.tensor(values, dtype=dtype).reshape(shape or [len(values)]), constant=True)


def mask(*rows, kind=bool):
    return torch.tensor(rows).bool() if kind is bool else torch.tensor(rows, dtype=torch.float32)


CAUSAL, PADDING = mask([0, 1, 1], [0, 0, 1], [0, 0, 0]), mask([0, 0, 1], [0, 0, 0])
MIXED = mask([0.0, -0.5, 1.0], [0.3, 0.0, -2.0], [0.0, 0.7, 0.0], kind=float)

# name: module, input's shape or a list of inputs (shapes, or what draws them), modes of the steps, options of forward
ONCE, THREE_AND_EVAL = "t", "ttte"
LAYERS = {
    "linear": (["Linear", 5, 3], [4, 5], ONCE),
    "linear without bias": (["Linear", 5, 3, {"bias": False}], [4, 5], ONCE),
    "linear batch": (["Linear", 5, 3], [2, 3, 5], ONCE),
    "conv": (["Conv2d", 2, 3, 3], [2, 2, 5, 6], ONCE),
    "conv stride": (["Conv2d", 2, 3, 3, {"stride": 2, "padding": 1, "bias": False}], [2, 2, 5, 6], ONCE),
    "conv groups": (["Conv2d", 4, 4, [3, 1], {"groups": 2, "dilation": [1, 2], "padding": [1, 0]}], [1, 4, 5, 5], ONCE),
    "batchNorm2d": (["BatchNorm2d", 3], [4, 3, 2, 3], THREE_AND_EVAL),
    "batchNorm2d momentum": (["BatchNorm2d", 3, {"momentum": 0.3, "eps": 0.001}], [4, 3, 2, 3], THREE_AND_EVAL),
    "batchNorm2d cumulative": (["BatchNorm2d", 3, {"momentum": None}], [4, 3, 2, 3], THREE_AND_EVAL),
    "batchNorm2d no affine": (["BatchNorm2d", 3, {"affine": False}], [4, 3, 2, 3], THREE_AND_EVAL),
    "batchNorm2d no statistics": (["BatchNorm2d", 3, {"trackRunningStats": False}], [4, 3, 2, 3], THREE_AND_EVAL),
    "batchNorm2d neither": (["BatchNorm2d", 3, {"affine": False, "trackRunningStats": False}], [4, 3, 2, 3], "te"),
    "batchNorm1d": (["BatchNorm1d", 3], [5, 3], THREE_AND_EVAL),
    "batchNorm1d length": (["BatchNorm1d", 3], [2, 3, 4], THREE_AND_EVAL),
    "splitBatchNorm": (["SplitBatchNorm", 3, 4], [8, 3, 2, 2], "tte"),
    "splitBatchNorm momentum": (["SplitBatchNorm", 2, 2, {"momentum": 0.3}], [6, 2, 3, 1], "tte"),
    "splitBatchNorm of one": (["SplitBatchNorm", 2, 1], [4, 2, 2, 2], "tte"),
    "maxPool2d": (["MaxPool2d", 3, {"stride": 2, "padding": 1}], [2, 2, 5, 6], ONCE),
    "avgPool2d": (["AvgPool2d", [3, 2], {"stride": 2, "padding": 1, "countIncludePad": False}], [2, 2, 5, 6], ONCE),
    "adaptiveAvgPool2d": (["AdaptiveAvgPool2d", [3, 2]], [2, 2, 5, 6], ONCE),
    **{name: ([name, *args], [2, 3, 4], ONCE) for name, args in ACTIVATIONS.items()},
    "rrelu": (["RReLU", 0.1, 0.5], [2, 3, 4], "e"),
    "prelu of channels": (["PReLU", 3, 0.1], [2, 3, 4], ONCE),
    "small cnn": (["Sequential", *SMALL_CNN], [3, 2, 9, 8], THREE_AND_EVAL),
    "basicBlock": (["BasicBlock", 3, 3, 1], [2, 3, 5, 4], "te"),
    "basicBlock stride": (["BasicBlock", 2, 3, 2], [2, 2, 5, 4], "te"),
    "bottleneck": (["Bottleneck", 8, 2, 1], [2, 8, 4, 3], "te"),
    "bottleneck stride": (["Bottleneck", 3, 2, 2], [2, 3, 5, 4], "te"),
    "layerNorm": (["LayerNorm", 5], [2, 3, 5], ONCE),
    "layerNorm of two dims": (["LayerNorm", [3, 5], {"eps": 0.01}], [2, 3, 5], ONCE),
    "layerNorm plain": (["LayerNorm", 5, {"elementwiseAffine": False}], [3, 5], ONCE),
    "groupNorm": (["GroupNorm", 2, 6], [2, 6, 3, 2], "te"),
    "groupNorm plain": (["GroupNorm", 3, 6, {"affine": False, "eps": 0.1}], [2, 6, 4], ONCE),
    "instanceNorm1d": (["InstanceNorm1d", 3], [2, 3, 5], "te"),
    "instanceNorm2d": (["InstanceNorm2d", 3, {"affine": True}], [2, 3, 2, 3], "te"),
    "instanceNorm2d statistics": (
        ["InstanceNorm2d", 3, {"affine": True, "trackRunningStats": True, "momentum": 0.3}],
        [2, 3, 2, 3],
        THREE_AND_EVAL,
    ),
    "instanceNorm1d of one": (["InstanceNorm1d", 3, {"affine": True}], [3, 5], ONCE),
    "instanceNorm2d of one": (
        ["InstanceNorm2d", 3, {"trackRunningStats": True}],
        [3, 2, 3],
        "te",
    ),
    "unflatten": (["Unflatten", 1, [2, -1]], [2, 6, 3], ONCE),
    "embedding": (["Embedding", 7, 3], [ints(0, 7, 2, 4)], ONCE),
    "embedding padding": (["Embedding", 5, 3, {"paddingIdx": 1}], [ints(0, 5, 3, 4)], ONCE),
    "attention": (["MultiheadAttention", 4, 2], [[3, 2, 4], [5, 2, 4], [5, 2, 4]], "te"),
    "attention batch first": (
        ["MultiheadAttention", 6, 3, {"batchFirst": True, "bias": False}],
        [[2, 3, 6], [2, 5, 6], [2, 5, 6]],
        ONCE,
        {"averageAttnWeights": False},
    ),
    "attention unbatched": (["MultiheadAttention", 4, 2], [[3, 4], [5, 4], [5, 4]], ONCE),
    "attention sizes": (["MultiheadAttention", 4, 2, {"kdim": 3, "vdim": 5}], [[3, 2, 4], [5, 2, 3], [5, 2, 5]], ONCE),
    "attention causal": (["MultiheadAttention", 4, 2], [[3, 2, 4]] * 3, ONCE, {"attnMask": CAUSAL}),
    "attention float mask": (["MultiheadAttention", 4, 2], [[3, 2, 4]] * 3, ONCE, {"attnMask": MIXED}),
    "attention padding": (["MultiheadAttention", 4, 2], [[3, 2, 4]] * 3, ONCE, {"keyPaddingMask": PADDING}),
    "attention both masks": (
        ["MultiheadAttention", 4, 2, {"addBiasKv": True, "addZeroAttn": True}],
        [[3, 2, 4]] * 3,
        ONCE,
        {"attnMask": CAUSAL, "keyPaddingMask": PADDING},
    ),
    "attention mask per head": (
        ["MultiheadAttention", 4, 2],
        [[3, 2, 4]] * 3,
        ONCE,
        {"attnMask": torch.stack([CAUSAL, CAUSAL.roll(1, 0), CAUSAL & False, CAUSAL])},
    ),
    "transformer layer": (["TransformerEncoderLayer", 4, 2, {"dimFeedforward": 6, "dropout": 0}], [3, 2, 4], "te"),
    "transformer layer norm first": (
        ["TransformerEncoderLayer", 4, 2, {"dimFeedforward": 6, "dropout": 0, "normFirst": True, "activation": "gelu"}],
        [3, 2, 4],
        ONCE,
        {"srcMask": CAUSAL},
    ),
    "transformer": (
        ["TransformerEncoder", ["TransformerEncoderLayer", 4, 2, {"dimFeedforward": 6, "dropout": 0, "batchFirst": True}], 2],
        [2, 3, 4],
        ONCE,
        {"srcKeyPaddingMask": PADDING},
    ),
    "decoder layer": (
        ["TransformerDecoderLayer", 4, 2, {"dimFeedforward": 6, "dropout": 0, "layerNormEps": 0.01}],
        [[3, 2, 4], [2, 2, 4]],
        "te",
    ),
    "decoder layer norm first": (
        ["TransformerDecoderLayer", 4, 2, {"dimFeedforward": 6, "dropout": 0, "normFirst": True, "activation": "gelu"}],
        [[3, 2, 4], [3, 2, 4]],
        ONCE,
        {"tgtMask": CAUSAL, "memoryMask": MIXED, "tgtKeyPaddingMask": PADDING},
    ),
    "decoder": (
        ["TransformerDecoder", ["TransformerDecoderLayer", 4, 2, {"dimFeedforward": 6, "dropout": 0, "batchFirst": True}], 2],
        [[2, 2, 4], [2, 3, 4]],
        ONCE,
        {"memoryKeyPaddingMask": PADDING},
    ),
    **{
        name: ([name, options] if options else [name], inputs, ONCE)
        for name, options, inputs in [
            ("CrossEntropyLoss", {"labelSmoothing": 0.1}, [[3, 4], ints(0, 4, 3)]),
            ("NLLLoss", {"reduction": "sum"}, [[3, 4], ints(0, 4, 3)]),
            ("MSELoss", {}, [[3, 4], [3, 4]]),
            ("L1Loss", {"reduction": "none"}, [[3, 4], [3, 4]]),
            ("SmoothL1Loss", {"beta": 0.5}, [[3, 4], [3, 4]]),
            ("HuberLoss", {"delta": 0.5}, [[3, 4], [3, 4]]),
            ("BCELoss", {}, [between(0.1, 0.9, 3, 4), between(0, 1, 3, 4)]),
            ("BCEWithLogitsLoss", {}, [[3, 4], between(0, 1, 3, 4)]),
            ("KLDivLoss", {"reduction": "batchmean"}, [[3, 4], between(0.1, 1, 3, 4)]),
            ("GaussianNLLLoss", {"full": True}, [[3, 4], [3, 4], between(0.2, 2, 3, 4)]),
            ("PoissonNLLLoss", {"logInput": False}, [between(0.2, 4, 3), given(0, 2, 5)]),
            ("SoftMarginLoss", {}, [[4], given(1, -1, -1, 1)]),
            ("MultiLabelSoftMarginLoss", {}, [[2, 3], given(1, 0, 1, 0, 0, 1, shape=[2, 3])]),
            ("CosineEmbeddingLoss", {"margin": 0.2}, [[3, 4], [3, 4], given(1, -1, 1, dtype=torch.int32)]),
            ("TripletMarginLoss", {"margin": 2, "swap": True}, [[3, 4], [3, 4], [3, 4]]),
            ("MarginRankingLoss", {"margin": 0.5}, [[3], [3], given(1, -1, 1)]),
            ("HingeEmbeddingLoss", {}, [[4], given(1, -1, -1, 1)]),
            ("CosineSimilarity", {"dim": 0}, [[3, 4], [3, 4]]),
            ("PairwiseDistance", {"p": 1, "keepDim": True}, [[3, 4], [3, 4]]),
        ]
    },
    **{name: (*row, ONCE) for name, row in SPATIAL_LAYERS.items()},
    "maxUnpool1d": (
        ["MaxUnpool1d", 3, {"stride": 2}],
        [[1, 2, 2], given(1, 4, 2, 0, shape=[1, 2, 2], dtype=torch.int32)],
        ONCE,
    ),
    "maxUnpool2d": (["MaxUnpool2d", 2], [[2, 1, 2], given(3, 5, 0, 6, shape=[2, 1, 2], dtype=torch.int32)], ONCE),
}


def make():
    return [layer(name, *row) for name, row in LAYERS.items()]


def layer(name, spec, inputs, modes, options={}):
    draw = Draw("layer", name)
    module = build(spec).double()
    randomise(module, draw)
    record = {"name": name, "module": spec[0], "args": spec[1:], "stateDict": encode_all(module.state_dict())}
    if options:
        record["options"] = {key: encode(x) if torch.is_tensor(x) else x for key, x in options.items()}
    inputs = [inputs] if isinstance(inputs[0], int) else inputs
    return record | {"steps": [step(module, draw, inputs, options, mode == "t") for mode in modes]}


def build(spec):
    name, *args = spec
    if name == "Sequential":
        return nn.Sequential(*map(build, args))
    options = args.pop() if args and isinstance(args[-1], dict) else {}
    args = [build(arg) if isinstance(arg, list) and isinstance(arg[0], str) else arg for arg in args]
    return MODULES[name](*args, **torch_args(options))


def randomise(module, draw):
    """Any weights but PyTorch's own: they are recorded, so both sides start from the same."""
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(draw.uniform(0.5, 2, *tensor.shape))
        elif tensor.is_floating_point():
            tensor.copy_(draw.normal(*tensor.shape) * 0.5)


def drawn(draw, described):
    x = draw.normal(*described) if isinstance(described, list) else described(draw)
    return x if isinstance(x, Input) else Input(x)


def step(module, draw, described, options, training):
    """Forward and backward of one batch. The parameters stay as they are."""
    module.train(training)
    inputs, parameters = [drawn(draw, each) for each in described], dict(module.named_parameters())
    leaves = [x.leaf() for x in inputs]
    seen = [x if x.is_floating_point() else x.long() for x in leaves]
    outputs = module(*seen, **{key: in_f64(x) for key, x in torch_args(options).items()})
    outputs = [y for y in (outputs if isinstance(outputs, tuple) else (outputs,)) if y is not None]
    grad_outs = [draw.normal(*y.shape) for y in outputs]
    wanted = [x for x in leaves if x.requires_grad]
    found = torch.autograd.grad(outputs, [*wanted, *parameters.values()], [g.double() for g in grad_outs])
    grads = iter(found)
    return {
        "training": training,
        "inputs": [x.record() for x in inputs],
        "outputs": [encode(y) for y in outputs],
        "gradOuts": [encode(g) for g in grad_outs],
        "gradInputs": [encode(next(grads)) if x.requires_grad else None for x in leaves],
        "gradParameters": encode_all(dict(zip(parameters, grads))),
        "stateDict": encode_all(module.state_dict()),
    }


def in_f64(x):
    return x.double() if torch.is_tensor(x) and x.is_floating_point() else x
