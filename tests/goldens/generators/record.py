"""Random inputs, and tensors and files as JSON."""

import json
import math
import zlib

import numpy as np
import torch

DTYPES = {
    torch.float64: "f32",  # computed in f64, rounded once
    torch.float32: "f32",
    torch.int64: "i32",
    torch.int32: "i32",
    torch.uint8: "u8",
    torch.bool: "bool",
}


class Draw:
    """Random tensors from a stream of their own. RandomState, because numpy never changes its streams."""

    def __init__(self, *names):
        self.random = np.random.RandomState(zlib.crc32("/".join(names).encode()))

    def normal(self, *shape):
        return self._short(self.random.standard_normal(shape))

    def uniform(self, low, high, *shape):
        return self._short(self.random.uniform(low, high, shape))

    def ints(self, low, high, *shape):
        """Integers in [low, high)."""
        return torch.tensor(self.random.randint(low, high, shape), dtype=torch.int32)

    def bools(self, *shape):
        return self.ints(0, 2, *shape).bool()

    def distinct(self, *shape):
        """Floats of which no two are equal: every order is known."""
        order = torch.tensor(self.random.permutation(math.prod(shape)))
        return ((order - len(order) // 2) * 0.37).float().reshape(shape)

    @staticmethod
    def _short(values):
        """Three decimals keep the files small, and as f32 still fill the mantissa."""
        return torch.tensor(np.round(values, 3), dtype=torch.float32)


def f32(*values):
    return torch.tensor(values, dtype=torch.float32)


def i32(*values):
    return torch.tensor(values, dtype=torch.int32)


def encode(tensor, dtype=None):
    """{shape, dtype, data}: data flat in row-major order, null for None."""
    if tensor is None:
        return None
    dtype = dtype or DTYPES[tensor.dtype]
    flat = tensor.detach().contiguous().reshape(-1)
    if dtype == "f32":
        # rounded as torch does, out of range to infinity
        data = [encode_float(x) for x in flat.to(torch.float32).numpy()]
    else:
        data = [int(x) for x in flat]
    return {"shape": list(tensor.shape), "dtype": dtype, "data": data}


def encode_float(x):
    """The shortest decimal that reads back (as a double, rounded to f32) to the same f32."""
    if not np.isfinite(x):
        return str(x)  # nan, inf, -inf
    value = float(str(x))
    assert np.float32(value) == x
    negative_zero = value == 0 and math.copysign(1, value) < 0
    return int(value) if value.is_integer() and abs(value) < 2**24 and not negative_zero else value


def encode_all(tensors):
    """A state dict or the like: name -> tensor."""
    return {name: encode(tensor) for name, tensor in tensors.items()}


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def write(path, content):
    path.write_text(pretty(content, 0) + "\n")


def pretty(content, depth):
    """One line per entry, and per item of a list of objects, so that a diff shows which one changed."""
    indent = " " * (depth + 1)
    if isinstance(content, dict) and "data" not in content and depth < 3:
        rows = [f"{json.dumps(key)}: {pretty(x, depth + 1)}" for key, x in content.items()]
        return "{\n" + ",\n".join(indent + row for row in rows) + "\n" + indent[1:] + "}"
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return "[\n" + ",\n".join(indent + compact(x) for x in content) + "\n" + indent[1:] + "]"
    return compact(content)


def compact(content):
    return json.dumps(content, separators=(",", ":"), allow_nan=False)
