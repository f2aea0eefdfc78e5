"""trajectories.json: a hundred steps of training of four small models with every optimizer.

Nothing random is stored: parameters and data come from `number`, which tests compute too. Trained in f64; how far f32 strays from
that is what four runs in f32 show, three of them with inputs that were moved by an ULP at most.
"""

import math

import numpy as np
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

from .case import snake
from .optim import LARS

STEPS = 100
EVERY = 10  # losses that are recorded
BATCHES = 4  # different ones, in turn


def number(i, seed):
    """A number in (-1, 1) that f32 holds exactly."""
    return ((31 * i * i + 7919 * i + 104729 * seed) % 2003 - 1001) / 1024


def numbers(shape, seed):
    values = [number(i, seed) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)




class Block(nn.Module):
    """A ResNet's BasicBlock with a way around it, and a head."""

    def __init__(self):
        super().__init__()
        downsample = nn.Sequential(nn.Conv2d(2, 4, 1, stride=2, bias=False), nn.BatchNorm2d(4))
        self.block = BasicBlock(2, 4, stride=2, downsample=downsample)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.block(x).mean((2, 3)))


class Transformer(nn.Module):
    """Two layers of an encoder, and a head on the mean over positions."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=12, dropout=0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(self.encoder(x).mean(1))


def mlp():
    return nn.Sequential(nn.Linear(6, 10), nn.Tanh(), nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 4))


def cnn():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 3, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 4),
    )


# name -> model, shape of a batch, classes
MODELS = {
    "mlp": (mlp, [8, 6], 4),
    "cnn": (cnn, [4, 2, 6, 6], 4),
    "basicBlock": (Block, [4, 2, 5, 5], 3),
    "transformer": (Transformer, [4, 5, 8], 4),
}

# name, class, options; maxNorm: gradients are clipped; maxLr: OneCycleLR sets rates and betas
RUNS = [
    ("SGD", torch.optim.SGD, {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weightDecay": 0.001}),
    ("Adam", torch.optim.Adam, {"lr": 0.01, "weightDecay": 0.001}),
    ("Adam, amsgrad", torch.optim.Adam, {"lr": 0.01, "amsgrad": True, "betas": [0.8, 0.9]}),
    ("AdamW", torch.optim.AdamW, {"lr": 0.01, "weightDecay": 0.05}),
    ("AdamW, clipped, one cycle", torch.optim.AdamW, {"lr": 0.01, "maxNorm": 0.5, "maxLr": 0.02}),
    ("RMSprop", torch.optim.RMSprop, {"lr": 0.001, "momentum": 0.9}),
    ("RMSprop, centered", torch.optim.RMSprop, {"lr": 0.005, "alpha": 0.9, "centered": True, "eps": 0.001}),
    ("LARS", LARS, {"lr": 0.02, "momentum": 0.9, "weightDecay": 0.001, "trustCoefficient": 0.05}),
]


def make():
    return {
        "steps": STEPS,
        "every": EVERY,
        "batches": BATCHES,
        "models": [{"name": name, "batch": shape, "classes": classes} for name, (_, shape, classes) in MODELS.items()],
        "runs": [run(model, *row) for model in MODELS for row in RUNS],
    }


def run(model, name, make_optimizer, options):
    losses, state = train(model, make_optimizer, options)
    others = [train(model, make_optimizer, options, torch.float32, jitter) for jitter in range(4)]
    spread = {key: max(distance(state[key], other[key]) for _, other in others) for key in state}
    loss_spread = max(distance(losses, other) for other, _ in others)
    # where steps amplify rounding without bound, no bound can be told from a bug: lower the rate
    assert max(loss_spread, *spread.values()) < 1e-4, (model, name, loss_spread, spread)
    return {
        "model": model,
        "optimizer": make_optimizer.__name__,
        "name": name,
        "options": options,
        "losses": [shortest(x, 12) for x in losses.tolist()],
        "lossSpread": shortest(loss_spread, 2),
        "state": {key: sample(x) for key, x in state.items()},
        "spread": {key: shortest(x, 2) for key, x in spread.items()},
    }


def distance(a, b):
    return (a.double() - b.double()).abs().max().item()


def sample(x):
    """Four elements, or all where there are fewer: the first, the last and what is evenly between."""
    flat = x.reshape(-1).tolist()
    return [shortest(flat[i], 12) for i in places(len(flat))]


def places(count):
    return range(count) if count <= 4 else [k * (count - 1) // 3 for k in range(4)]


def shortest(x, digits):
    return float(f"{x:.{digits}g}")


def train(name, make_optimizer, options, dtype=torch.float64, jitter=0):
    """Losses and, at the end, the state dict without counters. Jitter moves every input by an ULP of f32, or not."""
    build, shape, classes = MODELS[name]
    model = build().to(dtype)
    moved = np.random.RandomState(jitter)
    fill(model, dtype, moved if jitter else None)
    optimizer, scheduler = optimizer_of(model, make_optimizer, options)
    losses = []
    for step in range(STEPS):
        x = numbers(shape, 1000 + step % BATCHES).to(dtype)
        y = torch.tensor([(5 * i + step % BATCHES) % classes for i in range(shape[0])])
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if "maxNorm" in options:
            nn.utils.clip_grad_norm_(model.parameters(), options["maxNorm"])
        optimizer.step()
        if scheduler:
            scheduler.step()
        if step % EVERY == 0 or step == STEPS - 1:
            losses.append(loss.detach())
    state = {key: x.detach() for key, x in model.state_dict().items() if x.is_floating_point()}
    return torch.stack(losses), {key: without_keys(x) if key.endswith("in_proj_bias") else x for key, x in state.items()}


def without_keys(bias):
    """The biases of queries and values. That of keys adds the same to all scores of a query, which softmax ignores: its gradient
    is rounding alone, and Adam makes steps of full length of that."""
    queries, _, values = bias.chunk(3)
    return torch.cat([queries, values])


def fill(model, dtype, moved):
    """Parameters from `number`: those of one dimension near 0, or near 1 for a normalisation's weight; others a fan's size."""
    with torch.no_grad():
        for seed, (name, p) in enumerate(model.named_parameters()):
            values = numbers(p.shape, seed)
            if p.dim() > 1:
                values = values / 2 ** math.floor(math.log2(math.prod(p.shape[1:])) / 2)
            else:
                values = values / 8 + (1 if is_scale(model, name) else 0)
            values = values.to(dtype)
            if moved is not None:
                values *= torch.tensor(1 + 2.0**-23 * moved.randint(-1, 2, p.shape), dtype=dtype)
            p.copy_(values)


def is_scale(model, name):
    path, _, kind = name.rpartition(".")
    return kind == "weight" and isinstance(model.get_submodule(path), (nn.BatchNorm2d, nn.LayerNorm))


def optimizer_of(model, make_optimizer, options):
    named = {snake(key): value for key, value in options.items() if key not in ("maxNorm", "maxLr")}
    optimizer = make_optimizer(model.parameters(), **named)
    cycle = torch.optim.lr_scheduler.OneCycleLR
    return optimizer, cycle(optimizer, options["maxLr"], total_steps=STEPS) if "maxLr" in options else None
