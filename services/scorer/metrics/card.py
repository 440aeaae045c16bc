"""What a metric says: of the two sides' confidences alone, and of one evaluation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Audit", "Estimate", "Forgetting", "ScoreCard"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Per example, what can be proven and what can be estimated of the true epsilon, in nats."""

    bounds: NDArray[np.float64]  # [S], simultaneous 95 % lower bounds at delta 1e-5; 0 claims nothing
    largest_certifiable: float  # no bound could be larger with so many models and claims
    claims: int  # how many examples were tested; the others are 0
    gaussian: NDArray[np.float64]  # [S], epsilon at delta 0.01 between fitted Gaussians
    gaussian_fits: NDArray[np.bool_]  # [S], whether both sides pass as Gaussian


@dataclass(frozen=True, slots=True, eq=False)
class Forgetting:
    """What confidences alone say: how well N models forgot."""

    quality: Estimate
    epsilons: NDArray[np.float32]  # [S], 0 to 50: what F is made of
    points: NDArray[np.float64]  # [S]: the quality is their mean
    halves: NDArray[np.float64]  # [splits, 2, S]: the same of disjoint halves of the models
    effective_models: int  # near-duplicates counted once; distinct ones where a metric does not look for them
    flags: tuple[str, ...]
    ceiling: Estimate | None = None  # F of a second oracle, where points are relative to it
    audit: Audit | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCard:
    """The score of N unlearned models, and what its uncertainty and its ranking need."""

    metric: str
    forgetting_quality: Estimate
    utility: Estimate
    final_score: Estimate  # the interval says where a re-run of the same entry would land
    epsilons: NDArray[np.float32]  # [S], 0 to 50: what F is made of
    points: NDArray[np.float64]  # [S], 0 to 1: F is their mean
    models: int
    distinct_models: int
    effective_models: int  # near-duplicates counted once; distinct ones where a metric does not look for them
    flags: tuple[str, ...]
    halves: NDArray[np.float64]  # [splits, 2]: final score of disjoint halves, which paired tests are made from
    generalisation: Estimate | None = None  # of the final score, were other subjects to be forgotten
    ceiling: Estimate | None = None  # F of a second oracle
    audit: Audit | None = None
