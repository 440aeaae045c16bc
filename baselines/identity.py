"""Identity: do nothing.

Idea: the reference row at the bottom. Every run returns the original model, so all models are equal and F is 0 by rule.
Deterministic.

    w <- w

Source: ours; the floor that any method should be above. Defaults: none.
Cost: none.
"""

from typing import Any

from torch import nn


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    """Leave the model as it is."""
