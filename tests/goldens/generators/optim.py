"""optim.json: trajectories of optimizers over given gradients, and learning rate schedules."""

import math

import torch

from .case import snake
from .record import Draw, camel, encode, encode_all, f32

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
    "one group of two with amsgrad": {
        "lr": 0.05,
        "betas": [0.9, 0.5],
        "groups": [{"params": ["a"]}, {"params": ["b", "c"], "amsgrad": True, "betas": [0.5, 0.6], "maximize": True}],
    },
}

RMSPROP = {
    "default": {},
    "weight decay": {"lr": 0.05, "weightDecay": 0.1},
    "momentum": {"lr": 0.02, "alpha": 0.9, "momentum": 0.9, "eps": 0.001},
    "centered": {"lr": 0.02, "alpha": 0.8, "centered": True},
    "centered momentum": {"lr": 0.02, "momentum": 0.5, "centered": True, "weightDecay": 0.1},
    "maximize": {"lr": 0.02, "maximize": True, "weightDecay": 0.1},
    "changing lr": {"lr": LR_PER_STEP, "momentum": 0.9},
    "two groups": {"lr": 0.02, "momentum": 0.9, "weightDecay": 0.1, "groups": TWO_GROUPS},
    "groups of several kinds": {
        "lr": 0.02,
        "groups": [{"params": ["a"], "momentum": 0.9}, {"params": ["b"], "centered": True}, {"params": ["c"]}],
    },
}

LARS_ROWS = {
    "default": {"lr": 2},
    "momentum weight decay": {"lr": 20, "momentum": 0.8, "weightDecay": 0.1},
    "no momentum": {"lr": 5, "momentum": 0, "weightDecay": 0.01},
    "trust coefficient": {"lr": 0.5, "trustCoefficient": 0.1},
    "changing lr": {"lr": [2, 2, 1, 1, 4, 0.2], "weightDecay": 0.05},
    "two groups": {"lr": 2, "weightDecay": 0.05, "groups": TWO_GROUPS},
}

CLASSICAL = {
    "plain": {"lr": 0.1, "momentum": 0},
    "momentum": {"lr": 0.1, "momentum": 0.9},
    "weight decay": {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.05},
    "changing lr": {"lr": LR_PER_STEP, "momentum": 0.9},
}


class LARS(torch.optim.Optimizer):
    """LARS (You et al. 2017, arXiv:1708.03888) as MoCo v3 has it: decay and adaptation for weights only, of two dimensions or more.

    d = grad + weight_decay * p, times trust_coefficient * |p| / |d| where both norms are positive; d = grad for one dimension
    mu = momentum * mu + d; p = p - lr * mu
    """

    def __init__(self, params, lr, momentum=0.9, weight_decay=0, trust_coefficient=0.001):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay, trust_coefficient=trust_coefficient))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.advance(p, group)

    def advance(self, p, group):
        direction = p.grad if p.dim() < 2 else self.adapted(p, group)
        state = self.state[p]
        state["mu"] = group["momentum"] * state.get("mu", torch.zeros_like(p)) + direction
        p -= group["lr"] * state["mu"]

    @staticmethod
    def adapted(p, group):
        direction = p.grad + group["weight_decay"] * p
        of_param, of_direction = p.norm(), direction.norm()
        both = of_param > 0 and of_direction > 0
        return direction * (group["trust_coefficient"] * of_param / of_direction) if both else direction


OPTIMIZERS = {
    torch.optim.SGD: SGD,
    torch.optim.Adam: ADAM,
    torch.optim.AdamW: ADAM,
    torch.optim.RMSprop: RMSPROP,
    LARS: LARS_ROWS,
}
RESUMED = "two groups"


