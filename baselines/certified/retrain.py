"""Retraining by the benchmark's own noisy descent: epsilon 0, and the cost to beat.

Idea: forget everything, then learn what may be kept, as the oracle did. What comes out is one more draw from the
oracle's distribution, so that epsilon is 0 however small delta is.

    w_0 ~ N(0, sigma^2/m I);  w <- ball(w - eta (mean of clip_M(gradient of an example's loss) + m w)
                                       + sqrt(2 eta) sigma N(0, I)),  eta = 1/L,  T steps

Source: the learning that Chien et al. compare with (arXiv 2401.10371). `docs/certificates.md`, equation 1.
Defaults: the constants of the benchmark `certified-digits`; `lethe benchmark inspect` prints those of others.
Cost: T full-batch steps, all of learning.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

CERTIFICATE = {"method": "retrain", "epsilon": 0.0, "delta": 0.00390625}
STRONG_CONVEXITY, SMOOTHNESS, LIPSCHITZ, SIGMA, RADIUS, STEPS = 0.02, 0.27, 1.0, 0.02, 100.0, 4000


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    (weight,) = net.parameters()  # [1, d] of two classes, else [classes, d]
    features, targets = gather(retain_loader, rows=len(weight))
    step = 1 / SMOOTHNESS
    with torch.no_grad():
        weight.copy_(SIGMA / math.sqrt(STRONG_CONVEXITY) * torch.randn_like(weight))
        for _ in range(STEPS):
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
