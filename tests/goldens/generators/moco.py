"""moco.json: 20 training steps of a very small MoCo, in f32 and in f64, in the order of the authors' code; mocoV3.json the same of v3."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from .record import Draw, encode, encode_all

STEPS, BATCH, DIM, QUEUE, SIZE = 20, 8, 16, 32, 8

SGD = {"lr": 0.03, "momentum": 0.9}
VERSIONS = {
    "v1": {"head": "linear", "temperature": 0.07, "m": 0.999, **SGD, "weightDecay": 1e-4, "cosine": False},
    "v2": {"head": "mlp", "temperature": 0.2, "m": 0.99, **SGD, "weightDecay": 5e-4, "cosine": True},
}


class Encoder(nn.Module):
    """Two convolutions of stride 2, global average pooling, head: [n, 1, 8, 8] -> [n, 16]."""

    def __init__(self, head, batch_norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(4) if batch_norm else nn.Identity()
        self.conv2 = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=not batch_norm)
        self.bn2 = nn.BatchNorm2d(8) if batch_norm else nn.Identity()
        mlp = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, DIM))
        self.fc = head if isinstance(head, nn.Module) else mlp if head == "mlp" else nn.Linear(8, DIM)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class MoCo(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.m, self.temperature = config["m"], config["temperature"]
        self.encoder_q = Encoder(config["head"], config["batchNorm"])
        self.encoder_k = copy.deepcopy(self.encoder_q).requires_grad_(False)
        self.symmetric = config.get("symmetric", False)
        self.register_buffer("queue", torch.zeros(DIM, config.get("queueSize", QUEUE)))
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))

    def initialise(self, draw):
        """Recorded weights and queue; the key encoder starts as the query encoder."""
        for name, p in self.encoder_q.named_parameters():
            p.data = initial_weight(draw, name, p.shape)
        self.encoder_k.load_state_dict(self.encoder_q.state_dict())
        self.queue = F.normalize(draw.normal(*self.queue.shape).double(), dim=0).float()

    def forward(self, im_q, im_k, permutation):
        """Logits of the queries; of a symmetric loss those of im_q first, then those of im_k."""
        self.update_key_encoder()
        directions = [(im_q, im_k), (im_k, im_q)] if self.symmetric else [(im_q, im_k)]
        pairs = [self.encode(*views, permutation) for views in directions]
        logits = [self.logits(q, k) for q, k in pairs]
        self.enqueue(torch.cat([k for _, k in reversed(pairs)]))
        return torch.cat(logits)

    def encode(self, im_q, im_k, permutation):
        q = F.normalize(self.encoder_q(im_q), dim=1)
        with torch.no_grad():
            return q, self.encode_shuffled(im_k, permutation)

    def logits(self, q, k):
        positive = (q * k).sum(1, keepdim=True)  # [n, 1]
        negative = q @ self.queue.clone()  # [n, queue]
        return torch.cat([positive, negative], 1) / self.temperature

    def update_key_encoder(self):
        for q, k in zip(self.encoder_q.parameters(), self.encoder_k.parameters()):
            k.data = k.data * self.m + q.data * (1 - self.m)

    def encode_shuffled(self, x, permutation):
        """Batch position i holds image permutation[i]; the keys come back in the images' order."""
        keys = F.normalize(self.encoder_k(x[permutation]), dim=1)
        return keys[permutation.argsort()]

    def enqueue(self, keys):
        size = self.queue.shape[1]
        places = (int(self.queue_ptr) + torch.arange(len(keys))) % size
        self.queue[:, places] = keys.T
        self.queue_ptr[0] = (int(self.queue_ptr) + len(keys)) % size


def initial_weight(draw, name, shape):
    """He's scale, so that signals keep their size; BatchNorm's scale near 1."""
    if ".weight" in name and len(shape) > 1:
        return draw.normal(*shape) * math.sqrt(2 / math.prod(shape[1:]))
    return draw.uniform(0.8, 1.2, *shape) if "weight" in name else draw.uniform(-0.1, 0.1, *shape)