def make():
    draw = Draw("optim")
    params = {name: draw.normal(*shape) for name, shape in SHAPES.items()}
    grads = [{name: step_grad(draw, name, step) for name in SHAPES} for step in range(STEPS)]
    return {
        "params": encode_all(params),
        "grads": [encode_all(g) for g in grads],
        **{
            make_optimizer.__name__: [trajectory(name, make_optimizer, options, params, grads) for name, options in rows.items()]
            for make_optimizer, rows in OPTIMIZERS.items()
        },
        "classical": [classical(name, options, params, grads) for name, options in CLASSICAL.items()],
        "schedules": [schedule(*row) for row in SCHEDULES],
        "chains": [chain(*row) for row in CHAINS],
        "composed": [composed(*row) for row in COMPOSED],
        "metrics": METRICS,
        "plateaus": [plateau(*row) for row in PLATEAUS],
        "resumed": [resumed(make_optimizer, params, grads) for make_optimizer in OPTIMIZERS],
        "special": special(),
        "clipping": [clipping(*row, grads) for row in CLIPPING],
        "averaged": averaged(),
        "updatedNorms": updated_norms(),
    }


def resumed(make_optimizer, params, grads):
    """What PyTorch saves after three steps, its tensors encoded, and the parameters then and after all steps."""
    options = OPTIMIZERS[make_optimizer][RESUMED]
    params = {name: p.double().requires_grad_() for name, p in params.items()}
    optimizer = make_optimizer(groups(options, params), **torch_options(options))
    for step in range(3):
        advance(optimizer, params, grads[step], options, step)
    before = encode_all(params)
    state = plain(optimizer.state_dict())
    for step in range(3, STEPS):
        advance(optimizer, params, grads[step], options, step)
    name = make_optimizer.__name__
    return {"optimizer": name, "options": options, "before": before, "stateDict": state, "after": encode_all(params)}


def plain(value):
    """A state dict as JSON: tensors encoded, keys as they are."""
    if torch.is_tensor(value):
        return encode(value)
    if isinstance(value, dict):
        return {str(key): plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(x) for x in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


SPECIAL_GRADS = [
    f32(float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-30, 1e30, 1.0),
    f32(1.0, 1.0, 1.0, 0.0, 0.0, 1e-30, 1e30, -1.0),
]
SPECIAL = {
    torch.optim.SGD: {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.1},
    torch.optim.Adam: {"amsgrad": True},
    torch.optim.AdamW: {},
    torch.optim.RMSprop: {"momentum": 0.9},
    LARS: {"lr": 0.1},
}


def special():
    """Two steps in f32 over gradients that overflow and the like, from parameters of 1."""
    runs = []
    for make_optimizer, options in SPECIAL.items():
        p = torch.ones(8, requires_grad=True)  # one dimension, so that LARS does not spread a NaN over all of them
        optimizer = make_optimizer([p], **torch_options(options))
        params = []
        for grad in SPECIAL_GRADS:
            p.grad = grad
            optimizer.step()
            params.append(encode(p))
        runs.append({"optimizer": make_optimizer.__name__, "options": options, "params": params})
    return {"grads": [encode(grad) for grad in SPECIAL_GRADS], "runs": runs}


AVERAGES = {
    "equal": {},
    "exponential": {"decay": 0.75},
    "a function": {"avgFn": "averaged / 2 + current / (2 + n)"},
    "equal, with buffers": {"useBuffers": True},
    "exponential, with buffers": {"decay": 0.75, "useBuffers": True},
}


def averaged():
    """State dicts of a small model, and of its averages after each of them."""
    draw = Draw("averaged")
    with torch.random.fork_rng():
        model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    states = []
    for step in range(5):
        state = {name: draw.normal(*x.shape) if x.is_floating_point() else torch.tensor(3 * step + 1) for name, x in model.state_dict().items()}
        states.append({name: x.reshape(model.state_dict()[name].shape) for name, x in state.items()})
    return {
        "states": [encode_all(state) for state in states],
        "runs": [{"name": name, "options": options, "averages": averages(states, options)} for name, options in AVERAGES.items()],
    }


def averages(states, options):
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
    model.load_state_dict(states[0])
    functions = {
        "decay": lambda averaged, current, n: options["decay"] * averaged + (1 - options["decay"]) * current,
        "avgFn": lambda averaged, current, n: averaged / 2 + current / (2 + n),
    }
    function = next((functions[key] for key in functions if key in options), None)
    average = torch.optim.swa_utils.AveragedModel(model, avg_fn=function, use_buffers=options.get("useBuffers", False))
    history = []
    for state in states[1:]:
        model.load_state_dict(state)
        average.update_parameters(model)
        history.append(encode_all(average.state_dict()))
    return history


def updated_norms():
    """A small model's state before and after `update_bn` over given batches."""
    draw = Draw("update_bn")
    with torch.random.fork_rng():
        model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2, momentum=0.3)).double()
    for x in model.state_dict().values():
        x.copy_(draw.normal(*x.shape) if x.is_floating_point() else torch.tensor(4))
    before = encode_all(model.state_dict())
    batches = [draw.normal(n, 3) for n in (4, 4, 2)]
    torch.optim.swa_utils.update_bn([(x.double(), None) for x in batches], model)
    return {"before": before, "batches": [encode(x) for x in batches], "after": encode_all(model.state_dict())}


