"""Writes the PyTorch goldens: the JSON files beside this script. README.md describes their format.

apt-get install -y python3-torch python3-torchvision libopenblas0-pthread
/usr/bin/python3 tests/goldens/make.py               all files
/usr/bin/python3 tests/goldens/make.py ops           every family of ops
/usr/bin/python3 tests/goldens/make.py views moco    one family, one file
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True  # leave no __pycache__ in the repository

import torch

from generators import (
    augmentation,
    checkpoints,
    dtypes,
    evaluation,
    gradscaler,
    half,
    layers,
    moco,
    official,
    ops,
    optim,
    resnets,
    trajectories,
)
from generators.record import write

FILES = {
    "augmentation": augmentation.make,
    "checkpoints": checkpoints.make,
    "dtypes": dtypes.make,
    "evaluation": evaluation.make,
    "gradScaler": gradscaler.make,
    "half": half.make,
    "layers": layers.make,
    "optim": optim.make,
    "trajectories": trajectories.make,
    "moco": moco.make,
    "mocoV3": moco.make_v3,
    "official": official.make,
    "resnets": resnets.make,
}


def main(names):
    torch.set_num_threads(1)  # one order of summation
    families = {f"ops/{name}": make for name, make in ops.families().items()}
    makers = families | FILES
    for name in wanted(names, families) or makers:
        path = Path(__file__).parent / f"{name}.json"
        write(path, makers[name]())
        print(f"{name:18} {path.stat().st_size:9,} bytes")


def wanted(names, families):
    """The names as typed -> keys of the makers: `ops` is all families, and `views` is `ops/views`."""
    keys = [families if name == "ops" else [f"ops/{name}" if f"ops/{name}" in families else name] for name in names]
    return [key for group in keys for key in group]


if __name__ == "__main__":
    main(sys.argv[1:])
