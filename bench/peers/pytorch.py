"""The rows in PyTorch, on one thread of the CPU: a process that is told what to do in lines of JSON.

Requests: {"do": "open", "kind": ..., "inputs": ..., "constants": ...}, "sample", "read", "state", each answered by one line. Arrays pass as files of raw f32 or i32 values; the folder for them is the only argument.
"""

import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)


def loaded(value):
    """The inputs as tensors: files are named by {"file", "shape", "dtype"}."""
    if isinstance(value, list):
        return [loaded(each) for each in value]
    if "file" in value:
        data = np.fromfile(value["file"], dtype=value["dtype"]).reshape(value["shape"])
        return torch.from_numpy(data)
    return {name: loaded(each) for name, each in value.items()}


class Op:
    """A function of tensors whose results are kept until the next run."""

    def __init__(self, compute):
        self.compute = compute
        self.results = {}

    def run(self):
        self.results = self.compute()

    def read(self):
        return self.results


class Training:
    """Steps of SGD over copies of some values; `forward` gives the loss from the list of parameters."""

    def __init__(self, names, values, forward, constants):
        self.names = names
        self.params = [value.clone().requires_grad_() for value in values]
        self.forward = forward
        self.optimizer = torch.optim.SGD(self.params, lr=constants["LEARNING_RATE"], momentum=constants["MOMENTUM"])
        self.loss = None

    def run(self):
        self.loss = self.forward(self.params)
        self.optimizer.zero_grad()
        self.loss.backward()
        self.optimizer.step()

    def read(self):
        return {"loss": self.loss}

    def state(self):
        return dict(zip(self.names, self.params))


def flat(layers):
    """Names and values of the parameters of layers."""
    names = [f"{index}.{name}" for index in range(len(layers)) for name in ("weight", "bias")]
    return names, [layer[name] for layer in layers for name in ("weight", "bias")]


def pairs(params):
    """The parameters of each layer."""
    return list(zip(params[0::2], params[1::2]))


# ---- the rows ----


def matmul(inputs, constants):
    return Op(lambda: {"y": inputs["a"] @ inputs["b"]})


def pointwise(inputs, constants):
    x = inputs["x"]

    def compute():
        squares = ((x * 1.5 + 0.25).relu() - 0.5).abs().square()
        return {"y": (-squares.clamp(max=0.75) + 2) * 0.125}

    return Op(compute)


def sum_(inputs, constants):
    return Op(lambda: {"y": inputs["x"].sum()})


def softmax(inputs, constants):
    return Op(lambda: {"y": inputs["x"].softmax(-1)})


def layer_norm(inputs, constants):
    x, weight, bias = inputs["x"], inputs["weight"], inputs["bias"]
    return Op(lambda: {"y": F.layer_norm(x, [x.size(-1)], weight, bias, eps=constants["EPS"])})


def conv2d(inputs, constants):
    return Op(lambda: {"y": F.conv2d(inputs["x"], inputs["weight"], padding=1)})


def conv2d_backward(inputs, constants):
    x, weight = inputs["x"].requires_grad_(), inputs["weight"].requires_grad_()

    def compute():
        y = F.conv2d(x, weight, padding=1)
        grad_x, grad_weight = torch.autograd.grad(y, [x, weight], inputs["gradOut"])
        return {"y": y.detach(), "x": grad_x, "weight": grad_weight}

    return Op(compute)


def mlp(inputs, constants):
    x, labels = inputs["x"], inputs["labels"].long()

    def forward(params):
        value = x
        *hidden, head = pairs(params)
        for weight, bias in hidden:
            value = F.linear(value, weight, bias).relu()
        return F.cross_entropy(F.linear(value, *head), labels)

    return Training(*flat(inputs["layers"]), forward, constants)


def cnn(inputs, constants):
    x, labels = inputs["x"], inputs["labels"].long()

    def forward(params):
        value = x
        *convs, head = pairs(params)
        for weight, bias in convs:
            value = F.max_pool2d(F.conv2d(value, weight, bias, padding=1).relu(), 2)
        return F.cross_entropy(F.linear(value.flatten(1), *head), labels)

    return Training(*flat(inputs["layers"]), forward, constants)


class Update:
    def __init__(self, inputs, constants):
        self.params = [value.clone().requires_grad_() for value in inputs["params"]]
        self.averages = [value.clone() for value in inputs["params"]]
        self.keep = constants["EMA"]
        for param, grad in zip(self.params, inputs["grads"]):
            param.grad = grad
        self.optimizer = torch.optim.SGD(self.params, lr=constants["LEARNING_RATE"], momentum=constants["MOMENTUM"])

    def run(self):
        self.optimizer.step()
        follow(self.averages, self.params, self.keep)

    def read(self):
        return {"first": self.params[0]}

    def state(self):
        params = {f"param.{index}": value for index, value in enumerate(self.params)}
        return {**params, **{f"average.{index}": value for index, value in enumerate(self.averages)}}