# name, the step whose gradients are clipped, function, options
CLIPPING = [
    ("norm", 1, "clip_grad_norm_", {"maxNorm": 1}),
    ("norm, large enough", 1, "clip_grad_norm_", {"maxNorm": 100}),
    ("norm of one parameter", 0, "clip_grad_norm_", {"maxNorm": 0.1}),
    ("norm to nothing", 1, "clip_grad_norm_", {"maxNorm": 0}),
    ("sum of magnitudes", 2, "clip_grad_norm_", {"maxNorm": 1, "normType": 1}),
    ("largest magnitude", 2, "clip_grad_norm_", {"maxNorm": 0.5, "normType": math.inf}),
    ("smallest magnitude", 2, "clip_grad_norm_", {"maxNorm": 0.01, "normType": -math.inf}),
    ("cubes", 4, "clip_grad_norm_", {"maxNorm": 1, "normType": 3}),
    ("roots", 4, "clip_grad_norm_", {"maxNorm": 1, "normType": 0.5}),
    ("reciprocals", 4, "clip_grad_norm_", {"maxNorm": 0.001, "normType": -1}),
    ("value", 4, "clip_grad_value_", {"clipValue": 0.4}),
    ("value 0", 4, "clip_grad_value_", {"clipValue": 0}),
    ("norm, NaN", "nan", "clip_grad_norm_", {"maxNorm": 1}),
    ("largest magnitude, NaN", "nan", "clip_grad_norm_", {"maxNorm": 1, "normType": math.inf}),
    ("norm, infinity", "inf", "clip_grad_norm_", {"maxNorm": 1}),
    ("largest magnitude, infinity", "inf", "clip_grad_norm_", {"maxNorm": 1, "normType": math.inf}),
    ("norm, zeros", "zeros", "clip_grad_norm_", {"maxNorm": 1}),
    ("value, NaN", "nan", "clip_grad_value_", {"clipValue": 0.4}),
    ("value, infinity", "inf", "clip_grad_value_", {"clipValue": 0.4}),
]
CLIPPED = {
    "nan": {"a": f32(1, -2, 3, 0.5, float("nan"), 0).reshape(2, 3), "b": f32(1, -1, 0, 0, 2), "c": None},
    "inf": {"a": f32(1, -2, 3, 0.5, 0, 1).reshape(2, 3), "b": f32(1, -math.inf, 0, -0.0, 2), "c": None},
    "zeros": {"a": torch.zeros(2, 3), "b": torch.zeros(5), "c": torch.zeros(2)},
}


