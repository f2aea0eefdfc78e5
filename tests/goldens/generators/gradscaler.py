"""gradScaler.json: what torch.cuda.amp.GradScaler does with a parameter whose gradients are now and then not finite.

PyTorch 1.13 has its two kernels for CUDA only: they are written out here after their definitions, on the CPU; the class is PyTorch's.
"""

import math

import torch
from torch.cuda.amp import grad_scaler
from torch.cuda.amp.grad_scaler import GradScaler

START = [0.5, -1.5]
LR = 0.25
MOMENTUM = 0.5


class CpuGradScaler(GradScaler):
    def scale(self, outputs):
        if self._scale is None:
            self._lazy_init_scale_growth_tracker(outputs.device)
        return outputs * self._scale

    def _unscale_grads_(self, optimizer, inv_scale, found_inf, allow_fp16):
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        for grad in grads:
            if not torch.isfinite(grad).all():
                found_inf.fill_(1)
            grad.mul_(inv_scale)
        return {torch.device("cpu"): found_inf}


def update_scale(scale, tracker, found_inf, growth_factor, backoff_factor, growth_interval):
    """aten/src/ATen/native/cuda/AmpKernels.cu: amp_update_scale_cuda_kernel"""
    if found_inf.item():
        scale.mul_(backoff_factor)
        tracker.zero_()
        return scale
    if tracker.item() + 1 < growth_interval:
        tracker.add_(1)
        return scale
    grown = (scale * growth_factor).item()
    if math.isfinite(grown):
        scale.fill_(grown)
    tracker.zero_()
    return scale


OPTIONS = {"init_scale": 8.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2}
FINE = [1.0, -0.5]
RUNS = {
    "grows after an interval": ({}, [FINE] * 5),
    "falls, and counts anew": ({}, [FINE, [math.inf, 1.0], FINE, FINE, [1.0, math.nan], [-math.inf, 0.0]]),
    "other factors": ({"growth_factor": 3.0, "backoff_factor": 0.3, "growth_interval": 1}, [FINE, FINE, [math.nan, 1.0], FINE]),
    "grows to no infinity": ({"init_scale": 2.0**127, "growth_interval": 1}, [[2.0**-120, 0.0]] * 3),
    "overflows": ({"init_scale": 2.0**100}, [[2.0**40, 1.0]] * 2 + [FINE]),
}


def make():
    grad_scaler.amp_definitely_not_available = lambda: False
    torch._amp_update_scale_ = update_scale
    return {
        "start": START,
        "lr": LR,
        "momentum": MOMENTUM,
        "defaults": CpuGradScaler().state_dict(),
        "runs": [run(name, OPTIONS | options, slopes) for name, (options, slopes) in RUNS.items()],
    }


def run(name, options, slopes):
    parameter = torch.nn.Parameter(torch.tensor(START))
    optimizer = torch.optim.SGD([parameter], lr=LR, momentum=MOMENTUM)
    scaler = CpuGradScaler(**options)
    return {"name": name, "options": options, "steps": [step(parameter, optimizer, scaler, each) for each in slopes]}


def step(parameter, optimizer, scaler, slopes):
    optimizer.zero_grad(set_to_none=True)
    scaler.scale((parameter * torch.tensor(slopes)).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    return {
        "slopes": [each if math.isfinite(each) else str(each) for each in slopes],
        "parameter": parameter.tolist(),
        "state": scaler.state_dict(),
    }
