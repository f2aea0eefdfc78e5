"""official.json: a checkpoint of a very small MoCo in the layout of the authors' code, and how PyTorch goes on from it."""

import base64
import copy
import io
import math

import torch
import torch.nn.functional as F
from torch import nn

from .record import Draw, encode

BEFORE, AFTER, BATCH, DIM, QUEUE, SIZE = 3, 3, 8, 8, 16, 6
M, TEMPERATURE = 0.9, 0.2
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4}


class Encoder(nn.Module):
    """[n, 1, 6, 6] -> [n, 8]"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.fc = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, DIM))

    def forward(self, x):
        return self.fc(F.relu(self.bn1(self.conv1(x))).mean([2, 3]))


class MoCo(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder_q = Encoder()
        self.encoder_k = Encoder()
        self.register_buffer("queue", torch.zeros(DIM, QUEUE))
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))

    def initialise(self, draw):
        with torch.no_grad():
            for p in self.encoder_q.parameters():
                p.copy_(1 + 0.2 * draw.normal(*p.shape) if p.ndim == 1 else draw.normal(*p.shape) / math.sqrt(p[0].numel()))
        self.encoder_k.load_state_dict(self.encoder_q.state_dict())
        self.encoder_k.requires_grad_(False)
        self.queue = F.normalize(draw.normal(DIM, QUEUE), dim=0)

    def forward(self, im_q, im_k, order):
        q = F.normalize(self.encoder_q(im_q), dim=1)
        with torch.no_grad():
            for p_q, p_k in zip(self.encoder_q.parameters(), self.encoder_k.parameters()):
                p_k.copy_(p_k * M + p_q * (1 - M))
            k = F.normalize(self.encoder_k(im_k[order]), dim=1)[torch.argsort(order)]
        positive = (q * k).sum(1, keepdim=True)
        logits = torch.cat([positive, q @ self.queue.clone()], 1) / TEMPERATURE
        pointer = int(self.queue_ptr)
        self.queue[:, pointer : pointer + BATCH] = k.T
        self.queue_ptr[0] = (pointer + BATCH) % QUEUE
        return logits


class Wrapped(nn.Module):
    """Names begin with `module.`, as DistributedDataParallel makes them."""

    def __init__(self, model):
        super().__init__()
        self.module = model


def make():
    draw = Draw("official")
    images = draw.normal(BEFORE + AFTER, BATCH, 1, SIZE, SIZE)
    im_q, im_k = (images + 0.2 * draw.normal(*images.shape) for _ in range(2))
    orders = torch.stack([torch.tensor(draw.random.permutation(BATCH)) for _ in range(BEFORE + AFTER)])
    model = MoCo()
    model.initialise(draw)
    optimizer = torch.optim.SGD(model.parameters(), **SGD)
    data = list(zip(im_q, im_k, orders))
    train(model, optimizer, data[:BEFORE])
    zip_form, legacy = saved(model, optimizer, True), saved(model, optimizer, False)
    exact = copy.deepcopy(model).double()
    going_on = torch.optim.SGD(exact.parameters(), **SGD)
    going_on.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    losses = train(exact, going_on, [(q.double(), k.double(), order) for q, k, order in data[BEFORE:]])
    return {
        "imQ": encode(im_q[BEFORE:]),
        "imK": encode(im_k[BEFORE:]),
        "orders": encode(orders[BEFORE:]),
        "zip": zip_form,
        "legacy": legacy,
        "losses": losses,
        "final": {name: encode(value) for name, value in exact.state_dict().items()},
        "features": encode(features(model, im_q[BEFORE])),
    }


def train(model, optimizer, data):
    losses = []
    for im_q, im_k, order in data:
        logits = model(im_q, im_k, order)
        loss = F.cross_entropy(logits, torch.zeros(BATCH, dtype=torch.long))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return losses


def saved(model, optimizer, new):
    file = io.BytesIO()
    content = {
        "epoch": 1,
        "arch": "tiny",
        "state_dict": Wrapped(model).state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(content, file, _use_new_zipfile_serialization=new)
    return base64.b64encode(file.getvalue()).decode()


def features(model, images):
    """Of the query encoder without its head, in evaluation mode."""
    encoder = copy.deepcopy(model.encoder_q).double().eval()
    encoder.fc = nn.Identity()
    with torch.no_grad():
        return encoder(images.double())
