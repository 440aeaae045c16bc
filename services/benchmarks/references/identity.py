"""Do nothing: what a score is if nothing was unlearned, and how long a run takes that does nothing."""

from typing import Any

from torch import nn


def unlearning(net: nn.Module, retain_loader: Any, forget_loader: Any, val_loader: Any) -> None:
    """Leave the model as it is."""