def clipping(name, which, function, options, grads):
    """Gradients before and after, and the norm that is returned."""
    before = CLIPPED[which] if which in CLIPPED else grads[which]
    params = {key: torch.zeros(shape, dtype=torch.float64, requires_grad=True) for key, shape in SHAPES.items()}
    for key, p in params.items():
        p.grad = None if before[key] is None else before[key].double()
    norm = getattr(torch.nn.utils, function)(params.values(), **torch_options(options))
    after = {key: p.grad for key, p in params.items()}
    record = {"name": name, "function": camel(function.rstrip("_")) + "_", "options": {k: plain(v) for k, v in options.items()}}
    return record | {"before": encode_all(before), "norm": encode(norm), "after": encode_all(after)}


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
    return {key: torch.as_tensor(value).clone() for key, value in state.items() if value is not None} if state else None


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
    ("MultiplicativeLR", [0.1, 0.02], {"rule": "0.9 if step % 3 else 0.5"}),
    ("ConstantLR", [0.1], {}),
    ("ConstantLR", [0.1, 0.02], {"factor": 0.125, "totalIters": 8}),
    ("PolynomialLR", [0.1], {}),
    ("PolynomialLR", [0.1, 0.02], {"totalIters": 20, "power": 2.5}),
    ("CosineAnnealingWarmRestarts", [0.1], {"t0": 7}),
    ("CosineAnnealingWarmRestarts", [0.1, 0.02], {"t0": 4, "tMult": 2, "etaMin": 0.005}),
    ("OneCycleLR", [0.1], {"maxLr": 0.5, "totalSteps": 30}),
    ("OneCycleLR", [0.1, 0.02], {"maxLr": [0.5, 0.2], "epochs": 3, "stepsPerEpoch": 12, "pctStart": 0.25, "threePhase": True}),
    ("OneCycleLR", [0.1], {"maxLr": 0.5, "totalSteps": 31, "annealStrategy": "linear", "divFactor": 10, "finalDivFactor": 50}),
    ("OneCycleLR", [0.1, 0.02], {"maxLr": 1, "totalSteps": 30, "maxMomentum": [0.9, 0.8], "baseMomentum": [0.5, 0.6]}),
    ("OneCycleLR", [0.1], {"maxLr": 0.5, "totalSteps": 30, "cycleMomentum": False}),
    ("CyclicLR", [0.1], {"baseLr": 0.01, "maxLr": 0.5, "stepSizeUp": 4}),
    (
        "CyclicLR",
        [0.1, 0.02],
        {"baseLr": [0.1, 0.2], "maxLr": [0.5, 0.7], "stepSizeUp": 3, "stepSizeDown": 5, "mode": "triangular2", "baseMomentum": [0.5, 0.6], "maxMomentum": 0.95},
    ),
    ("CyclicLR", [0.1], {"baseLr": 0.01, "maxLr": 0.5, "stepSizeUp": 5, "mode": "exp_range", "gamma": 0.95, "cycleMomentum": False}),
    ("CyclicLR", [0.1], {"baseLr": 0.01, "maxLr": 0.5, "stepSizeUp": 4, "stepSizeDown": 2, "rule": "min(1, (step + 1) / 5)"}),
    ("CyclicLR", [0.1], {"baseLr": 0.01, "maxLr": 0.5, "stepSizeUp": 4, "rule": "0.9 if step % 3 else 0.5", "scaleMode": "iterations"}),
    ("SWALR", [0.1, 0.02], {"swaLr": 0.05}),
    ("SWALR", [0.1, 0.02], {"swaLr": [0.3, 0.01], "annealEpochs": 4, "annealStrategy": "linear"}),
    ("SWALR", [0.1], {"swaLr": 0.05, "annealEpochs": 0}),
]

# name, class, its parts, milestones
COMPOSED = [
    ("warm-up, then a cosine", "SequentialLR", [("LinearLR", {"startFactor": 0.1, "totalIters": 5}), ("CosineAnnealingLR", {"tMax": 10})], [5]),
    (
        "three after each other",
        "SequentialLR",
        [("ConstantLR", {"factor": 0.5, "totalIters": 20}), ("ExponentialLR", {"gamma": 0.9}), ("StepLR", {"stepSize": 2, "gamma": 0.5})],
        [3, 8],
    ),
    (
        "functions and restarts after each other",
        "SequentialLR",
        [
            ("LambdaLR", {"rule": "min(1, (step + 1) / 5)"}),
            ("MultiplicativeLR", {"rule": "0.9 if step % 3 else 0.5"}),
            ("CosineAnnealingWarmRestarts", {"t0": 3}),
        ],
        [4, 9],
    ),
    ("polynomials", "SequentialLR", [("PolynomialLR", {"totalIters": 4}), ("MultiStepLR", {"milestones": [2, 3], "gamma": 0.5}), ("PolynomialLR", {"totalIters": 3, "power": 2})], [4, 8]),
    ("chained", "ChainedScheduler", [("ConstantLR", {"factor": 0.1, "totalIters": 2}), ("ExponentialLR", {"gamma": 0.9})], None),
    ("three chained", "ChainedScheduler", [("CosineAnnealingLR", {"tMax": 12}), ("StepLR", {"stepSize": 4, "gamma": 0.5}), ("LinearLR", {})], None),
]

