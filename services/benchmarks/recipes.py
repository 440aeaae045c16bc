"""Recipes: how models are trained, as data. Public, so that retraining is a fair reference."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["RECIPE_2023", "NoisyDescent", "Recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Gradient descent on the cross-entropy of batches, shuffled anew every epoch.

    An epoch's last batch may be smaller; a single leftover example joins the batch before it. Weight decay is added to
    the gradient, as torch's SGD and Adam do. The cosine schedule lowers the rate after every epoch towards 0, as
    torch's CosineAnnealingLR(T_max=epochs). `inverse-count` weights each class by 1 / its examples in training.
    Which epoch's weights are kept is the same choice in every run: `best-validation` keeps the epoch of highest
    validation accuracy, the first of equals.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.9  # of sgd
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    class_weights: Literal["none", "inverse-count"] = "none"
    weights: Literal["last-epoch", "best-validation"] = "last-epoch"

    def as_dict(self) -> dict[str, Any]:
        return {"loss": "cross-entropy", **asdict(self)}


@dataclass(frozen=True, slots=True)
class NoisyDescent:
    """Projected noisy gradient descent on L2-regularised logistic regression: learning that a certificate speaks of.

        w <- ball(w - eta (mean of clip_M(gradient of the batch's losses) + m w) + sqrt(2 eta) sigma N(0, I))

    Batches are fixed, and taken in turn: example i belongs to batch i mod `batches`. Learning starts from
    N(0, sigma^2/m I), which it would converge to without data. Without noise, as descent to delete learns, it starts
    from 0, takes the larger step 2/(L + m), and what is published of a model gets N(0, published_sigma^2 I) in the end.
    Source: Chien et al., arXiv 2401.10371 and 2403.17105; Neel et al., arXiv 2007.02923. See `docs/certificates.md`.
    """

    steps: int  # a multiple of the batches
    strong_convexity: float  # m: the penalty is m/2 |w|^2
    smoothness: float  # L of every example's loss, penalty included
    lipschitz: float  # M, which gradients are clipped to; the penalty's is not
    sigma: float  # of the noise in every step; 0 for none
    published_sigma: float = 0.0
    batches: int = 1
    radius: float = 100.0  # of the ball

    @property
    def step(self) -> float:
        """Give eta."""
        return 1 / self.smoothness if self.sigma else 2 / (self.smoothness + self.strong_convexity)

    @property
    def start_deviation(self) -> float:
        """Give the standard deviation of each weight at the start."""
        return self.sigma / math.sqrt(self.strong_convexity)

    def as_dict(self) -> dict[str, Any]:
        return {"loss": "L2-regularised cross-entropy", "step": self.step, **asdict(self)}


# The 2023 evaluation. It returned last-epoch weights where it trained, and best-validation ones where it reloaded: a
# run depended on whether it was the first. Here it is the last epoch's, always.
RECIPE_2023 = Recipe(
    epochs=30,
    batch_size=64,
    learning_rate=1e-4,
    optimizer="adam",
    weight_decay=5e-3,
    schedule="cosine",
    class_weights="inverse-count",
)
