"""One golden case of an op: inputs, output and gradients, computed by PyTorch in float64."""

import re
from dataclasses import dataclass
from typing import Optional, Tuple

import torch
import torch.nn.functional as F

from .record import Draw, encode


@dataclass
class Input:
    """A tensor to record, and how the op sees it."""

    tensor: torch.Tensor
    dtype: Optional[str] = None  # where PyTorch lacks the dtype: u32, held in int64
    permute: Optional[Tuple[int, ...]] = None  # the op gets tensor.permute(permute), which is not contiguous
    constant: bool = False  # a float that gets no gradient

    def leaf(self):
        """What the gradient is taken of: the tensor as recorded, in f64 if it is a float."""
        if not self.tensor.is_floating_point():
            return self.tensor
        return self.tensor.double().requires_grad_(not self.constant)

    def record(self):
        return encode(self.tensor, self.dtype) | ({"permute": list(self.permute)} if self.permute else {})


def permuted(tensor, *dims):
    return Input(tensor, permute=dims)


def constant(tensor):
    return Input(tensor, constant=True)


def u32(*values):
    return Input(torch.tensor(values, dtype=torch.int64), dtype="u32")


def case(op, name, inputs, fn=None, *, grad=True, record_as=None, **args):
    """fn(*tensors, **args in PyTorch's words) returns the output, or the output and a dict of further fields."""
    fn = fn or torch_function(op)
    inputs = [x if isinstance(x, Input) or x is None else Input(x) for x in inputs]
    leaves = [x and x.leaf() for x in inputs]
    result = fn(*map(seen_by_op, inputs, leaves), **torch_args(args))
    output, extra = result if isinstance(result, tuple) else (result, {})
    record = {"op": op, "name": name, "inputs": [x and x.record() for x in inputs], "args": args}
    record |= {"output": encode(output, record_as)} | extra
    if grad and output.requires_grad:
        record |= gradients(Draw(op, name, "gradOut"), output, leaves)
    return record


def seen_by_op(described, leaf):
    return leaf.permute(described.permute) if described and described.permute else leaf


def gradients(draw, output, leaves):
    grad_out = draw.normal(*output.shape)
    wanted = [x for x in leaves if x is not None and x.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, grad_out.double(), allow_unused=True))
    grads = [next(found) if x is not None and x.requires_grad else None for x in leaves]
    return {"gradOut": encode(grad_out), "gradInputs": [encode(x) for x in grads]}


def torch_function(op):
    return getattr(torch, snake(op), None) or getattr(F, snake(op))


def torch_args(args):
    return {"keepdim" if key == "keepDim" else snake(key): value for key, value in args.items()}


DTYPES = {"f32": torch.float64, "i32": torch.int32, "u8": torch.uint8, "bool": torch.bool}


def typed(fn):
    """A function with an option dtype, which cases name as flywheel does."""

    def with_dtype(*inputs, dtype=None, **args):
        return fn(*inputs, **args, **({"dtype": DTYPES[dtype]} if dtype else {}))

    return with_dtype


def with_indices(fn):
    """A function that returns values and their indices."""

    def values_first(*inputs, **args):
        values, indices = fn(*inputs, **args)
        return values, {"indices": encode(indices)}

    return values_first


def snake(name):
    """maxPool2d -> max_pool2d"""
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
