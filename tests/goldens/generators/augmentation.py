"""augmentation.json: views of a few images by torchvision's transforms of tensors, in f64, with parameters that are written down.

Boxes between pixels, which torchvision does not have, are PyTorch's grid_sample."""

import itertools

import torch
import torchvision.transforms.functional as F
from torch.nn.functional import grid_sample

from .record import Draw, encode

HEIGHT, WIDTH = 20, 24
COLUMNS = "top left height width flip jitter order brightness contrast saturation hue gray blur sigma".split()
NONE = dict(top=0, left=0, height=HEIGHT, width=WIDTH, flip=0, jitter=0, order=0) | dict(
    brightness=1, contrast=1, saturation=1, hue=0, gray=0, blur=0, sigma=1
)
JITTER = dict(jitter=1, brightness=1.3, contrast=0.7, saturation=1.35, hue=0.08)
STATISTICS = {
    3: {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    1: {"mean": [0.286], "std": [0.353]},
}
PLAIN = {3: {"mean": [0, 0, 0], "std": [1, 1, 1]}, 1: {"mean": [0], "std": [1]}}
ORDERS = list(itertools.permutations(range(4)))

# The order of the steps in each of MoCo's chains.
CHAINS = {
    "v1": ["crop", "gray", "jitter", "flip", "normalize"],
    "v2": ["crop", "jitter", "gray", "blur", "flip", "normalize"],
    "cifar": ["crop", "flip", "jitter", "gray", "normalize"],
}


def make():
    torch.set_default_dtype(torch.float64)  # the Gaussian's weights
    images = {"3": colours(), "1": colours()[:, :1]}
    result = {
        "columns": COLUMNS,
        **{f"images{channels}": encode(image) for channels, image in images.items()},
        "views": [view(images, **case) for case in cases()],
    }
    torch.set_default_dtype(torch.float32)
    return result


def colours():
    """[3, 3, 20, 24]: random bytes; pure colours, black and white, with ties; gray beside random bytes."""
    draw = Draw("augmentation")
    anything = draw.ints(0, 256, 3, HEIGHT, WIDTH)
    pure = torch.tensor([0, 128, 255], dtype=torch.int32)[draw.ints(0, 3, 3, HEIGHT, WIDTH).long()]
    gray = draw.ints(0, 256, 3, HEIGHT, WIDTH)
    gray[:, :, : WIDTH // 2] = gray[:1, :, : WIDTH // 2]
    return torch.stack([anything, pure, gray]).to(torch.uint8)


def cases():
    small = {"size": [5, 6]}
    yield {"name": "crop", "samples": boxes(), "size": [16, 16]}
    yield {"name": "crop, larger", "samples": boxes()[:2], "size": [23, 21]}
    yield {"name": "crop between pixels", "samples": boxes_between(), "size": [16, 16], "isSubpixel": True}
    yield {"name": "crop between pixels, larger", "samples": boxes_between(), "size": [31, 29], "isSubpixel": True}
    yield {"name": "flip", "samples": [{"flip": 1}], **small}
    for name, values in {
        "brightness": [0, 0.6, 1.4, 2.5],
        "contrast": [0, 0.6, 1.4, 2.5],
        "saturation": [0, 0.6, 1.4, 2.5],
        "hue": [-0.5, -0.1, 0, 1 / 3, 0.5],
    }.items():
        samples = [{"jitter": 1, name: short(value)} for value in values for _ in range(3)]
        yield {"name": name, "samples": samples, **small}
    yield {"name": "gray", "samples": [{"gray": 1}] * 3, **small}
    for taps, sigmas in {3: [0.1, 0.7, 2], 7: [0.1, 2]}.items():
        yield {"name": f"blur {taps}", "samples": [{"blur": 1, "sigma": sigma} for sigma in sigmas], "taps": taps, **small}
    yield {"name": "normalize", "samples": [{}], "isNormalized": True, **small}
    orders = [{**JITTER, "order": order} for order in range(24)]
    yield {"name": "orders", "samples": orders, "size": [5, 6]}
    for chain in CHAINS:
        for channels in [3, 1]:
            yield {"name": f"{chain}, {channels}", "chain": chain, "channels": channels, **whole()}
    fashion = {"brightness": 0.7, "contrast": 1.4, "order": 0}
    samples = [{**box, **fashion, "jitter": i % 2} for i, box in enumerate(boxes_between())]
    yield {"name": "fashionMnist", "chain": "cifar", "channels": 1, "samples": samples, "size": [20, 24], "isNormalized": True, "isSubpixel": True}


def whole():
    """Samples in which everything happens, and some in which it does not."""
    crop = {"top": 2, "left": 7, "height": 15, "width": 13}
    samples = [
        {**crop, **JITTER, "order": 7, "gray": 0, "blur": 1, "sigma": 1.3, "flip": 1},
        {**crop, **JITTER, "order": 22, "gray": 1, "blur": 1, "sigma": 0.4},
        {**crop, **JITTER, "order": 13, "contrast": 1.4, "hue": -0.1, "blur": 0},
        {**crop, **JITTER, "jitter": 0, "gray": 1, "flip": 1},
    ]
    return {"samples": samples, "size": [9, 10], "taps": 5, "isNormalized": True}


def boxes():
    return [
        {"top": 3, "left": 5, "height": 11, "width": 9},
        {"top": 0, "left": 0, "height": 20, "width": 24, "flip": 1},
        {"top": 19, "left": 23, "height": 1, "width": 1},
        {"top": 12, "left": 1, "height": 8, "width": 23},
    ]


def boxes_between():
    """In 1/65536 of a pixel, as they are drawn."""
    return [
        {"top": 3.25, "left": 5.0625, "height": 11.40625, "width": 9.5937347412109375},
        {"top": 0.0000152587890625, "left": 0, "height": 19.9999847412109375, "width": 24, "flip": 1},
        {"top": 19.5, "left": 23.75, "height": 0.5, "width": 0.25},
        {"top": 1.125, "left": 0.5, "height": 18.25, "width": 22.75},
    ]


def view(images, name, samples, size, chain="v2", channels=3, taps=1, isNormalized=False, isSubpixel=False):
    rows = torch.tensor([[{**NONE, **sample}[column] for column in COLUMNS] for sample in samples], dtype=torch.float32)
    index = torch.arange(len(samples), dtype=torch.int32) % 3
    statistics = (STATISTICS if isNormalized else PLAIN)[channels]
    steps = CHAINS[chain]
    taps = taps if "blur" in steps else 1
    outputs = []
    for image, row in zip(index, rows.double()):
        x = images[str(channels)][image].double() / 255
        for step in steps:
            x = STEPS[step](x, dict(zip(COLUMNS, row.tolist())), size=size, taps=taps, isSubpixel=isSubpixel, **statistics)
        outputs.append(torch.where(x.abs() < 1e-14, 0.0, x))  # what f64 leaves of a zero
    return {
        "name": name,
        "channels": channels,
        "attrs": {
            **{"size": size, "taps": taps, "isGrayFirst": steps.index("gray") < steps.index("jitter")},
            **{"isSubpixel": isSubpixel, **statistics},
        },
        "index": encode(index),
        "parameters": encode(rows),
        "output": encode(torch.stack(outputs)),
    }


def crop(x, own, size, isSubpixel, **_):
    if isSubpixel:
        rows, columns = (
            grid(own[start], own[length], count, side)
            for start, length, count, side in zip(["top", "left"], ["height", "width"], size, x.shape[1:])
        )
        places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        return grid_sample(x[None], places[None], padding_mode="border", align_corners=False)[0]
    top, left, height, width = (int(own[name]) for name in ["top", "left", "height", "width"])
    return F.resized_crop(x, top, left, height, width, size)


def grid(start, length, count, side):
    """Centres of `count` equal parts of a box, where -1 and 1 are the ends of the image."""
    edges = torch.linspace(start, start + length, count + 1)
    return (edges[:-1] + edges[1:]) / side - 1


def flip(x, own, **_):
    return F.hflip(x) if own["flip"] else x


def jitter(x, own, **_):
    names = ["brightness", "contrast", "saturation", "hue"]
    for number in ORDERS[int(own["order"])] if own["jitter"] else []:
        name = names[number]
        x = getattr(F, f"adjust_{name}")(x, own[name])
    return x


def gray(x, own, **_):
    return F.rgb_to_grayscale(x, len(x)) if own["gray"] else x


def blur(x, own, taps, **_):
    return F.gaussian_blur(x, [taps, taps], [own["sigma"]] * 2) if own["blur"] else x


def normalize(x, _own, mean, std, **_):
    return F.normalize(x, mean, std)


STEPS = {step.__name__: step for step in [crop, flip, jitter, gray, blur, normalize]}


def short(value):
    """What an f32 has of it."""
    return torch.tensor(value, dtype=torch.float32).item()
