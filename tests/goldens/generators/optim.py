"""optim.json: trajectories of optimizers over given gradients, and learning rate schedules."""

import math

import torch

from .case import snake
from .record import Draw, camel, encode, encode_all

STEPS = 6
SHAPES = {"a": [2, 3], "b": [5], "c": [2]}
WITHOUT_GRAD = {"b": (0, 3), "c": range(STEPS)}  # steps at which a parameter has no gradient
TWO_GROUPS = [{"params": ["a"]}, {"params": ["b", "c"], "lr": 0.01, "weightDecay": 0.2}]
LR_PER_STEP = [0.1, 0.1, 0.05, 0.05, 0.2, 0.01]

SGD = {
    "plain": {"lr": 0.1},
    "momentum": {"lr": 0.1, "momentum": 0.9},
    "weight decay": {"lr": 0.1, "weightDecay": 0.05},
    "momentum weight decay": {"lr": 0.03, "momentum": 0.9, "weightDecay": 0.0001},
    "dampening": {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    "dampening weight decay": {"lr": 0.1, "momentum": 0.8, "dampening": 1, "weightDecay": 0.05},
    "nesterov": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "nesterov weight decay": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.05},
    "maximize": {"lr": 0.1, "maximize": True},
    "maximize momentum": {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weightDecay": 0.05, "maximize": True},
    "maximize nesterov": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.05, "maximize": True},
    "changing lr": {"lr": LR_PER_STEP, "momentum": 0.9, "weightDecay": 0.05},
    "changing lr nesterov": {"lr": LR_PER_STEP, "momentum": 0.9, "nesterov": True},
    "two groups": {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.05, "groups": TWO_GROUPS},
}

ADAM = {
    "default": {},
    "lr betas eps": {"lr": 0.05, "betas": [0.8, 0.95], "eps": 0.001},
    "weight decay": {"lr": 0.05, "weightDecay": 0.1},
    "amsgrad": {"lr": 0.05, "amsgrad": True, "betas": [0.9, 0.5]},
    "maximize": {"lr": 0.05, "maximize": True, "weightDecay": 0.1},
    "changing lr": {"lr": LR_PER_STEP, "weightDecay": 0.01},
    "two groups": {"lr": 0.05, "weightDecay": 0.1, "groups": TWO_GROUPS},
}

CLASSICAL = {
    "plain": {"lr": 0.1, "momentum": 0},
    "momentum": {"lr": 0.1, "momentum": 0.9},
    "weight decay": {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.05},
    "changing lr": {"lr": LR_PER_STEP, "momentum": 0.9},
}


def make():
    draw = Draw("optim")
    params = {name: draw.normal(*shape) for name, shape in SHAPES.items()}
    grads = [{name: step_grad(draw, name, step) for name in SHAPES} for step in range(STEPS)]
    return {
        "params": encode_all(params),
        "grads": [encode_all(g) for g in grads],
        "SGD": [trajectory(name, torch.optim.SGD, options, params, grads) for name, options in SGD.items()],
        "Adam": [trajectory(name, torch.optim.Adam, options, params, grads) for name, options in ADAM.items()],
        "AdamW": [trajectory(name, torch.optim.AdamW, options, params, grads) for name, options in ADAM.items()],
        "classical": [classical(name, options, params, grads) for name, options in CLASSICAL.items()],
        "schedules": [schedule(*row) for row in SCHEDULES],
        "chains": [chain(*row) for row in CHAINS],
    }


def step_grad(draw, name, step):
    return None if step in WITHOUT_GRAD.get(name, ()) else draw.normal(*SHAPES[name])


def trajectory(name, make_optimizer, options, params, grads):
    return record(name, options, run(make_optimizer, options, params, grads))


def record(name, options, history):
    """Parameters and optimizer state after each step, in f64."""
    return {
        "name": name,
        "options": options,
        "params": [encode_all(params) for params, _ in history],
        "state": [{name: s and encode_state(s) for name, s in state.items()} for _, state in history],
    }


def encode_state(state):
    """Adam's step is a tensor of PyTorch's, here a number."""
    tensors = {camel(key): value for key, value in state.items()}
    return {key: int(value) if key == "step" else encode(value) for key, value in tensors.items()}


def run(make_optimizer, options, params, grads):
    params = {name: p.double().requires_grad_() for name, p in params.items()}
    optimizer = make_optimizer(groups(options, params), **torch_options(options))
    return [advance(optimizer, params, grads[step], options, step) for step in range(STEPS)]


def groups(options, params):
    described = options.get("groups", [{"params": list(params)}])
    return [torch_options(group) | {"params": [params[name] for name in group["params"]]} for group in described]


def torch_options(options):
    named = {snake(key): value for key, value in options.items() if key not in ("groups", "params")}
    return named | ({"lr": lr_at(named["lr"], 0)} if "lr" in named else {})


def lr_at(lr, step):
    return lr[step] if isinstance(lr, list) else lr


