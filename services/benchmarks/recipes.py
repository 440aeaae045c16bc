"""Training recipes as data. They are public, so that retraining is a fair reference."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["RECIPE_2023", "NoisyDescent", "Recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Gradient descent on the cross-entropy of batches, with a new order of examples every epoch.

    An epoch's last batch may be smaller; a single leftover example joins the batch before it. Weight decay is added to
    the gradient, as in torch's SGD and Adam. The cosine schedule lowers the rate after every epoch towards 0, as in
    torch's CosineAnnealingLR(T_max=epochs). `inverse-count` weights each class by 1 over its number of training
    examples. Every run chooses the weights to keep in the same way: `best-validation` keeps the epoch with the highest
    validation accuracy, the first one of equals.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.9  # for sgd only
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    class_weights: Literal["none", "inverse-count"] = "none"
    weights: Literal["last-epoch", "best-validation"] = "last-epoch"

    def as_dict(self) -> dict[str, Any]:
        """Describe the recipe for the manifest."""
        return {"loss": "cross-entropy", **asdict(self)}


@dataclass(frozen=True, slots=True)
class NoisyDescent:
    """Projected noisy gradient descent on L2-regularised logistic regression, the training that certificates assume.

        w <- ball(w - eta (mean of clip_M(gradient of the batch's losses) + m w) + sqrt(2 eta) sigma N(0, I))

    Batches are fixed and used in turn: example i belongs to batch i mod `batches`. Training starts from
    N(0, sigma^2/m I), the distribution to which it would converge without data. Without noise, as in descent to delete,
    it starts from 0 and uses the larger step 2/(L + m); at the end, the published model gets N(0, published_sigma^2 I).
    Source: Chien et al., arXiv 2401.10371 and 2403.17105; Neel et al., arXiv 2007.02923. See `docs/certificates.md`.
    """

    steps: int  # a multiple of the batches
    strong_convexity: float  # m: the penalty is m/2 |w|^2
    smoothness: float  # L of every example's loss, including the penalty
    lipschitz: float  # M, to which gradients of examples are clipped; the penalty's gradient is not clipped
    sigma: float  # of the noise in every step; 0 for no noise
    published_sigma: float = 0.0
    batches: int = 1
    radius: float = 100.0  # of the ball

    @property
    def step(self) -> float:
        """Return the step size eta."""
        return 1 / self.smoothness if self.sigma else 2 / (self.smoothness + self.strong_convexity)

    @property
    def start_deviation(self) -> float:
        """Return the standard deviation of each weight at the start."""
        return self.sigma / math.sqrt(self.strong_convexity)

    def as_dict(self) -> dict[str, Any]:
        """Describe the recipe for the manifest."""
        return {"loss": "L2-regularised cross-entropy", "step": self.step, **asdict(self)}


# The recipe of the 2023 evaluation. There, the first run returned the weights of the last epoch, and later runs
# reloaded those of best validation. Here, every run uses the last epoch.
RECIPE_2023 = Recipe(
    epochs=30,
    batch_size=64,
    learning_rate=1e-4,
    optimizer="adam",
    weight_decay=5e-3,
    schedule="cosine",
    class_weights="inverse-count",
)