METRICS = [5, 4, 3.9999, 4, 4.1, 3.2, 3.3, 3.4, 3.1995, 3.5, "nan", 3.2, 3, 3, 3, 2.99, 2.98, 2.97, 2.96, 2.9, 5, 5, 5, 5, 5]
PLATEAUS = [
    ([0.1], {"patience": 2}),
    ([0.1, 0.02], {"patience": 0, "factor": 0.5, "minLr": [0.001, 0.01]}),
    ([0.1], {"patience": 1, "threshold": 0.05, "cooldown": 2, "factor": 0.9}),
    ([0.1], {"patience": 1, "threshold": 0.05, "thresholdMode": "abs"}),
    ([0.1], {"patience": 1, "mode": "max"}),
    ([0.1], {"patience": 2, "mode": "max", "thresholdMode": "abs", "threshold": 0.5, "eps": 1e-4}),
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
    """lr[t][group]: what step t trains with; and after a jump to step 17, for groups of a new optimizer."""
    optimizer, scheduler = scheduled(name, lr, options)
    record = {"schedule": name, "lr": lr, "options": options}
    with_momentum = name in ("OneCycleLR", "CyclicLR") and options.get("cycleMomentum", True)
    momenta = []
    lrs = []
    for _ in range(30):
        momenta.append([group["momentum"] for group in optimizer.param_groups])
        lrs.append(train_with(optimizer, [scheduler]))
    record |= {"lrs": lrs}
    if name != "SWALR":  # which goes on by one, whatever the step
        jumping, scheduler = scheduled(name, lr, options)
        scheduler.step(17)
        record |= {"jump": [group["lr"] for group in jumping.param_groups]}
    if not with_momentum:
        return record
    if name == "CyclicLR":  # 1.13 has it for momentum only, 2.0 for betas too
        return record | {"momenta": momenta}
    adam, scheduler = scheduled(name, lr, options, torch.optim.Adam)
    for step in range(30):
        assert [group["betas"][0] for group in adam.param_groups] == momenta[step]
        train_with(adam, [scheduler])
    return record | {"momenta": momenta}


def scheduled(name, lr, options, make_optimizer=torch.optim.SGD):
    optimizer = make_optimizer([{"params": [torch.zeros(1)], "lr": x} for x in lr], lr=0.1)
    return optimizer, build(optimizer, name, options)


def composed(name, kind, parts, milestones):
    """lr[t][group]: what step t trains with."""
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": x} for x in (1.0, 0.1)], lr=0.1)
    schedulers = [build(optimizer, each, options) for each, options in parts]
    make = getattr(torch.optim.lr_scheduler, kind)
    scheduler = make(schedulers) if milestones is None else make(optimizer, schedulers, milestones)
    lrs = [train_with(optimizer, [scheduler]) for _ in range(15)]
    described = [{"schedule": each, "options": options} for each, options in parts]
    return {"name": name, "kind": kind, "schedules": described, "milestones": milestones, "lrs": lrs}


def plateau(lr, options):
    """lr[t][group] after the t-th of METRICS."""
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": x} for x in lr], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **schedule_options(options))
    lrs = []
    for metric in METRICS:
        scheduler.step(float(metric))
        lrs.append([group["lr"] for group in optimizer.param_groups])
    return {"lr": lr, "options": options, "lrs": lrs}


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
    make = torch.optim.swa_utils.SWALR if name == "SWALR" else getattr(torch.optim.lr_scheduler, name)
    return make(optimizer, **schedule_options(options))


def schedule_options(options):
    named = {"tMax": "T_max", "t0": "T_0", "tMult": "T_mult", "rule": "scale_fn" if "maxLr" in options else "lr_lambda"}
    return {named.get(key) or snake(key): rule(value) if key == "rule" else value for key, value in options.items()}


def rule(text):
    known = {"cos": math.cos, "pi": math.pi, "min": min}
    return lambda step: eval(text, known | {"step": step})


def train_with(optimizer, schedulers):
    lrs = [group["lr"] for group in optimizer.param_groups]
    optimizer.step()
    for scheduler in schedulers:
        scheduler.step()
    return lrs
