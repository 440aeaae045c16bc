"""What a run of the matrix found, as a table, and how disturbed evaluations compare with undisturbed ones."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.core.models import Evaluation, MeasurementRow, Score
from services.core.store.database import ReadSession
from tests.faults.matrix.site import SEEDS, Site

RECOVERY_LIMIT_S = 60.0
COMPARED = (
    "metric",
    "forgetting_quality",
    "forgetting_quality_low",
    "forgetting_quality_high",
    "utility",
    "final_score",
    "ci_low",
    "ci_high",
    "distinct_models",
    "effective_models",
    "epsilons",
    "halves",
)


@dataclass
class Row:
    """How often a fault struck, and how long after its end work went on."""

    times: int = 0
    recovered_s: list[float] = field(default_factory=list)


@dataclass
class Outcome:
    """What a run of the matrix found."""

    evaluations: int
    rows: dict[str, Row]
    lost: int
    failed: list[str]
    twice: int
    different: int
    undisturbed_s: float
    disturbed_s: float

    @property
    def is_good(self) -> bool:
        """Tell whether every requirement holds."""
        slowest = max((s for row in self.rows.values() for s in row.recovered_s), default=0.0)
        return not (self.lost or self.failed or self.twice or self.different) and slowest <= RECOVERY_LIMIT_S

    def as_json(self) -> dict[str, Any]:
        """Return the outcome for machines."""
        return {
            "evaluations": self.evaluations,
            "lost": self.lost,
            "failed": self.failed,
            "counted_twice": self.twice,
            "different": self.different,
            "undisturbed_s": round(self.undisturbed_s, 1),
            "disturbed_s": round(self.disturbed_s, 1),
            "faults": {name: {"times": r.times, "recovered_s": r.recovered_s} for name, r in self.rows.items()},
        }

    def as_table(self) -> str:
        """Return the outcome as Markdown."""
        lines = ["| fault | times | seconds until work went on: median, most |", "|---|---:|---:|"]
        for name, row in self.rows.items():
            ordered = sorted(row.recovered_s)
            took = f"{ordered[len(ordered) // 2]:.1f}, {ordered[-1]:.1f}" if ordered else "-"
            lines.append(f"| {name} | {row.times} | {took} |")
        return "\n".join(lines) + (
            f"\n\n{self.evaluations} evaluations of {SEEDS} seeds: {self.lost} lost, {len(self.failed)} failed, "
            f"{self.twice} seeds counted twice, {self.different} different from the undisturbed run. "
            f"Undisturbed {self.undisturbed_s:.0f} s, disturbed {self.disturbed_s:.0f} s."
        )


def compare(
    place: Site, twins: dict[UUID, UUID], shaken: list[UUID], rows: dict[str, Row], calm_s: float, shaken_s: float
) -> Outcome:
    """Hold the disturbed evaluations against their undisturbed twins."""
    with place.installation.database.read() as session:
        every = {*twins.values(), *shaken}
        found = {row.id: row for row in session.scalars(select(Evaluation).where(Evaluation.id.in_(every)))}
        failed = [f"{row.failure_kind}: {row.failure_message}" for row in found.values() if row.failure_kind]
        lost = sum(not (key in found and (found[key].is_scored or found[key].failure_kind)) for key in shaken)
        twice = sum(abs(found[key].seeds_done - len(measured(session, key))) for key in shaken if key in found)
        pairs = [(twins[one], one) for one in shaken]
        different = sum(
            measured(session, one) != measured(session, other) or scores(session, one) != scores(session, other)
            for one, other in pairs
        )
    return Outcome(len(shaken), rows, lost, failed, twice, different, calm_s, shaken_s)


def measured(session: ReadSession, evaluation: UUID) -> list[tuple[int, str | None, str]]:
    """Return seed, digest of all readings together and digest of the checkpoint of every row."""
    columns = select(MeasurementRow.seed, Evaluation.measurements_blob, MeasurementRow.checkpoint_sha256)
    ordered = columns.join(Evaluation).where(Evaluation.id == evaluation).order_by(MeasurementRow.seed)
    return [row._tuple() for row in session.execute(ordered)]


def scores(session: ReadSession, evaluation: UUID) -> list[list[Any]]:
    """Return every score by every metric, without times."""
    rows = session.scalars(select(Score).where(Score.evaluation_id == evaluation).order_by(Score.metric))
    return [[getattr(row, name) for name in COMPARED] for row in rows]
