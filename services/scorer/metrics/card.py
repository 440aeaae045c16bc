"""The results of a metric: for the confidences of both sides, and for one evaluation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Audit", "Estimate", "Forgetting", "ScoreCard", "Variance"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Variance:
    """Standard errors of a final score by where they come from; they add as squares."""

    runs: float  # of fresh runs and fresh oracle models
    originals: float | None  # of other originals; None if they were one, or unknown, or each run had its own
    subjects: float | None  # of other subjects, or examples if the benchmark names no subjects; None below two
    starts: int | None  # number of originals that runs started from; None if unknown


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Sound bounds and estimates of the true epsilon of each example, in nats."""

    bounds: NDArray[np.float64]  # [S], simultaneous 95% lower bounds at delta 1e-5; 0 claims nothing
    largest_certifiable: float  # no bound could be larger with this number of models and claims
    claims: int  # number of examples tested; the bounds of the others are 0
    gaussian: NDArray[np.float64]  # [S], epsilon at delta 0.01 between fitted Gaussians
    gaussian_fits: NDArray[np.bool_]  # [S], whether both sides pass as Gaussian


@dataclass(frozen=True, slots=True, eq=False)
class Forgetting:
    """How well N models forgot, computed only from confidences."""

    quality: Estimate
    epsilons: NDArray[np.float32]  # [S], 0 to 50, from which F is computed
    points: NDArray[np.float64]  # [S]: the quality is their mean
    halves: NDArray[np.float64]  # [splits, 2, S]: points of disjoint halves of the models
    effective_models: (
        int  # near-duplicates counted once; all distinct ones if the metric does not look for near-duplicates
    )
    flags: tuple[str, ...]
    error: float | None = None  # standard error of the quality for a re-run; None if it is that of the halves
    originals: float | None = None  # additional standard error over other originals; None if it is unknown
    ceiling: Estimate | None = None  # F of a second oracle, if points are relative to it
    audit: Audit | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCard:
    """The score of N unlearned models, with the data for its uncertainty and ranking."""

    metric: str
    forgetting_quality: Estimate
    utility: Estimate
    final_score: Estimate  # the interval is for a re-run of the same entry
    epsilons: NDArray[np.float32]  # [S], 0 to 50, from which F is computed
    points: NDArray[np.float64]  # [S], 0 to 1: F is their mean
    models: int
    distinct_models: int
    effective_models: (
        int  # near-duplicates counted once; all distinct ones if the metric does not look for near-duplicates
    )
    flags: tuple[str, ...]
    halves: NDArray[np.float64]  # [splits, 2]: final score of disjoint halves, the input of paired tests
    generalisation: Estimate | None = None  # the final score with its interval over other originals and subjects, too
    variance: Variance | None = None
    ceiling: Estimate | None = None  # F of a second oracle
    audit: Audit | None = None