def make():
    views = noisy_views(Draw("moco views"))
    shuffle = Draw("moco shuffle").random
    permutations = [torch.tensor(shuffle.permutation(BATCH)) for _ in range(STEPS)]
    return {
        "imQ": encode(views[0]),
        "imK": encode(views[1]),
        "permutations": encode(torch.stack(permutations)),
        "runs": [run(config, views, permutations) for config in configs()],
    }


def configs():
    for version, config in VERSIONS.items():
        for batch_norm in [False, True]:
            yield {"name": version + (" batchNorm" if batch_norm else ""), **config, "batchNorm": batch_norm}
    yield {"name": "symmetric", **VERSIONS["v1"], "batchNorm": True, "symmetric": True}
    yield {"name": "ring", **VERSIONS["v1"], "batchNorm": False, "queueSize": 20}  # a batch reaches past its end
    yield {"name": "symmetric ring", **VERSIONS["v1"], "batchNorm": True, "symmetric": True, "queueSize": 20}


def noisy_views(draw):
    """Two u8 tensors [steps, batch, 1, 8, 8] of 0 to 16, views of the same images; the network sees u8 / 8 - 1."""
    shape = [STEPS, BATCH, 1, SIZE, SIZE]
    images = draw.ints(0, 13, *shape)
    return [(images + draw.ints(0, 5, *shape)).to(torch.uint8) for _ in range(2)]


def run(config, views, permutations):
    start = MoCo(config)
    start.initialise(Draw("moco", config["name"]))
    data = (config, views, permutations)
    exact, single = (train(copy.deepcopy(start).to(dtype), *data) for dtype in (torch.float64, torch.float32))
    return {
        "config": config,
        "lrs": [lr_at(config, step) for step in range(STEPS)],
        "initial": encode_all(start.state_dict()),
        "f32": encode_result(single),
        "f64": encode_result(exact),
        "spread": spread(exact, single),
    }


def lr_at(config, step):
    return config["lr"] * (0.5 * (1 + math.cos(math.pi * step / STEPS)) if config["cosine"] else 1)


def train(model, config, views, permutations):
    options = {"momentum": config["momentum"], "weight_decay": config["weightDecay"]}
    optimizer = torch.optim.SGD(model.parameters(), config["lr"], **options)
    history = [step(model, optimizer, config, views, permutations, t) for t in range(STEPS)]
    return {"history": history, "state": model.state_dict(), "momentum": momentum_buffers(optimizer, model.encoder_q)}


def momentum_buffers(optimizer, module):
    return {name: optimizer.state[p].get("momentum_buffer") for name, p in module.named_parameters()}


def step(model, optimizer, config, views, permutations, t):
    optimizer.param_groups[0]["lr"] = lr_at(config, t)
    dtype = model.queue.dtype
    im_q, im_k = (view[t].to(dtype) / 8 - 1 for view in views)
    logits = model(im_q, im_k, permutations[t])
    loss = F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long)) * (len(logits) / BATCH)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return {"loss": loss.detach(), "top1": accuracy(logits, 1), "top5": accuracy(logits, 5), "margin": margin(logits)}


def accuracy(logits, k):
    """Percent of the samples whose positive, class 0, is among the k largest logits."""
    return (logits.topk(k).indices == 0).any(1).float().mean().item() * 100


def margin(logits):
    """How near any sample comes to changing top-1 or top-5."""
    negatives = logits[:, 1:].topk(5).values[:, [0, 4]]
    return (logits[:, :1] - negatives).abs().min().item()


def encode_result(result):
    columns = {key: [row[key] for row in result["history"]] for key in ["loss", "top1", "top5"]}
    columns["loss"] = encode(torch.stack(columns["loss"]))
    return columns | {"final": encode_all(result["state"]), "momentumBuffers": encode_all(result["momentum"])}


def spread(exact, single):
    """The largest absolute difference between the f32 and the f64 run."""
    state = {name: difference(value, single["state"][name]) for name, value in exact["state"].items()}
    momentum = {name: difference(value, single["momentum"][name]) for name, value in exact["momentum"].items()}
    losses = [torch.stack([row["loss"] for row in result["history"]]) for result in (exact, single)]
    return {
        "loss": difference(*losses),
        "state": max(state.values()),
        "momentumBuffers": max(momentum.values()),
        "smallestMargin": two_digits(min(row["margin"] for row in exact["history"])),
    }


