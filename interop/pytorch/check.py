"""What `npm run interop` asks PyTorch, besides training. Prints one line of JSON.

check.py versions               of what runs it
check.py files FOLDER           whether torch.load reads NAME.ours.pt as NAME.torch.pt, bit for bit
check.py encoders FOLDER        each NAME.pth.tar there: whether its images have the features that NAME.images.pt says, and it trains
check.py views DATA FILE BATCH  four steps' views of Fashion-MNIST as train_moco.py --data draws them, with seed 0, into a file for --views
check.py resnet18 FOLDER        writes resnet18.pth.tar, an official checkpoint, and images.pt with the features of images
"""

import json
import pickletools
import platform
import sys
import zipfile
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from torchvision.models import resnet18

from data import fashion_views
from moco import MoCo, encoder_like


def versions():
    return {"Python": platform.python_version(), "PyTorch": torch.__version__, "torchvision": torchvision.__version__}


def files(folder):
    folder = Path(folder)
    names = sorted(path.name[: -len(".ours.pt")] for path in folder.glob("*.ours.pt"))
    wrong = [name for name in names if not is_same(folder, name)]
    restricted = [name for name in names if loads_weights_only(folder / f"{name}.ours.pt")]
    return {"files": len(names), "wrong": wrong, "weightsOnly": len(restricted)}


def is_same(folder, name):
    ours, theirs = torch.load(folder / f"{name}.ours.pt"), torch.load(folder / f"{name}.torch.pt")
    if plain(ours) != plain(theirs):
        return False
    pairs = [(a, b) for a, b in zip(tensors(ours), tensors(theirs)) if b.is_contiguous()]  # others become copies
    return overlaps([a for a, _ in pairs]) == overlaps([b for _, b in pairs])


def plain(value):
    """What can be compared: bits of tensors, lists for tuples, dicts for all their kinds, names of dtypes and devices."""
    if isinstance(value, torch.Tensor):
        flat = value.detach().contiguous().flatten()
        bits = flat.view(torch.int16) if flat.dtype == torch.bfloat16 else flat
        return ["tensor", str(value.dtype), list(value.shape), bits.numpy().tobytes()]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value)
    return repr(value) if isinstance(value, float) and value != value else value


def tensors(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors(item)]
    return [value] if isinstance(value, torch.Tensor) else []


def overlaps(tensors):
    """Which pairs have memory in common."""
    ends = [(x.data_ptr(), x.data_ptr() + x.numel() * x.element_size()) for x in tensors]
    return [(i, j) for j, b in enumerate(ends) for i, a in enumerate(ends[:j]) if max(a[0], b[0]) < min(a[1], b[1])]


def loads_weights_only(path):
    """PyTorch 1.13's list of opcodes lacks that of floats, which later versions have; there must be no other reason."""
    try:
        torch.load(path, weights_only=True)
        return True
    except Exception as error:
        with zipfile.ZipFile(path) as archive:
            opcodes = {opcode.name for opcode, *_ in pickletools.genops(archive.read("archive/data.pkl"))}
        if torch.__version__.startswith("1.") and "BINFLOAT" in opcodes:
            return False
        raise error


def encoders(folder):
    """Largest difference of features by file, relative to the largest feature, after a load of model and optimizer and before a step."""
    return {path.name[: -len(".pth.tar")]: difference(path) for path in sorted(Path(folder).glob("*.pth.tar"))}


def difference(path):
    checkpoint = torch.load(path)
    state = {name[len("module.") :]: value for name, value in checkpoint["state_dict"].items()}
    model = MoCo(lambda: encoder_like(checkpoint["arch"], state), *state["queue"].shape, 0.99, 0.2)
    model.load_state_dict(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    optimizer.load_state_dict(checkpoint["optimizer"])
    given = torch.load(str(path).replace(".pth.tar", ".images.pt"))
    model.encoder_q.eval()
    with torch.no_grad():
        features = model.encoder_q(given["images"])
    worst = (features - given["features"]).abs().max() / given["features"].abs().max()
    model.train()
    images = given["images"]
    logits = model(images, images.flip(0), torch.randperm(len(images)))
    F.cross_entropy(logits, torch.zeros(len(images), dtype=torch.long)).backward()
    optimizer.step()  # momenta have their parameters' shapes
    return float(worst)


def views(data, file, batch_size):
    batches = zip(*fashion_views(data, int(batch_size), 4, 0))
    torch.save(dict(zip(("im_q", "im_k", "order"), map(torch.stack, batches))), file)
    return {"steps": 4}


def resnet(folder):
    """One step of training first, so that no tensor is as it was initialised."""
    folder = Path(folder)
    torch.manual_seed(0)
    model = MoCo(lambda: resnet18(num_classes=128), 128, 4096, 0.999, 0.07)
    optimizer = torch.optim.SGD(model.parameters(), 0.03, momentum=0.9, weight_decay=1e-4)
    loss = F.cross_entropy(model(*torch.randn(2, 8, 3, 64, 64), torch.randperm(8)), torch.zeros(8, dtype=torch.long))
    loss.backward()
    optimizer.step()
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    content = {"epoch": 1, "arch": "resnet18", "state_dict": state, "optimizer": optimizer.state_dict()}
    torch.save(content, folder / "resnet18.pth.tar")
    images = torch.randn(4, 3, 64, 64)
    model.encoder_q.eval()
    with torch.no_grad():
        torch.save({"images": images, "features": model.encoder_q(images)}, folder / "images.pt")
    return {"tensors": len(state)}


if __name__ == "__main__":
    checks = {"versions": versions, "files": files, "encoders": encoders, "resnet18": resnet, "views": views}
    print(json.dumps(checks[sys.argv[1]](*sys.argv[2:])))
