"""MoCo as the authors' code has it, for one process or several: same names, same order of things, same checkpoints."""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock


class Tiny(nn.Module):
    """Three convolutions of stride 2, then flat or pooled: flywheel's tinyFlat and tinyGap. [n, c, h, w] -> [n, dim]

    width: what comes before the head: 64 pooled, or 64 planes of as many pixels as the images leave, 1024 of 28x28.
    """

    def __init__(self, dim, in_channels, width, pooled):
        super().__init__()
        conv = lambda a, b: nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False)
        self.conv1, self.bn1 = conv(in_channels, 16), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = conv(16, 32), nn.BatchNorm2d(32)
        self.conv3, self.bn3 = conv(32, 64), nn.BatchNorm2d(64)
        self.pooled = pooled
        self.fc = nn.Linear(width, dim)

    def forward(self, x):
        for conv, norm in [(self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)]:
            x = F.relu(norm(conv(x)))
        return self.fc((x.mean([2, 3]) if self.pooled else x).flatten(1))


class ResNet8(nn.Module):
    """Three BasicBlocks of 16, 32 and 64 channels behind a stem of stride 2: flywheel's resnet8. [n, c, h, w] -> [n, dim]"""

    def __init__(self, dim, in_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 16, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = BasicBlock(16, 16)
        self.layer2 = BasicBlock(16, 32, 2, self.around(16, 32))
        self.layer3 = BasicBlock(32, 64, 2, self.around(32, 64))
        self.fc = nn.Linear(64, dim)

    @staticmethod
    def around(a, b):
        return nn.Sequential(nn.Conv2d(a, b, 1, stride=2, bias=False), nn.BatchNorm2d(b))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean([2, 3]))


def resnet(arch, dim, in_channels, stem):
    """torchvision's ResNet; with a 3x3 stem of stride 1 and no max pool if the checkpoint has that one."""
    net = getattr(models, arch)(num_classes=dim)
    net.conv1 = nn.Conv2d(in_channels, 64, stem, 1 if stem == 3 else 2, stem // 2, bias=False)
    if stem == 3:
        net.maxpool = nn.Identity()
    return net


ENCODERS = {
    "tinyFlat": lambda dim, in_channels, stem, width: Tiny(dim, in_channels, width, pooled=False),
    "tinyGap": lambda dim, in_channels, stem, width: Tiny(dim, in_channels, width, pooled=True),
    "resnet8": lambda dim, in_channels, stem, width: ResNet8(dim, in_channels),
    "resnet18": lambda dim, in_channels, stem, width: resnet("resnet18", dim, in_channels, stem),
    "resnet34": lambda dim, in_channels, stem, width: resnet("resnet34", dim, in_channels, stem),
    "resnet50": lambda dim, in_channels, stem, width: resnet("resnet50", dim, in_channels, stem),
}


def encoder_like(arch, state):
    """The encoder of a checkpoint: widths, channels, stem and the kind of head are those of its weights."""
    _, in_channels, stem, _ = state["encoder_q.conv1.weight"].shape
    is_mlp = "encoder_q.fc.2.weight" in state  # MoCo v2
    dim, width = state["queue"].shape[0], state["encoder_q.fc.0.weight" if is_mlp else "encoder_q.fc.weight"].shape[1]
    net = ENCODERS[arch](dim, in_channels, stem, width)
    if is_mlp:
        net.fc = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, dim))
    return net


def world():
    """Rank and number of processes; (0, 1) without torchrun."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


@torch.no_grad()
def gathered(x):
    """Every process's x, in the order of ranks. No gradient flows through it. [n, ...] -> [world * n, ...]"""
    _, count = world()
    if count == 1:
        return x
    parts = [torch.empty_like(x) for _ in range(count)]
    dist.all_gather(parts, x.contiguous())
    return torch.cat(parts)


class MoCo(nn.Module):
    """Momentum Contrast, Algorithm 1 of He et al. 2020 (arXiv:1911.05722)."""

    def __init__(self, make_encoder, dim, queue_size, momentum, temperature):
        super().__init__()
        self.momentum, self.temperature = momentum, temperature
        self.encoder_q, self.encoder_k = make_encoder(), make_encoder()
        self.encoder_k.load_state_dict(self.encoder_q.state_dict())
        self.encoder_k.requires_grad_(False)
        self.register_buffer("queue", F.normalize(torch.randn(dim, queue_size), dim=0))
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))

    def forward(self, im_q, im_k, order):
        """Logits of this process's part of the batch; the positive is class 0.

        im_q, im_k: [n, c, h, w], the part of this rank. order: [world * n], the same on every rank: place i of the
        shuffled keys has image order[i] of the whole batch. -> [n, 1 + K]
        """
        q = F.normalize(self.encoder_q(im_q), dim=1)
        with torch.no_grad():
            self.update_key_encoder()
            keys = self.encode_shuffled(im_k, order)  # of all ranks
        rank, _ = world()
        k = keys[rank * len(q) : (rank + 1) * len(q)]
        positive = (q * k).sum(1, keepdim=True)
        negative = q @ self.queue.clone()  # as it is now: it is overwritten before backward
        self.enqueue(keys)
        return torch.cat([positive, negative], 1) / self.temperature

    def update_key_encoder(self):
        for q, k in zip(self.encoder_q.parameters(), self.encoder_k.parameters()):
            k.copy_(k * self.momentum + q * (1 - self.momentum))

    def encode_shuffled(self, im_k, order):
        """Keys of the whole batch, each encoded among other images than its query: BatchNorm gives nothing away."""
        rank, count = world()
        mine = order.view(count, -1)[rank]
        keys = F.normalize(self.encoder_k(gathered(im_k)[mine]), dim=1)
        return gathered(keys)[order.argsort()]

    @torch.no_grad()
    def enqueue(self, keys):
        size = self.queue.shape[1]
        places = torch.arange(len(keys), device=keys.device).add(self.queue_ptr) % size  # it may begin anew
        self.queue[:, places] = keys.T
        self.queue_ptr[0] = (self.queue_ptr[0] + len(keys)) % size
