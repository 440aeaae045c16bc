"""What a file is likely to take in a phase, told before a slot is spent: time, memory, the queue, and broken limits.

It follows from the newest runs of the same code by the caller's teams in phases of the competition whose data are
public; runs in phases with hidden data say nothing here, because their times and memory could carry the data out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from services.api.kit.auth import Principal
from services.api.submissions.schemas import QueuePlaceOut, Warnings
from services.api.teams.seats import BoundToTeam, TeamNeeded, team_of, teams_of
from services.core.board.pointers import retrainings
from services.core.models import Evaluation, MeasurementRow, Phase, Submission, SubmissionKind
from services.core.queue.places import place_of_next
from services.core.store.database import ReadSession
from services.core.submission.certificate import Claim

__all__ = ["CheckOut", "ForecastOut", "forecast"]

NEWEST = 20  # submissions of the same code that are looked at
MOST_RUNS = 64  # of the one that is chosen
WIDTH = NormalDist().inv_cdf(0.95)  # standard deviations on either side that hold 90% of a normal distribution


class SecondsOut(BaseModel):
    """An expected time in seconds, and the 90% interval of a single run."""

    expected: float
    low: float
    high: float


class ForecastOut(BaseModel):
    """What a submission of the file is likely to take."""

    run_s: SecondsOut | None = Field(description="Of one run. Null if no run of this code is known.")
    total_s: float | None = Field(description="Of all runs, one after another. Null if no run of this code is known.")
    peak_memory_bytes: int | None = Field(
        description="Memory of the largest process of any run that is known, without GPU memory; null if none is."
    )
    phase: str | None = Field(description="The phase in which the runs were measured; null if none are known.")
    benchmark: str | None = Field(description="The benchmark on which they ran; null if none are known.")
    runs: int = Field(description="How many runs were measured; 0 if none are known.")
    scale: float = Field(
        description="By how much the times were multiplied, because this phase's training set is larger or smaller."
    )
    place: QueuePlaceOut | None = Field(
        description="Its place in the queue if it was submitted now; null if you compete for no team yet."
    )
    warnings: list[str] = Field(description="Limits of the phase that it is likely to break.")


class CheckOut(BaseModel):
    """A file that passed every check which needs no run."""

    kind: SubmissionKind
    sha256: str
    size_bytes: int
    claim: Claim | None = Field(description="The certificate that its module claims to have.")
    submitted_as: UUID | None = Field(
        description="Your earlier submission of this exact file, whose runs a new one would share."
    )
    warnings: Warnings
    forecast: ForecastOut = Field(description="What a submission of it is likely to take, before a slot is spent.")


@dataclass(frozen=True, slots=True)
class _Known:
    """Runs of the same code elsewhere in the competition."""

    phase: Phase
    run_s: Sequence[float]  # as long as they are likely to take here
    peak_memory_bytes: int | None
    scale: float

    @property
    def span(self) -> SecondsOut:
        """Return the time of a single run."""
        mean = fmean(self.run_s)
        width = WIDTH * stdev(self.run_s) if len(self.run_s) > 1 else 0.0
        return SecondsOut(expected=mean, low=max(0.0, mean - width), high=mean + width)


def forecast(
    session: ReadSession, who: Principal, phase: Phase, code_sha256: str, *, kind: SubmissionKind, team: str | None
) -> ForecastOut:
    """Tell what a submission of some code would take in a phase. Raises NotInTeam if a team is named in vain."""
    known = _known(session, who, phase, code_sha256)
    return ForecastOut(
        run_s=known.span if known else None,
        total_s=known.span.expected * phase.seeds if known else None,
        peak_memory_bytes=known.peak_memory_bytes if known else None,
        phase=known.phase.slug if known else None,
        benchmark=known.phase.benchmark.name if known else None,
        runs=len(known.run_s) if known else 0,
        scale=known.scale if known else 1.0,
        place=_place(session, who, phase, team, known.run_s if known else None),
        warnings=_warnings(session, phase, known, kind) if known else [],
    )


def _place(
    session: ReadSession, who: Principal, phase: Phase, team: str | None, run_s: Sequence[float] | None
) -> QueuePlaceOut | None:
    try:
        own = team_of(session, who, phase.competition, team)
    except (TeamNeeded, BoundToTeam):
        return None
    return QueuePlaceOut.model_validate(place_of_next(session, phase, own.id, run_s=run_s))


def _known(session: ReadSession, who: Principal, phase: Phase, code_sha256: str) -> _Known | None:
    """Find the newest runs that tell of this phase: on its benchmark if there are any, otherwise on a like one."""
    measured = exists().where(MeasurementRow.evaluation_id == Submission.evaluation_id)
    newest = (
        select(Submission)
        .join(Phase, Submission.phase_id == Phase.id)
        .where(
            Submission.team_id.in_(teams_of(who.account_id)),
            Submission.code_sha256 == code_sha256,
            Phase.competition_id == phase.competition_id,
            Phase.device == phase.device,
            Phase.data_hidden.is_(False),
            measured,
        )
        .order_by((Phase.benchmark_id == phase.benchmark_id).desc(), Submission.created_at.desc())
        .options(joinedload(Submission.phase).joinedload(Phase.benchmark), joinedload(Submission.evaluation))
        .limit(NEWEST)
    )
    for one in session.scalars(newest):
        scale = _scale(one.evaluation, phase)
        if scale is not None:
            return _read(session, one, scale)
    return None


def _scale(evaluation: Evaluation, phase: Phase) -> float | None:
    """Return how much longer a run takes on a phase's benchmark: by training examples; None if nobody can tell."""
    if evaluation.benchmark_id == phase.benchmark_id:
        return 1.0
    there, here = evaluation.benchmark.manifest, phase.benchmark.manifest
    examples = _examples(there), _examples(here)
    if not all(examples) or there.get("architecture") != here.get("architecture"):
        return None
    return examples[1] / examples[0]


