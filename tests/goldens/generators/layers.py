"""layers.json: modules over several steps, with gradients and state."""

import torch
import torch.nn.functional as F
from torch import nn

from .case import snake
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
}

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
    "Flatten": nn.Flatten,
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

# name: module, input shape, modes of the steps
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
    "small cnn": (["Sequential", *SMALL_CNN], [3, 2, 9, 8], THREE_AND_EVAL),
}


def make():
    return [layer(name, *row) for name, row in LAYERS.items()]


def layer(name, spec, shape, modes):
    draw = Draw("layer", name)
    module = build(spec).double()
    randomise(module, draw)
    record = {"name": name, "module": spec[0], "args": spec[1:], "stateDict": encode_all(module.state_dict())}
    return record | {"steps": [step(module, draw, shape, mode == "t") for mode in modes]}


def build(spec):
    name, *args = spec
    if name == "Sequential":
        return nn.Sequential(*map(build, args))
    options = args.pop() if args and isinstance(args[-1], dict) else {}
    return MODULES[name](*args, **{snake(key): value for key, value in options.items()})


def randomise(module, draw):
    """Any weights but PyTorch's own: they are recorded, so both sides start from the same."""
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(draw.uniform(0.5, 2, *tensor.shape))
        elif tensor.is_floating_point():
            tensor.copy_(draw.normal(*tensor.shape) * 0.5)


def step(module, draw, shape, training):
    """Forward and backward of one batch. The parameters stay as they are."""
    module.train(training)
    x, parameters = draw.normal(*shape), dict(module.named_parameters())
    leaf = x.double().requires_grad_()
    y = module(leaf)
    grad_out = draw.normal(*y.shape)
    grads = torch.autograd.grad(y, [leaf, *parameters.values()], grad_out.double())
    return {
        "training": training,
        "input": encode(x),
        "output": encode(y),
        "gradOut": encode(grad_out),
        "gradInput": encode(grads[0]),
        "gradParameters": encode_all(dict(zip(parameters, grads[1:]))),
        "stateDict": encode_all(module.state_dict()),
    }
