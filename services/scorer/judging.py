"""From a measured evaluation to its reports: reading its stored data and applying metrics. Nothing is written."""

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from services.core.bundle.directory import Bundle
from services.core.bundle.packing import Readings, find_readings
from services.core.bundle.store import materialise
from services.core.catalogue import find_metric
from services.core.errors import LetheError
from services.core.models import Evaluation, MeasurementRow, Score, SubmissionKind
from services.core.models.costs import CostForm
from services.core.processes import end_with_parent
from services.core.queue.lifecycle import submissions_of
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database, ReadSession
from services.core.submission.certificate import Claim
from services.scorer.costs import RunTime, cost_of
from services.scorer.histograms import Histograms
from services.scorer.losses import Losses, find_losses
from services.scorer.metrics import METRICS, BadArray, Evidence, Movement, Runs, ScoreCard, Sides
from services.scorer.scoring import Report, gather, score_by_all

__all__ = ["ORDER_UNKNOWN", "Judged", "Unscored", "judge", "judge_many", "judge_so_far", "load_evidence"]

POOL_FROM = 8  # evaluations, below which starting processes costs more than it saves
REASON_CHARS = 500
ORDER_UNKNOWN = "order_unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """An evaluation's reports, the first by the requested metric, and further values for the rows of its scores."""

    evaluation_id: UUID
    reports: list[Report]
    subjects: NDArray[np.integer[Any]] | None
    run_s: float
    cost: CostForm | None
    losses: Losses | None = None  # if they were asked for
    movement: Movement | None = None  # how the runs move weights; None if that is not clear


@dataclass(frozen=True, slots=True)
class Unscored:
    """An evaluation that could not be scored, with the reason."""

    evaluation_id: UUID
    reason: str

    @classmethod
    def because(cls, evaluation_id: UUID, error: Exception) -> Self:
        ours = isinstance(error, LetheError | BadArray)  # their messages are sentences
        return cls(evaluation_id, (str(error) if ours else f"{type(error).__name__}: {error}")[:REASON_CHARS])


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """The stored data of an evaluation."""

    bundle: Bundle
    readings: Readings
    runs: Runs | None
    run_s: float
    cost: CostForm | None
    kind: SubmissionKind
    claim: Claim | None
    upload_bytes: int

    def evidence(self, blobs: Blobs, *, models: int | None = None) -> Evidence:
        return gather(
            self.readings.load(blobs, models),
            self.bundle,
            run_s=self.run_s,
            independent=self.kind is not SubmissionKind.NOTEBOOK,
            claim=self.claim,
            runs=self.runs,
            upload_bytes=self.upload_bytes,
            stress=None if models is not None else self.readings.load_stress(blobs),
            placebo=None if models is not None else self.readings.load_placebo(blobs),
        )


def judge(
    database: Database, blobs: Blobs, settings: Settings, evaluation_id: UUID, metric: str, *, losses: bool = False
) -> Judged:
    """Judge by a metric; if the evaluation has no score yet, also by all other metrics. Find losses if asked to.

    Suites, alarms and certificate do not depend on the metric, so they are copied from an earlier score.
    Raises UnknownMetric, and BadArray if the metric cannot score the measurements.
    """
    with database.read() as session:
        stored = _find(session, blobs, settings, evaluation_id)
        earlier = session.scalars(select(Score).where(Score.evaluation_id == evaluation_id).limit(1)).one_or_none()
    evidence = stored.evidence(blobs)
    reports = score_by_all(metric, evidence) if earlier is None else [_card_alone(metric, evidence, earlier)]
    if stored.runs is None:
        reports = [_untested(report) for report in reports]
    lost = find_losses(evidence, stored.bundle) if losses else None
    return Judged(evaluation_id, reports, evidence.subjects, stored.run_s, stored.cost, lost, Movement.of(evidence))


def _untested(report: Report) -> Report:
    """Say that the independence of the runs was not tested."""
    return replace(report, card=replace(report.card, flags=(*report.card.flags, ORDER_UNKNOWN)))


def judge_so_far(
    database: Database, blobs: Blobs, settings: Settings, evaluation_id: UUID, metric: str, *, models: int
) -> ScoreCard:
    """Score the first `models` measured models by one metric, against as many models of the oracle.

    Raises UnknownMetric, and BadArray if the metric cannot score the measurements.
    """
    with database.read() as session:
        stored = _find(session, blobs, settings, evaluation_id)
    return METRICS[find_metric(metric).name](replace(stored, runs=None).evidence(blobs, models=models))


def load_evidence(database: Database, blobs: Blobs, settings: Settings, evaluation_id: UUID) -> Evidence:
    """Load what metrics need of a measured evaluation."""
    with database.read() as session:
        stored = _find(session, blobs, settings, evaluation_id)
    return stored.evidence(blobs)