def _examples(manifest: dict[str, Any]) -> int:
    counts = manifest.get("counts") or {}
    return int(counts.get("retain", 0)) + int(counts.get("forget", 0))


def _read(session: ReadSession, submission: Submission, scale: float) -> _Known:
    rows = session.execute(
        select(MeasurementRow.run_s, MeasurementRow.peak_memory_bytes)
        .where(MeasurementRow.evaluation_id == submission.evaluation_id)
        .order_by(MeasurementRow.seed)
        .limit(MOST_RUNS)
    ).all()
    memory = [row.peak_memory_bytes for row in rows if row.peak_memory_bytes is not None]
    return _Known(submission.phase, [row.run_s * scale for row in rows], max(memory, default=None), scale)


def _warnings(session: ReadSession, phase: Phase, known: _Known, kind: SubmissionKind) -> list[str]:
    """Say which limits of the phase the runs are likely to break."""
    warnings, span = [], known.span
    if kind is SubmissionKind.NOTEBOOK:
        total_s = span.expected * phase.seeds
        if total_s > phase.notebook_timeout_s:
            warnings.append(
                f"The notebook is likely to take {total_s:.0f} s, and phase {phase.slug} ends it after "
                f"{phase.notebook_timeout_s:.0f} s. Do less work for each checkpoint."
            )
    elif span.high > phase.seed_timeout_s:
        at_times = f", at times {span.high:.3g} s" if span.high > span.expected else ""
        warnings.append(
            f"A run is likely to take {span.expected:.3g} s{at_times}, and phase {phase.slug} ends it after "
            f"{phase.seed_timeout_s:g} s. Do less work in each call of unlearning()."
        )
    if known.peak_memory_bytes is not None and known.peak_memory_bytes > phase.memory_bytes:
        warnings.append(
            f"A run needed {known.peak_memory_bytes / 2**20:.0f} MiB of memory, and phase {phase.slug} allows "
            f"{phase.memory_bytes / 2**20:.0f} MiB. Use smaller batches, or keep fewer copies of the data."
        )
    retrain_s = retrainings(session, [phase.id])[phase.id].run_s
    if retrain_s and span.expected / retrain_s > phase.max_time_ratio:
        warnings.append(
            f"A run is likely to take {span.expected / retrain_s:.0%} of the time of a retraining, and phase "
            f"{phase.slug} ranks nothing above {phase.max_time_ratio:.0%}. Do less work in each run."
        )
    return warnings
