"""Writes the PyTorch goldens: the JSON files beside this script. README.md describes their format.

apt-get install -y python3-torch python3-torchvision libopenblas0-pthread
/usr/bin/python3 tests/goldens/make.py            all files
/usr/bin/python3 tests/goldens/make.py ops moco   some of them
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True  # leave no __pycache__ in the repository

import torch

from generators import layers, moco, ops, optim, resnet18
from generators.record import write

FILES = {
    "ops": ops.make,
    "layers": layers.make,
    "optim": optim.make,
    "moco": moco.make,
    "resnet18": resnet18.make,
}


def main(names):
    torch.set_num_threads(1)  # one order of summation
    for name in names or FILES:
        path = Path(__file__).parent / f"{name}.json"
        write(path, FILES[name]())
        print(f"{path.name:14} {path.stat().st_size:9,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
