"""Batches of two views: from Fashion-MNIST's files, or given ones for exact comparisons."""

import gzip
import struct
from pathlib import Path

import torch
from torchvision import transforms


def given_views(path, first, steps):
    """(im_q, im_k, order) for each step, as they stand in a .pt file: [steps, n, c, h, w], the same, [steps, n]."""
    views = torch.load(path)
    count = len(views["order"])
    if first < 0 or first + steps > count:
        raise SystemExit(f"--views must have the steps from --first on, got {count} of them for {first} to {first + steps - 1}.")
    for step in range(first, first + steps):
        yield views["im_q"][step], views["im_k"][step], views["order"][step]


def fashion_views(folder, batch_size, steps, seed):
    """The same, drawn from the training images. Every process draws the same batches."""
    images = read_images(folder)  # [m, 1, 28, 28], 0 to 1
    view = transforms.Compose(
        [
            transforms.RandomResizedCrop(28, scale=(0.8, 1), antialias=False),
            transforms.RandomApply([transforms.ColorJitter(0.4, 0.4)], p=0.8),
            transforms.Normalize([0.2860], [0.3530]),
        ]
    )
    torch.manual_seed(seed)
    order = torch.randperm(len(images))
    if len(images) < batch_size:
        raise SystemExit(f"--batch-size must be at most the number of images, got {batch_size} and {len(images)}.")
    per_epoch = len(images) // batch_size
    for step in range(steps):
        place = step % per_epoch
        if step > 0 and place == 0:
            order = torch.randperm(len(images))
        batch = images[order[place * batch_size : (place + 1) * batch_size]]
        im_q, im_k = (torch.stack([view(image) for image in batch]) for _ in range(2))
        yield im_q, im_k, torch.randperm(batch_size)


def read_images(folder):
    """train-images-idx3-ubyte, gzipped or not. -> [m, 1, h, w], 0 to 1"""
    path = next((p for p in sorted(Path(folder).glob("train-images-idx3-ubyte*"))), None)
    if path is None:
        raise SystemExit(f"--data must name a folder with train-images-idx3-ubyte or its .gz, got {folder}.")
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    magic, count, height, width = struct.unpack(">4I", data[:16])
    if magic != 0x803 or len(data) != 16 + count * height * width:
        raise SystemExit(f"{path} must be an IDX file of images, got other bytes.")
    return torch.frombuffer(bytearray(data[16:]), dtype=torch.uint8).view(count, 1, height, width).float() / 255