def judge_many(
    database: Database, blobs: Blobs, settings: Settings, evaluation_ids: Sequence[UUID], metric: str
) -> Generator[Judged | Unscored, None, None]:
    """Judge evaluations on all cores; yield each when it is done. One that cannot be scored does not stop the others.

    If the generator is closed early, evaluations that have not begun are dropped.
    """
    if len(evaluation_ids) >= POOL_FROM:
        yield from _judge_beside(settings, evaluation_ids, metric)
        return
    for evaluation_id in evaluation_ids:
        yield _judged_or_why(database, blobs, settings, evaluation_id, metric)


def _judge_beside(
    settings: Settings, evaluation_ids: Sequence[UUID], metric: str
) -> Generator[Judged | Unscored, None, None]:
    """Judge in a pool of processes. If a process dies, halve the remaining evaluations until the culprit is found."""
    left = list(evaluation_ids)
    processes = min(os.cpu_count() or 1, len(left))
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=end_with_parent)
    try:
        for future in as_completed([pool.submit(_judge_one, settings, one, metric) for one in evaluation_ids]):
            outcome = future.result()
            left.remove(outcome.evaluation_id)
            yield outcome
    except BrokenProcessPool:
        if len(left) == 1:
            yield Unscored(left.pop(), "The process that scored this evaluation died. It may have run out of memory.")
    finally:
        pool.shutdown(cancel_futures=True)
    if left:
        for half in (left[: len(left) // 2], left[len(left) // 2 :]):
            yield from _judge_beside(settings, half, metric)


def _judge_one(settings: Settings, evaluation_id: UUID, metric: str) -> Judged | Unscored:
    global _opened  # noqa: PLW0603 - a process of the pool opens its database once
    if _opened is None:
        _opened = Database(settings.resolved_database_url), Blobs.from_settings(settings)
    return _judged_or_why(*_opened, settings, evaluation_id, metric)


def _judged_or_why(
    database: Database, blobs: Blobs, settings: Settings, evaluation_id: UUID, metric: str
) -> Judged | Unscored:
    try:
        return judge(database, blobs, settings, evaluation_id, metric)
    except Exception as error:
        return Unscored.because(evaluation_id, error)


_opened: tuple[Database, Blobs] | None = None


def _card_alone(metric: str, evidence: Evidence, earlier: Score) -> Report:
    card = METRICS[find_metric(metric).name](evidence)
    histograms = Histograms.of(card, Sides.of(evidence))
    return Report(card, histograms, earlier.suites, earlier.alarms, earlier.certificate)


def _find(session: ReadSession, blobs: Blobs, settings: Settings, evaluation_id: UUID) -> _Stored:
    evaluation = session.get_one(Evaluation, evaluation_id)
    submission = session.scalars(submissions_of(evaluation).limit(1)).one()  # all of an evaluation are the same code
    return _Stored(
        bundle=materialise(session, blobs, evaluation.benchmark.digest, settings.bundle_cache),
        readings=find_readings(session, evaluation_id),
        runs=_runs(session, evaluation_id),
        run_s=_mean_run_s(session, evaluation_id),
        cost=_cost(session, evaluation_id),
        kind=submission.kind,
        claim=submission.claim,
        upload_bytes=submission.size_bytes,
    )


def _runs(session: ReadSession, evaluation_id: UUID) -> Runs | None:
    """Read where and when each seed ran; None if that is unknown of any."""
    statement = select(MeasurementRow.sandbox, MeasurementRow.position).where(
        MeasurementRow.evaluation_id == evaluation_id
    )
    rows = session.execute(statement.order_by(MeasurementRow.seed)).all()
    if any(None in row for row in rows):
        return None
    sandboxes = np.unique([sandbox for sandbox, _ in rows], return_inverse=True)[1]
    return Runs(sandboxes, np.array([position for _, position in rows]))


def _cost(session: ReadSession, evaluation_id: UUID) -> CostForm | None:
    of = MeasurementRow
    statement = select(of.sandbox, of.run_s, of.cpu_s, of.trainer_s, of.trainer_cpu_s)
    statement = statement.add_columns(of.empty_s, of.empty_cpu_s)
    found = session.execute(statement.where(of.evaluation_id == evaluation_id).order_by(of.seed))
    return cost_of(RunTime(*row) for row in found)


def _mean_run_s(session: ReadSession, evaluation_id: UUID) -> float:
    statement = select(func.avg(MeasurementRow.run_s)).where(MeasurementRow.evaluation_id == evaluation_id)
    return float(session.scalars(statement).one())
