"""Scores, which are immutable, and the dated pointers to them that make a leaderboard."""

from array import array
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from services.core.models.accounts import Team
from services.core.models.columns import Id, choice
from services.core.models.costs import CostForm
from services.core.models.stored import (
    AlarmForm,
    AuditForm,
    CertificateForm,
    HistogramsForm,
    StoredJson,
    SuiteValues,
    VarianceForm,
)
from services.core.models.submissions import Reference, Submission
from services.core.store.database import Base, utc_now

__all__ = ["LeaderboardEntry", "Score", "gaps_of"]

# Postgres holds NaN above every number and SQLite stores it as NULL, so this and NOT NULL keep scores finite on both.
_FINITE = "{0} >= 0 AND {0} < 1e300"


def gaps_of(halves: Sequence[Sequence[float]]) -> bytes:
    """Return for each split one half minus the other, as float64: all that ranking uses of a score's halves."""
    return array("d", [one - other for one, other in halves]).tobytes()


class Score(Base):
    """The score of one evaluation by one metric version. Deferred columns are read only when a query asks for them."""

    __tablename__ = "scores"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "metric"),
        Index(
            "ix_scores_alarmed",
            "metric",
            "evaluation_id",
            sqlite_where=text("json_array_length(alarms) > 0"),
            postgresql_where=text("json_array_length(alarms) > 0"),
        ),
        *(
            CheckConstraint(_FINITE.format(column), name=column)
            for column in ("forgetting_quality", "utility", "final_score", "ci_low", "ci_high", "run_s")
        ),
    )

    id: Mapped[Id]
    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"))
    metric: Mapped[str] = mapped_column(String(63))
    forgetting_quality: Mapped[float]
    forgetting_quality_low: Mapped[float]
    forgetting_quality_high: Mapped[float]
    utility: Mapped[float]
    utility_low: Mapped[float]
    utility_high: Mapped[float]
    final_score: Mapped[float]
    ci_low: Mapped[float]  # 95% re-run interval of the final score
    ci_high: Mapped[float]
    seeds: Mapped[int]
    distinct_models: Mapped[int]
    effective_models: Mapped[int]  # near-duplicates counted once
    run_s: Mapped[float]  # mean wall-clock time of one unlearning run
    cost: Mapped[CostForm | None] = mapped_column(
        StoredJson(CostForm)
    )  # beside the platform's trainer, if it was timed
    ceiling: Mapped[float | None]  # F of a second oracle, if the metric is relative to it
    ceiling_low: Mapped[float | None]
    ceiling_high: Mapped[float | None]
    generalisation_low: Mapped[float | None]  # 95% interval, originals and subjects drawn anew, too
    generalisation_high: Mapped[float | None]
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)
    alarms: Mapped[list[AlarmForm]] = mapped_column(StoredJson(list[AlarmForm]), default=list)  # for organisers
    suites: Mapped[SuiteValues] = mapped_column(StoredJson(SuiteValues), default=dict)
    # final scores of disjoint halves of the models; per subject: points and number of examples
    halves: Mapped[list[list[float]]] = mapped_column(StoredJson(list[list[float]]), default=list, deferred=True)
    gaps: Mapped[bytes] = mapped_column(LargeBinary, default=b"", deferred=True)  # `gaps_of` the halves
    subject_points: Mapped[list[list[float]]] = mapped_column(JSON, default=list, deferred=True)
    epsilons: Mapped[list[float]] = mapped_column(JSON, default=list, deferred=True)
    audit: Mapped[AuditForm | None] = mapped_column(StoredJson(AuditForm), deferred=True)
    # counts of epsilons and confidences from `scorer.histograms`; participants see them unless data are hidden
    histograms: Mapped[HistogramsForm | None] = mapped_column(StoredJson(HistogramsForm), deferred=True)
    certificate: Mapped[CertificateForm | None] = mapped_column(StoredJson(CertificateForm))
    variance: Mapped[VarianceForm | None] = mapped_column(StoredJson(VarianceForm))  # None before it was computed
    # version and digest of the scorer's sources; None before it was kept
    program: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @validates("halves")
    def _keep_gaps(self, _name: str, halves: Sequence[Sequence[float]]) -> Sequence[Sequence[float]]:
        self.gaps = gaps_of(halves)
        return halves


class LeaderboardEntry(Base):
    """A team's score on a phase's leaderboard from `published_at` until `retired_at`."""

    __tablename__ = "leaderboard_entries"
    __table_args__ = (
        Index(
            "uq_leaderboard_entries_current",
            "phase_id",
            "team_id",
            "reference",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index("ix_leaderboard_entries_board", "phase_id", "final_score"),
        Index("ix_leaderboard_entries_team", "phase_id", "team_id"),
        Index("ix_leaderboard_entries_published", "phase_id", "published_at"),
        Index("ix_leaderboard_entries_retired", "phase_id", "retired_at"),
        Index(
            "ix_leaderboard_entries_references",
            "phase_id",
            sqlite_where=text("reference <> 'none'"),
            postgresql_where=text("reference <> 'none'"),
        ),
    )

    id: Mapped[Id]
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"))
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    score_id: Mapped[UUID] = mapped_column(ForeignKey("scores.id"))
    reference: Mapped[Reference] = mapped_column(choice(Reference))
    final_score: Mapped[float]  # copied from the score, so that one index serves the leaderboard
    submitted_at: Mapped[datetime]  # copied from the submission; the earlier wins a tie
    published_at: Mapped[datetime] = mapped_column(default=utc_now)
    retired_at: Mapped[datetime | None]

    team: Mapped[Team] = relationship()
    submission: Mapped[Submission] = relationship()
    score: Mapped[Score] = relationship()
