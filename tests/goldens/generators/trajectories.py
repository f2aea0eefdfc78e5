"""trajectories.json: a hundred steps of four small models under every optimizer."""

import copy
import math
import re

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.resnet import BasicBlock

from .case import snake
from .optim import LARS
from .record import encode_float

STEPS, BATCHES, CLASSES = 100, 5, 3


def formula(shape, scale, phase, around=0.0):
    """Numbers in around +- scale, without a pattern, that both sides can make: of 1000 sin(i + 1 + phase) what is behind the point."""
    wave = 1000 * np.sin(np.arange(math.prod(shape), dtype=np.float64) + 1 + phase)
    part = (scale * (2 * (wave - np.floor(wave)) - 1)).astype(np.float32) + np.float32(around)
    return torch.tensor(part.astype(np.float32)).reshape(shape)


class Transformer(nn.Module):
    """Two layers, the mean over positions, a linear map."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=12, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.fc(self.encoder(x).mean(1))


def block(channels, width, stride):
    around = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
    return BasicBlock(channels, width, stride, around)


# name: how it is made, and one input's shape
MODELS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, CLASSES)), [8, 6]),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(24, CLASSES),
        ),
        [6, 1, 8, 8],
    ),
    "residual": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, bias=False),
            block(4, 6, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(6, CLASSES),
        ),
        [6, 2, 6, 6],
    ),
    "transformer": (Transformer, [4, 5, 8]),
}

OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {"lr": 0.02}),
    "SGD with all options": (
        torch.optim.SGD,
        {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weightDecay": 0.001},
    ),
    "Adam": (torch.optim.Adam, {"lr": 0.002, "weightDecay": 0.001}),
    "AdamW": (torch.optim.AdamW, {"lr": 0.002, "amsgrad": True}),
    "RMSprop": (torch.optim.RMSprop, {"lr": 0.001, "momentum": 0.5, "centered": True}),
    "LARS": (LARS, {"lr": 1.0, "weightDecay": 0.001}),
}


def make():
    return [run(model, optimizer) for model in MODELS for optimizer in OPTIMIZERS]


def run(model, optimizer):
    exact, single = (train(model, optimizer, dtype) for dtype in (torch.float64, torch.float32))
    return {
        "model": model,
        "optimizer": re.split(" ", optimizer)[0],
        "options": OPTIMIZERS[optimizer][1],
        "name": f"{model}, {optimizer}",
        "losses": numbers(exact["losses"]),
        "state": {name: numbers(values) for name, values in exact["state"].items()},
        # how far PyTorch's own f32 strays from its f64
        "lossSpread": spread(exact["losses"], single["losses"]),
        "stateSpreads": {name: spread(values, single["state"][name]) for name, values in exact["state"].items()},
    }


def train(model, optimizer, dtype):
    make_model, shape = MODELS[model]
    net = make_model()
    fill(net)
    net = net.to(dtype)
    Optimizer, options = OPTIMIZERS[optimizer]
    opt = Optimizer(net.parameters(), **{snake(key): value for key, value in options.items()})
    batches = [(formula(shape, 1.7, 100 * b).to(dtype), labels(shape[0], b)) for b in range(BATCHES)]
    losses = []
    for step in range(STEPS):
        x, y = batches[step % BATCHES]
        loss = F.cross_entropy(net(x), y)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        if step % 10 in (0, 9):
            losses.append(loss.item())
    # the mean, and the first three
    state = {
        name: torch.cat([t.mean().reshape(1), t.reshape(-1)[:3]]).tolist()
        for name, t in net.state_dict().items()
        if t.is_floating_point()
    }
    return {"losses": losses, "state": copy.deepcopy(state)}


def labels(count, batch):
    return torch.tensor([(i * i + batch) % CLASSES for i in range(count)])


def fill(net):
    """The same first values on both sides: a formula of each tensor's place in the state dict."""
    for place, (name, tensor) in enumerate(net.state_dict().items()):
        if not tensor.is_floating_point():
            continue
        if tensor.dim() > 1:
            tensor.copy_(formula(tensor.shape, 1.7 / math.sqrt(tensor[0].numel()), place))
        else:
            is_factor = name.endswith("running_var") or (name.endswith("weight") and tensor.dim() == 1)
            tensor.copy_(formula(tensor.shape, 0.2, place, 1.0 if is_factor else 0.0))


def spread(exact, single):
    """The largest difference, in relation to the value, or to 1 where it is smaller."""
    return float(f"{max(abs(a - b) / max(1, abs(a)) for a, b in zip(exact, single)):.1e}")


def numbers(values):
    return [encode_float(np.float32(value)) for value in values]
