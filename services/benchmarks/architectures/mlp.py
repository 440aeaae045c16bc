"""A perceptron with one hidden layer, for 8x8 images of ten classes."""

import torch
from torch import nn

__all__ = ["build"]


class Perceptron(nn.Module):
    """Images [n, 64] to logits [n, 10]."""

    def __init__(self, inputs: int = 64, hidden: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.head = nn.Linear(hidden, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(torch.relu(self.hidden(images)))
        return logits


def build() -> nn.Module:
    """Make a model with torch's default initialisation."""
    return Perceptron()
