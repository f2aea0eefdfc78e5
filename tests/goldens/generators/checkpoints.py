"""checkpoints.json: files of torch.save in both forms, and what is in them."""

import base64
import io
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from .record import Draw

DTYPES = {
    torch.float64: "f64",
    torch.float32: "f32",
    torch.float16: "f16",
    torch.bfloat16: "bf16",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.int16: "i16",
    torch.int8: "i8",
    torch.uint8: "u8",
    torch.bool: "bool",
}


def make():
    return [record(name, value) for name, value in values().items()]


def values():
    x = torch.arange(24.0).reshape(2, 3, 4)
    return {
        "dtypes": {str(dtype): of(dtype) for dtype in DTYPES},
        "views": views(x),
        "shared": {"whole": x, "row": x[1], "again": x.view(4, 6), "other": x.clone()},
        "module": module().state_dict(),
        "optimizer": optimizer_state(),
        "parameters": {"trained": nn.Parameter(x[0]), "frozen": nn.Parameter(x[1], requires_grad=False)},
        "numbers": numbers(),
        "nested": nested(),
        "keys": {"__proto__": {"toString": 1}, "constructor": 2, "a.b": 3, "ü😀": 4},
        "mixed keys": {0: "zero", "1": "one", -2: None, True: 2**70, 1.5: False},
        "tensor": x[0, 0],
        "number": 7,
        "many": {f"weight{i}": torch.full([i % 3], float(i)) for i in range(40)},
    }


def of(dtype):
    """Values that no other dtype holds, where there are some."""
    if dtype.is_floating_point:
        return torch.tensor([1.5, -0.0, float("inf"), float("nan"), torch.finfo(dtype).max, torch.finfo(dtype).tiny], dtype=dtype)
    if dtype == torch.bool:
        return torch.tensor([True, False, True])
    info = torch.iinfo(dtype)
    return torch.tensor([info.min, info.max, 0, 1], dtype=dtype)


def views(x):
    return {
        "transposed": x.transpose(0, 2),
        "permuted": x.permute(1, 2, 0),
        "narrowed": x[:, 1:, 2:],
        "every other": x[..., ::2],
        "expanded": x[:, :1, :1].expand(2, 3, 4),
        "diagonal": torch.diagonal(x, dim1=1, dim2=2),
        "scalar": x[1, 2, 3],
        "empty": x[:, 3:],
        "empty transposed": torch.zeros(0, 5).t(),
        "channels last": x.unsqueeze(0).contiguous(memory_format=torch.channels_last),
        "size of one": x[:, :1].transpose(0, 1),
    }


def module():
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    draw = Draw("checkpoints", "module")
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(draw.normal(*p.shape))
    return net


def optimizer_state():
    net = module()
    optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    net[0](torch.ones(4, 3)).sum().backward()  # the norm has no gradients
    optimizer.step()
    return {"epoch": 3, "arch": "tiny", "optimizer": optimizer.state_dict()}


def numbers():
    ints = [0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1]
    big = [2**53 - 1, 2**53, 2**53 + 1, -(2**53), 2**63 - 1, -(2**63), 2**64, -(2**100), 10**40]
    floats = [0.5, -0.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 3.0]
    return {"ints": ints, "big": big, "floats": floats}


def nested():
    both = [1, "two"]
    return OrderedDict(
        tuples=((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, (4, [5]))),
        lists=[[], [[]], [None, True, False]],
        dicts={"a": {"b": OrderedDict(c={})}},
        same=[both, both],
        size=torch.Size([2, 3]),
        dtype=torch.float32,
        devices=[torch.device("cpu"), torch.device("cuda", 1)],
    )


def record(name, value):
    return {"name": name, "zip": saved(value, True), "legacy": saved(value, False), "value": encode(value)}


def saved(value, new):
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=new)
    return base64.b64encode(file.getvalue()).decode()


def encode(value):
    """JSON: lists of what an object holds, `{kind: ...}` for what JSON has no word for."""
    if isinstance(value, torch.Tensor):
        bits = value.detach().contiguous()
        raw = bits.view(torch.int16) if bits.dtype == torch.bfloat16 else bits
        data = base64.b64encode(np.ascontiguousarray(raw.numpy()).tobytes()).decode()
        return {"tensor": {"dtype": DTYPES[value.dtype], "shape": list(value.shape), "data": data}}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    return value
