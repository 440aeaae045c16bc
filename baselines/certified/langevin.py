"""Langevin unlearning: noisy gradient descent goes on from the original, on the retain set alone, for exactly K steps.

Idea: noisy learning converges to a distribution of models that depends on the data but little; without the forget set
to another one nearby. A few more steps of the same descent carry the one over to the other, at a rate that is known.

    w <- ball(w - eta (mean of clip_M(gradient of an example's loss) + m w) + sqrt(2 eta) sigma N(0, I)),  eta = 1/L
    epsilon(K) = min over alpha > 1 of e^(-K m eta/alpha) 4 alpha S^2 M^2/(m sigma^2 n^2) + ln(1/delta)/(alpha - 1)

Only data gradients are clipped, not the penalty's. The claim holds where originals were learned by the same descent
with the same noise until it converged, one anew for every run; each run takes all K steps, whatever the loss.
Source: Chien, Wang, Chen, Li: Langevin unlearning, NeurIPS 2024 (arXiv 2401.10371). `docs/certificates.md`, equation 4.
Defaults: the constants of the benchmark `certified-digits` (`lethe benchmark inspect` prints those of others), and the
least K for epsilon 1: `lethe certify --method langevin` computes it for other constants.
Cost: K full-batch steps, a share K/T of learning with T steps.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

CERTIFICATE = {"method": "langevin", "epsilon": 1.0, "delta": 0.00390625, "steps": 1144}
STRONG_CONVEXITY, SMOOTHNESS, LIPSCHITZ, SIGMA, RADIUS = 0.02, 0.27, 1.0, 0.02, 100.0


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    (weight,) = net.parameters()  # [1, d] of two classes, else [classes, d]
    features, targets = gather(retain_loader, rows=len(weight))
    step = 1 / SMOOTHNESS
    with torch.no_grad():
        for _ in range(int(CERTIFICATE["steps"])):  # type: ignore[call-overload]
            gradient = clipped_gradient(weight, features, targets) + STRONG_CONVEXITY * weight
            weight.add_(gradient, alpha=-step).add_(torch.randn_like(weight), alpha=math.sqrt(2 * step) * SIGMA)
            weight.mul_(RADIUS / weight.norm().clamp(min=RADIUS))  # into the ball


def clipped_gradient(weight: Tensor, features: Tensor, targets: Tensor) -> Tensor:
    """Average the data gradients [rows, d] over examples, each clipped; features [n, d] are of unit norm."""
    logits = features @ weight.T
    errors = (torch.sigmoid(logits) if len(weight) == 1 else torch.softmax(logits, dim=1)) - targets  # [n, rows]
    errors = errors * (LIPSCHITZ / errors.norm(dim=1, keepdim=True).clamp(min=LIPSCHITZ))
    gradient: Tensor = errors.T @ features / len(features)
    return gradient


def gather(loader: Any, *, rows: int) -> tuple[Tensor, Tensor]:
    """Collect features of unit norm [n, d] and targets [n, rows]: labels of two classes, else one-hot."""
    images, labels = zip(*((images, labels) for images, labels in loader))  # noqa: B905 - pairs
    features, label = nn.functional.normalize(torch.cat(images).flatten(1)), torch.cat(labels)
    return features, label.float()[:, None] if rows == 1 else nn.functional.one_hot(label, rows).float()