def advance(optimizer, params, grads, options, step):
    if isinstance(options.get("lr"), list):
        optimizer.param_groups[0]["lr"] = options["lr"][step]
    for name, p in params.items():
        p.grad = None if grads[name] is None else grads[name].double()
    optimizer.step()
    state = {name: copy_state(optimizer.state.get(p)) for name, p in params.items()}
    return {name: p.detach().clone() for name, p in params.items()}, state


def copy_state(state):
    """None for a parameter that never had a gradient."""
    return {key: value.clone() for key, value in state.items() if value is not None} if state else None


def classical(name, options, params, grads):
    """v = mu v - lr g; w = w + v, with g + decay w for g: lr inside the velocity, unlike PyTorch's SGD."""
    return record(name, options, run_classical(options, params, grads))


def run_classical(options, params, grads):
    w = {name: p.double() for name, p in params.items()}
    v = {name: None for name in params}
    history = []
    for step in range(STEPS):
        for name, g in grads[step].items():
            if g is not None:
                w[name], v[name] = classical_step(options, step, w[name], v[name], g.double())
        history.append((dict(w), {name: None if x is None else {"velocity": x} for name, x in v.items()}))
    return history


def classical_step(options, step, w, v, g):
    g = g + options.get("weightDecay", 0) * w
    v = (0 if v is None else options["momentum"] * v) - lr_at(options["lr"], step) * g
    return w + v, v


# name, the optimizer's lr per group, PyTorch's class, options; a rule is Python for LambdaLR's lr_lambda
SCHEDULES = [
    ("StepLR", [0.1], {"stepSize": 7, "gamma": 0.5}),
    ("MultiStepLR", [0.1, 0.02], {"milestones": [4, 12, 13], "gamma": 0.1}),
    ("CosineAnnealingLR", [0.06], {"tMax": 30}),
    ("CosineAnnealingLR", [0.1, 0.02], {"tMax": 12, "etaMin": 0.005}),
    ("ExponentialLR", [0.1], {"gamma": 0.9}),
    ("LinearLR", [0.1], {"startFactor": 0.25, "endFactor": 1.0, "totalIters": 10}),
    ("LinearLR", [0.1], {}),
    ("LambdaLR", [0.1, 0.02], {"rule": "min(1, (step + 1) / 5)"}),
    ("LambdaLR", [0.03], {"rule": "0.5 * (1 + cos(pi * step / 30))"}),
    ("LambdaLR", [0.1], {"rule": "(step + 1) / 6 if step < 5 else 0.5 * (1 + cos(pi * (step - 5) / 25))"}),
]


# what else changes rates: schedules on one optimizer, the step before which a group is added, or a rate set by hand
CHAINS = [
    ("warm-up and decay", [("LinearLR", {"startFactor": 0.1, "totalIters": 4}), ("ExponentialLR", {"gamma": 0.9})], {}),
    ("cosine and drops", [("CosineAnnealingLR", {"tMax": 12}), ("MultiStepLR", {"milestones": [5], "gamma": 0.1})], {}),
    ("a group added to StepLR", [("StepLR", {"stepSize": 2, "gamma": 0.5})], {"groupAt": 3}),
    ("a group added to ExponentialLR", [("ExponentialLR", {"gamma": 0.9})], {"groupAt": 3}),
    ("a group added to CosineAnnealingLR", [("CosineAnnealingLR", {"tMax": 10})], {"groupAt": 3}),
    ("a group added to LinearLR", [("LinearLR", {})], {"groupAt": 3}),
    ("a group added to LambdaLR", [("LambdaLR", {"rule": "min(1, (step + 1) / 5)"})], {"groupAt": 3}),
    ("a rate set by hand", [("CosineAnnealingLR", {"tMax": 10, "etaMin": 0.01})], {"byHandAt": 4}),
]


def schedule(name, lr, options):
    """lr[t][group]: what step t trains with."""
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": x} for x in lr], lr=0.1)
    scheduler = build(optimizer, name, options)
    lrs = [train_with(optimizer, [scheduler]) for _ in range(30)]
    return {"schedule": name, "lr": lr, "options": options, "lrs": lrs}


def chain(name, schedules, events):
    """As schedule, with several on one optimizer, and events on the way."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedulers = [build(optimizer, each, options) for each, options in schedules]
    lrs = []
    for step in range(15):
        if step == events.get("groupAt"):
            optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 0.5})
        if step == events.get("byHandAt"):
            optimizer.param_groups[0]["lr"] = 0.3
        lrs.append(train_with(optimizer, schedulers))
    described = [{"schedule": each, "options": options} for each, options in schedules]
    return {"name": name, "schedules": described, **events, "lrs": lrs}


def build(optimizer, name, options):
    return getattr(torch.optim.lr_scheduler, name)(optimizer, **schedule_options(options))


def schedule_options(options):
    if "rule" in options:
        known = {"cos": math.cos, "pi": math.pi, "min": min}
        return {"lr_lambda": lambda step: eval(options["rule"], known | {"step": step})}
    return {"T_max" if key == "tMax" else snake(key): value for key, value in options.items()}


def train_with(optimizer, schedulers):
    lrs = [group["lr"] for group in optimizer.param_groups]
    optimizer.step()
    for scheduler in schedulers:
        scheduler.step()
    return lrs
