"""evaluation.json: what evaluations of features come to: linear classification, kNN, alignment and uniformity."""

import torch
import torch.nn.functional as F

from .record import Draw, encode


def make():
    torch.set_default_dtype(torch.float64)
    try:
        return {"probe": probe(), "knn": knn(), "alignment": alignments(), "uniformity": uniformities()}
    finally:
        torch.set_default_dtype(torch.float32)


def probe(classes=7, dim=4, n=60, weight_decay=0.05):
    """The one minimum of cross-entropy with weight decay on weight and bias, and what the layer there gets right."""
    draw = Draw("probe")
    centres = draw.normal(classes, dim)

    def labelled(count):
        labels = draw.ints(0, classes, count)
        return (centres[labels.long()] + 1.6 * draw.normal(count, dim)).float(), labels

    (x, y), (test, test_labels) = labelled(n), labelled(n)
    weight, bias = torch.zeros(classes, dim, requires_grad=True), torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        decay = weight_decay / 2 * (weight.square().sum() + bias.square().sum())
        loss = F.cross_entropy(x.double() @ weight.T + bias, y.long()) + decay
        loss.backward()
        return loss

    optimizer.step(closure)
    scores = (test.double() @ weight.T + bias).detach()
    return {
        "weightDecay": weight_decay,
        "numClasses": classes,
        "features": encode(x),
        "labels": encode(y),
        "testFeatures": encode(test),
        "testLabels": encode(test_labels),
        "weight": encode(weight),
        "bias": encode(bias),
        "top1": correct(scores, test_labels, 1),
        "top5": correct(scores, test_labels, 5),
        "smallestMargin": margin(scores, test_labels),
    }


def correct(scores, labels, k):
    """Percent."""
    found = (scores.topk(k).indices == labels.long()[:, None]).any(1)
    return 100 * found.double().mean().item()


def margin(scores, labels):
    """How near the right class's score is to another one."""
    own = scores.gather(1, labels.long()[:, None])
    return (scores - own).abs()[scores != own].min().item()


def knn():
    """Wu et al.'s weighted vote as the authors of MoCo compute it."""
    draw = Draw("knn")
    bank, labels, features = draw.normal(40, 6), draw.ints(0, 5, 40), draw.normal(25, 6)
    runs = []
    for k, temperature in ((1, 0.1), (5, 0.1), (12, 0.07), (12, 1.0), (40, 0.5)):
        scores = votes(features.double(), bank.double(), labels.long(), 5, k, temperature)
        best = scores.topk(2).values
        runs.append(
            {
                "k": k,
                "temperature": temperature,
                "predicted": scores.argmax(1).tolist(),
                "smallestMargin": ((best[:, 0] - best[:, 1]) / best[:, 0]).min().item(),
            }
        )
    return {"bank": encode(bank), "bankLabels": encode(labels), "features": encode(features), "runs": runs}


def votes(features, bank, labels, classes, k, temperature):
    similarity = F.normalize(features, dim=1) @ F.normalize(bank, dim=1).T
    nearest, at = similarity.topk(k)
    weights = (nearest / temperature).exp()
    return (F.one_hot(labels[at], classes) * weights[:, :, None]).sum(1)


def alignments():
    cases = []
    for alpha in (2, 1, 3):
        draw = Draw("alignment", str(alpha))
        x, y = (draw.normal(9, 5).double().requires_grad_() for _ in range(2))
        loss = (F.normalize(x, dim=1) - F.normalize(y, dim=1)).norm(dim=1).pow(alpha).mean()
        loss.backward()
        cases.append({"alpha": alpha, **recorded(loss, x=x, y=y)})
    return cases


def uniformities():
    cases = []
    for t, n in ((2, 9), (0.5, 2), (5, 37)):
        x = Draw("uniformity", str(n)).normal(n, 5).double().requires_grad_()
        loss = torch.pdist(F.normalize(x, dim=1), p=2).pow(2).mul(-t).exp().mean().log()
        loss.backward()
        cases.append({"t": t, **recorded(loss, x=x)})
    return cases


def recorded(loss, **inputs):
    return {
        "loss": encode(loss),
        "inputs": {name: encode(x) for name, x in inputs.items()},
        "gradInputs": {name: encode(x.grad) for name, x in inputs.items()},
    }
