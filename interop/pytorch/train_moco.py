"""Trains on from a checkpoint that flywheel, or the authors' code, wrote; flywheel resumes what it writes.

python3 train_moco.py checkpoint.pth.tar --out next.pth.tar --data demo/public/data/fashion-mnist --steps 200
torchrun --nproc_per_node 8 train_moco.py ...        the same on 8 GPUs (nccl), or in 8 processes on CPUs (gloo)

The batch size is that of all processes together. README.md says more.
"""

import argparse
import json
import os
import secrets
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from data import fashion_views, given_views
from moco import ENCODERS, MoCo, encoder_like, world

PREFIX = "module."


def main():
    args = parse_args()
    device = start_processes()
    checkpoint = torch.load(args.checkpoint, map_location="cpu")
    model, optimizer = resume(checkpoint, args, device)
    losses = [train_step(model, optimizer, *batch, device) for batch in batches(args)]
    if world()[0] == 0:
        save(args.out, checkpoint, model, optimizer)
        if args.losses:
            Path(args.losses).write_text(json.dumps(losses))
        print(f"{len(losses)} steps, loss {losses[0]:.4f} -> {losses[-1]:.4f}, written to {args.out}")
    if dist.is_initialized():
        dist.destroy_process_group()


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="official layout: epoch, arch, state_dict, optimizer")
    parser.add_argument("--out", required=True, help="where the next checkpoint goes")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", help="folder of Fashion-MNIST's IDX files; views by its recipe")
    source.add_argument("--views", help=".pt file of im_q, im_k and order: any images, prepared")
    parser.add_argument("--encoder", choices=ENCODERS, help="default: the checkpoint's arch")
    parser.add_argument("--steps", type=positive, default=200)
    parser.add_argument("--first", type=int, default=0, help="step of --views to begin with")
    parser.add_argument("--batch-size", type=positive, default=256, help="of all processes, with --data")
    parser.add_argument("--moco-m", type=float, default=0.999, help="momentum of the key encoder")
    parser.add_argument("--moco-t", type=float, default=0.07, help="softmax temperature")
    parser.add_argument("--lr", type=float, help="default: the checkpoint's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--losses", help="where the loss of each step goes, as JSON")
    return parser.parse_args()


def positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text}")
    return int(text)


def start_processes():
    """Joins the other processes of torchrun, if there are some; gives this one's device."""
    has_gpu = torch.cuda.is_available()
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("nccl" if has_gpu else "gloo")
    local = int(os.environ.get("LOCAL_RANK", 0))
    if has_gpu:
        torch.cuda.set_device(local)
    return torch.device("cuda", local) if has_gpu else torch.device("cpu")


def resume(checkpoint, args, device):
    """The model, wrapped so that its names begin with `module.`, and SGD over both encoders, as in the checkpoint."""
    missing = [name for name in ("epoch", "arch", "state_dict", "optimizer") if name not in checkpoint]
    missing += [name for name in ("queue", "queue_ptr") if f"{PREFIX}{name}" not in checkpoint.get("state_dict", {})]
    if missing:
        raise SystemExit(f"A checkpoint to train on from must have all of it, got {args.checkpoint} without {', '.join(missing)}.")
    state = {name[len(PREFIX) :]: value for name, value in checkpoint["state_dict"].items()}
    arch = args.encoder or checkpoint["arch"]
    if arch not in ENCODERS:
        raise SystemExit(f"--encoder must be one of {', '.join(ENCODERS)}, got the checkpoint's arch {arch}.")
    channels = state["encoder_q.conv1.weight"].shape[1]
    if args.data and channels != 1:
        raise SystemExit(f"--data gives images of 1 channel, and the checkpoint's encoder takes {channels}: use --views.")
    dim, queue_size = state["queue"].shape
    model = MoCo(lambda: encoder_like(arch, state), dim, queue_size, args.moco_m, args.moco_t).to(device)
    model.load_state_dict(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)  # the checkpoint's options replace these
    optimizer.load_state_dict(checkpoint["optimizer"])
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] if args.lr is None else args.lr
    if dist.is_initialized():
        return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None), optimizer
    return Alone(model), optimizer


class Alone(torch.nn.Module):
    """One process: the same names as DistributedDataParallel's."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, *inputs):
        return self.module(*inputs)


def batches(args):
    if args.views:
        return given_views(args.views, args.first, args.steps)
    return fashion_views(args.data, args.batch_size, args.steps, args.seed)


def train_step(model, optimizer, im_q, im_k, order, device):
    """One step on this rank's part of the batch; gives the mean loss of all ranks."""
    rank, count = world()
    size = model.module.queue.shape[1]
    if len(order) % count or len(order) > size:
        raise SystemExit(f"The batch must have parts for {count} processes and fit the queue of {size}, got {len(order)}.")
    mine = slice(rank * len(order) // count, (rank + 1) * len(order) // count)
    logits = model(im_q[mine].to(device), im_k[mine].to(device), order.to(device))
    loss = F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=device))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    mean = loss.detach() / count
    if count > 1:
        dist.all_reduce(mean)
    return float(mean)


def save(path, before, model, optimizer):
    content = {
        "epoch": before["epoch"] + 1,
        "arch": before["arch"],
        "state_dict": {name: value.cpu() for name, value in model.state_dict().items()},
        "optimizer": optimizer.state_dict(),
    }
    replace_file(path, lambda file: torch.save(content, file))


def replace_file(path, write):
    """Whole or not at all: what is at path, perhaps the checkpoint trained on from, stays until its successor is on the disk."""
    part = Path(f"{path}.{secrets.token_hex(6)}.part")
    try:
        with part.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
