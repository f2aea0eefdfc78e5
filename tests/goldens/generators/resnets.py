"""resnets.json: names and shapes of ResNets' state, with 128 outputs."""

from torch import nn
from torchvision import models

from .record import DTYPES


def make():
    return {
        "resnet18": describe(models.resnet18(num_classes=128)),
        "resnet18Cifar": describe(cifar()),
        "resnet34": describe(models.resnet34(num_classes=128)),
        "resnet50": describe(models.resnet50(num_classes=128)),
    }


def cifar():
    """A 3x3 stem of stride 1, no max pool."""
    model = models.resnet18(num_classes=128)
    model.conv1 = nn.Conv2d(3, 64, 3, stride=1, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model


def describe(model):
    return {
        "parameterCount": sum(p.numel() for p in model.parameters()),
        "parameters": [name for name, _ in model.named_parameters()],
        "stateDict": [entry(name, tensor) for name, tensor in model.state_dict().items()],
    }


def entry(name, tensor):
    return {"name": name, "shape": list(tensor.shape), "dtype": DTYPES[tensor.dtype]}
