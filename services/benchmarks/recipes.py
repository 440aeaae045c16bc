"""Recipes: how models are trained, as data. Public, so that retraining is a fair reference."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Stochastic gradient descent on the mean cross-entropy of batches, at a constant rate; last-epoch weights."""

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {"optimizer": "SGD", "loss": "cross-entropy", "weights": "last epoch", **asdict(self)}