def difference(a, b):
    return two_digits((a - b).abs().max().item())


def two_digits(x):
    return float(f"{x:.2g}")


# --- v3 -----------------------------------------------------------------------------------------------------------------

HIDDEN = 12
V3 = [
    {"name": "v3", "temperature": 1.0, "m": 0.99, **SGD, "weightDecay": 1e-4},
    {"name": "v3 sharp", "temperature": 0.2, "m": 0.9, **SGD, "weightDecay": 0.0},
]


class MoCoV3(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.temperature = config["temperature"]
        self.base_encoder = Encoder(projector(8))
        self.momentum_encoder = copy.deepcopy(self.base_encoder).requires_grad_(False)
        self.predictor = nn.Sequential(*hidden(DIM), nn.Linear(HIDDEN, DIM, bias=False))

    def initialise(self, draw):
        for module in (self.base_encoder, self.predictor):
            for name, p in module.named_parameters():
                p.data = initial_weight(draw, name, p.shape)
        self.momentum_encoder.load_state_dict(self.base_encoder.state_dict())

    def forward(self, x1, x2, m):
        q1, q2 = (self.predictor(self.base_encoder(x)) for x in (x1, x2))
        with torch.no_grad():
            for base, slow in zip(self.base_encoder.parameters(), self.momentum_encoder.parameters()):
                slow.data = slow.data * m + base.data * (1 - m)
            k1, k2 = (self.momentum_encoder(x) for x in (x1, x2))
        return self.logits(q1, k2), self.logits(q2, k1)

    def logits(self, q, k):
        return F.normalize(q, dim=1) @ F.normalize(k, dim=1).T / self.temperature


def hidden(inputs):
    return nn.Linear(inputs, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU()


def projector(inputs):
    return nn.Sequential(*hidden(inputs), nn.Linear(HIDDEN, DIM, bias=False), nn.BatchNorm1d(DIM, affine=False))


def make_v3():
    views = noisy_views(Draw("moco views"))
    return {
        "imQ": encode(views[0]),
        "imK": encode(views[1]),
        "runs": [run_v3(config, views) for config in V3],
    }


def run_v3(config, views):
    start = MoCoV3(config)
    start.initialise(Draw("moco", config["name"]))
    exact, single = (train_v3(copy.deepcopy(start).to(dtype), config, views) for dtype in (torch.float64, torch.float32))
    return {
        "config": config,
        "initial": encode_all(start.state_dict()),
        "f64": encode_result(exact),
        "spread": spread(exact, single),
    }


def train_v3(model, config, views):
    options = {"momentum": config["momentum"], "weight_decay": config["weightDecay"]}
    trained = [*model.base_encoder.parameters(), *model.predictor.parameters()]
    optimizer = torch.optim.SGD(trained, config["lr"], **options)
    history = [step_v3(model, optimizer, config, views, t) for t in range(STEPS)]
    return {"history": history, "state": model.state_dict(), "momentum": momentum_buffers(optimizer, model.predictor)}


def step_v3(model, optimizer, config, views, t):
    dtype = model.predictor[0].weight.dtype
    m = 1 - 0.5 * (1 + math.cos(math.pi * t / STEPS)) * (1 - config["m"])
    pairs = model(*(view[t].to(dtype) / 8 - 1 for view in views), m)
    own = torch.arange(BATCH)
    loss = sum(F.cross_entropy(logits, own) * (2 * model.temperature) for logits in pairs)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    top1, top5 = (sum(nearest(logits, k) for logits in pairs) / 2 for k in (1, 5))
    return {"loss": loss.detach(), "top1": top1, "top5": top5, "margin": min(own_margin(logits) for logits in pairs)}


def nearest(logits, k):
    """Percent of the queries whose own key, on the diagonal, is among the k nearest."""
    return (logits.topk(k).indices == torch.arange(BATCH)[:, None]).any(1).float().mean().item() * 100


def own_margin(logits):
    """How near any query comes to changing top-1."""
    others = logits.masked_fill(torch.eye(BATCH, dtype=torch.bool), -math.inf).amax(1)
    return (logits.diagonal() - others).abs().min().item()
