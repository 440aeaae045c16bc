"""Descent to delete (D2D): gradient descent without noise on the retain set, and noise on what is published.

Idea: learning ended near its optimum. The retain set's optimum is not far, and I steps bring the model, and whatever
retraining would have found, so near to it that noise hides which of the two it is.

    w <- w - eta (mean of clip_M(gradient of a loss) + m w),  eta = 2/(L + m),  I times;  then w + sigma N(0, I)
    sigma = 4 sqrt(2) S M g^I/(m n (1 - g^I) (sqrt(ln(1/delta) + epsilon) - sqrt(ln(1/delta)))),  g = (L - m)/(L + m)

The claim holds where originals are secret states, learned without noise, and the noise is the benchmark's.
Source: Neel, Roth, Sharifi-Malvajerdi: Descent-to-delete, ALT 2021 (arXiv 2007.02923), with the constants of Chien et
al. (arXiv 2401.10371). `docs/certificates.md`, equation 9.
Defaults: the constants of the benchmark `certified-digits-d2d`; the least I for epsilon 1.
Cost: I full-batch steps.
"""

from typing import Any

import torch
from torch import Tensor, nn

CERTIFICATE = {"method": "d2d", "epsilon": 1.0, "delta": 0.00390625, "steps": 51}
STRONG_CONVEXITY, SMOOTHNESS, LIPSCHITZ, PUBLISHED_SIGMA = 0.02, 0.27, 1.0, 0.05


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    (weight,) = net.parameters()  # [1, d] of two classes, else [classes, d]
    features, targets = gather(retain_loader, rows=len(weight))
    with torch.no_grad():
        for _ in range(int(CERTIFICATE["steps"])):  # type: ignore[call-overload]
            gradient = clipped_gradient(weight, features, targets) + STRONG_CONVEXITY * weight
            weight.add_(gradient, alpha=-2 / (SMOOTHNESS + STRONG_CONVEXITY))
        weight.add_(torch.randn_like(weight), alpha=PUBLISHED_SIGMA)


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
