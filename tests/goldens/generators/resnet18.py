"""resnet18.json: names and shapes of ResNet-18's state, for ImageNet and for CIFAR, with 128 outputs."""

from torch import nn
from torchvision.models import resnet18

from .record import DTYPES


def make():
    return {"resnet18": describe(resnet18(num_classes=128)), "resnet18Cifar": describe(cifar())}


def cifar():
    """A 3x3 stem of stride 1, no max pool."""
    model = resnet18(num_classes=128)
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
