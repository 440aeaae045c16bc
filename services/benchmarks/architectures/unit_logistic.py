"""Logistic regression without a bias, on images or features scaled to unit norm: what certificates assume."""

from collections.abc import Sequence
from math import prod

import torch
from torch import nn

__all__ = ["make"]


class UnitLogisticRegression(nn.Module):
    """Images or features [n, ...] to logits [n, classes]; of two classes, the first one's logit is always 0.

    The gradient of one example's loss has norm 1 at most (sqrt(2) with more classes), and its Hessian 1/4 (1/2).
    """

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(inputs, 1 if classes == 2 else classes, bias=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(nn.functional.normalize(images.flatten(1)))
        return torch.cat([torch.zeros_like(logits), logits], dim=1) if logits.shape[1] == 1 else logits


def make(input_shape: Sequence[int], classes: int) -> nn.Module:
    """Make a model with torch's default initialisation, which certified learning replaces by its own."""
    return UnitLogisticRegression(prod(input_shape), classes)