@torch.no_grad()
def follow(averages, values, keep):
    for average, value in zip(averages, values):
        average.mul_(keep).add_(value, alpha=1 - keep)


def info_nce_loss(query, key, queue, temperature):
    """`queue` is [dim, k], as in the official MoCo."""
    positive = torch.einsum("nc,nc->n", query, key).unsqueeze(-1)
    logits = torch.cat([positive, query @ queue], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(logits.size(0), dtype=torch.long))


def info_nce(inputs, constants):
    query, key = inputs["query"].requires_grad_(), inputs["key"]
    queue = inputs["queue"].T.contiguous()

    def compute():
        loss = info_nce_loss(query, key, queue, constants["TEMPERATURE"])
        (grad_query,) = torch.autograd.grad(loss, [query])
        return {"loss": loss.detach(), "query": grad_query}

    return Op(compute)


class Moco(Training):
    """`encode` gives embeddings from a list of parameters, in the order of `names`."""

    def __init__(self, inputs, constants, names, values, encode):
        super().__init__(names, values, self.loss_of, constants)
        self.key_params = [value.clone() for value in values]
        self.im_q, self.im_k = inputs["imQ"], inputs["imK"]
        self.queue = inputs["queue"].T.contiguous()
        self.pointer = 0
        self.constants = constants
        self.encode = encode

    def loss_of(self, params):
        query = F.normalize(self.encode(params, self.im_q), dim=1)
        return info_nce_loss(query, self.keys, self.queue, self.constants["TEMPERATURE"])

    def run(self):
        follow(self.key_params, self.params, self.constants["EMA"])
        with torch.no_grad():
            self.keys = F.normalize(self.encode(self.key_params, self.im_k), dim=1)
        super().run()
        count = len(self.keys)
        self.queue[:, self.pointer : self.pointer + count] = self.keys.T
        self.pointer = (self.pointer + count) % self.queue.size(1)

    def state(self):
        keyed = {f"key.{name}": value for name, value in zip(self.names, self.key_params)}
        return {**super().state(), **keyed, "keys": self.keys}


def moco(inputs, constants):
    def encode(params, x):
        *convs, head = pairs(params)
        for weight, bias in convs:
            x = F.conv2d(x, weight, bias, stride=2, padding=1).relu()
        return F.linear(F.adaptive_avg_pool2d(x, 1).flatten(1), *head)

    return Moco(inputs, constants, *flat(inputs["layers"]), encode)


def moco_resnet18(inputs, constants):
    def conv_norm(x, params, stride=1):
        weight, scale, shift = params
        y = F.conv2d(x, weight, stride=stride, padding=weight.size(-1) // 2)
        return F.batch_norm(y, None, None, scale, shift, training=True, eps=constants["EPS"])

    def encode(params, x):
        x = conv_norm(x, params[:3]).relu()
        first = 3
        for width in (64, 64, 128, 128, 256, 256, 512, 512):
            is_around = x.size(1) != width
            stride = 2 if is_around else 1
            inner = conv_norm(x, params[first : first + 3], stride).relu()
            past = conv_norm(x, params[first + 6 : first + 9], stride) if is_around else x
            x = (conv_norm(inner, params[first + 3 : first + 6]) + past).relu()
            first += 9 if is_around else 6
        return F.linear(F.adaptive_avg_pool2d(x, 1).flatten(1), *params[-2:])

    values = inputs["params"]
    return Moco(inputs, constants, [str(index) for index in range(len(values))], values, encode)


KINDS = {
    "matmul": matmul,
    "pointwise": pointwise,
    "sum": sum_,
    "softmax": softmax,
    "layerNorm": layer_norm,
    "conv2d": conv2d,
    "conv2dBackward": conv2d_backward,
    "mlp": mlp,
    "cnn": cnn,
    "update": Update,
    "infoNCE": info_nce,
    "moco": moco,
    "mocoResNet18": moco_resnet18,
}


# ---- the process ----


def written(results, folder):
    """Writes results as files."""
    paths = {}
    for index, (name, value) in enumerate(results.items()):
        paths[name] = os.path.join(folder, f"out{index}")
        value.detach().numpy().astype(np.float32).tofile(paths[name])
    return paths


def main():
    folder = sys.argv[1]
    task = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if request["do"] == "open":
            task = KINDS[request["kind"]](loaded(request["inputs"]), request["constants"])
            answer["version"] = f"PyTorch {torch.__version__.split('a')[0]}"
        elif request["do"] == "sample":
            start = time.perf_counter()
            for _ in range(request["times"]):
                task.run()
            answer["timeMs"] = 1e3 * (time.perf_counter() - start)
        elif request["do"] == "read":
            answer["outputs"] = written(task.read(), folder)
        elif request["do"] == "state":
            answer["outputs"] = written(task.state(), folder) if hasattr(task, "state") else None
        print(json.dumps(answer), flush=True)


main()
