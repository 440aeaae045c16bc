"""Stochastic Langevin unlearning: noisy descent goes on over the fixed batches that learning took in turn, K epochs.

Idea: as Langevin unlearning, with cheaper steps and a proof that follows how far two runs are apart: every step of a
smooth, strongly convex descent brings them closer by c = 1 - eta m, and its noise hides what is left.

    w <- ball(w - eta (mean over batch j of clip_M(gradient of an example's loss) + m w) + sqrt(2 eta) sigma N(0, I))
    Z = 2 eta M/(b (1 - c^(n/b))), for S points the sum over their batches;  N = K n/b steps
    epsilon(K) = min over alpha > 1 of alpha Z^2 (1 - c^2)/(2 eta sigma^2 (c^(-2N) - 1)) + ln(1/delta)/(alpha - 1)

Batches are those of learning: example i of the retain set, in stored order, belongs to batch i mod BATCHES, and the
forget set's likewise. The claim holds where originals were learned by the same descent until it converged, one anew for
every run.
Source: Chien, Wang, Chen, Li: Certified machine unlearning via noisy SGD, NeurIPS 2024 (arXiv 2403.17105).
`docs/certificates.md`, equations 6 and 7.
Defaults: the constants of the benchmark `certified-digits-batches`; the least K for epsilon 1.
Cost: K epochs.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

CERTIFICATE = {"method": "stochastic_langevin", "epsilon": 1.0, "delta": 0.00390625, "epochs": 10}
STRONG_CONVEXITY, SMOOTHNESS, LIPSCHITZ, SIGMA, RADIUS, BATCHES = 0.02, 0.27, 1.0, 0.02, 100.0, 8


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    (weight,) = net.parameters()  # [1, d] of two classes, else [classes, d]
    features, targets = (side.to(weight.device) for side in in_order(retain_loader.dataset, rows=len(weight)))
    batches = [(features[first::BATCHES], targets[first::BATCHES]) for first in range(BATCHES)]
    step = 1 / SMOOTHNESS
    with torch.no_grad():
        for batch in batches * int(CERTIFICATE["epochs"]):  # type: ignore[call-overload]
            gradient = clipped_gradient(weight, *batch) + STRONG_CONVEXITY * weight
            weight.add_(gradient, alpha=-step).add_(torch.randn_like(weight), alpha=math.sqrt(2 * step) * SIGMA)
            weight.mul_(RADIUS / weight.norm().clamp(min=RADIUS))  # into the ball


def clipped_gradient(weight: Tensor, features: Tensor, targets: Tensor) -> Tensor:
    """Average the data gradients [rows, d] over examples, each clipped; features [n, d] are of unit norm."""
    logits = features @ weight.T
    errors = (torch.sigmoid(logits) if len(weight) == 1 else torch.softmax(logits, dim=1)) - targets  # [n, rows]
    errors = errors * (LIPSCHITZ / errors.norm(dim=1, keepdim=True).clamp(min=LIPSCHITZ))
    gradient: Tensor = errors.T @ features / len(features)
    return gradient


def in_order(dataset: Any, *, rows: int) -> tuple[Tensor, Tensor]:
    """Collect features of unit norm [n, d] and targets [n, rows] in stored order, not a loader's shuffled one."""
    images, labels = zip(*(dataset[index] for index in range(len(dataset))))  # noqa: B905 - pairs
    features, label = nn.functional.normalize(torch.stack(images).flatten(1)), torch.stack(labels)
    return features, label.float()[:, None] if rows == 1 else nn.functional.one_hot(label, rows).float()
