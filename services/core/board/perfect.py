"""What a perfect retraining earns in a phase: the measure for everybody's scores. Everyone who compares asks here."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from services.core.catalogue import METRICS
from services.core.models import LeaderboardEntry, Phase, Reference, Score
from services.core.store.database import ReadSession

__all__ = ["Perfect", "PerfectBasis", "perfect_of"]


class PerfectBasis(StrEnum):
    """How it is known."""

    METRIC = "metric"  # the metric is made so
    BENCHMARK = "benchmark"  # measured when the benchmark was built, with as many runs as the phase has
    REFERENCE = "reference"  # the organiser's retraining reference scored it in this phase
    OTHER_RUNS = "other_runs"  # measured when the benchmark was built, with another number of runs


@dataclass(frozen=True, slots=True)
class Perfect:
    """The score of a perfect retraining, and how it is known."""

    score: float
    basis: PerfectBasis

    @property
    def exact(self) -> bool:
        """Tell whether it holds for this phase rather than only nearly."""
        return self.basis in (PerfectBasis.METRIC, PerfectBasis.BENCHMARK)


def perfect_of(session: ReadSession, phase: Phase) -> Perfect | None:
    """Find what a perfect retraining earns in a phase; None if nothing tells."""
    metric = METRICS.get(phase.metric)
    if metric is not None and metric.perfect is not None:
        return Perfect(metric.perfect, PerfectBasis.METRIC)
    ceiling = phase.benchmark.manifest.get("fitness", {}).get("ceiling") or None
    if ceiling and phase.benchmark.manifest.get("oracle_seeds") == phase.seeds:
        return Perfect(ceiling, PerfectBasis.BENCHMARK)
    if reference := _reference(session, phase):
        return Perfect(reference, PerfectBasis.REFERENCE)
    return Perfect(ceiling, PerfectBasis.OTHER_RUNS) if ceiling else None


def _reference(session: ReadSession, phase: Phase) -> float | None:
    """Return the score of the phase's first retraining reference."""
    entry = LeaderboardEntry
    return session.scalar(
        select(entry.final_score)
        .join(Score, Score.id == entry.score_id)
        .where(entry.phase_id == phase.id, entry.retired_at.is_(None), entry.reference == Reference.RETRAIN)
        .where(Score.metric == phase.metric)
        .order_by(entry.submitted_at)
        .limit(1)
    )
