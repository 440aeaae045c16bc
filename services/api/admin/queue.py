"""Reads the queue: evaluations that wait or run, the leases of workers, and recent platform failures."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select, true
from sqlalchemy.orm import joinedload

from services.api.admin.schemas import (
    FirstSubmissionOut,
    LeaseOut,
    OpenEvaluationOut,
    PhaseQueueOut,
    PlatformFailureOut,
    QueueOut,
)
from services.core.models import (
    Competition,
    Evaluation,
    Line,
    MeasurementRow,
    Phase,
    ReRun,
    Shard,
    State,
    Submission,
)
from services.core.store.database import ReadSession, utc_now

__all__ = ["read_queue"]

OPEN = (State.QUEUED, State.RUNNING)
MOST_EVALUATIONS = 100
MOST_FAILURES = 20
# As in the index of these: no parameter, so that the database takes it.
PLATFORM: ColumnElement[str] = literal_column("'platform'")


def read_queue(session: ReadSession, competition: Competition | None = None) -> QueueOut:
    """Read the queue of the whole installation, or of one competition."""
    own = true() if competition is None else Phase.competition_id == competition.id
    now = utc_now()
    phases = _phases(session, own, now)
    waits = [phase.oldest_queued_s for phase in phases if phase.oldest_queued_s is not None]
    return QueueOut(
        shards=_shards(session, own),
        oldest_queued_s=max(waits, default=None),
        phases=phases,
        evaluations=_open_evaluations(session, own, now),
        leases=_leases(session, own, now),
        platform_failures=_failures(session, own),
    )


def _shards(session: ReadSession, own: ColumnElement[bool]) -> dict[State, int]:
    """Count the shards that wait and run: lines know how many wait, and no more run than there are slots."""
    waiting = select(func.sum(Line.queued)).join(Phase, Phase.id == Line.phase_id)
    waiting = waiting.where(own, Line.queued > literal_column("0"))
    running = select(func.count(Shard.id)).join(Shard.evaluation).join(Evaluation.phase)
    running = running.where(own, Shard.state == State.RUNNING)
    return {State.QUEUED: session.scalar(waiting) or 0, State.RUNNING: session.scalar(running) or 0}


def _phases(session: ReadSession, own: ColumnElement[bool], now: datetime) -> list[PhaseQueueOut]:
    """Count open evaluations by phase, and return the age of the oldest one with a waiting shard."""
    by_phase = (Competition.slug, Phase.slug, Phase.device)
    statement = (
        select(*by_phase)
        .add_columns(
            func.count(Evaluation.id.distinct()).filter(Evaluation.state == State.QUEUED),
            func.count(Evaluation.id.distinct()).filter(Evaluation.state == State.RUNNING),
            func.min(Evaluation.created_at).filter(Shard.state == State.QUEUED),
        )
        .join(Evaluation.phase)
        .join(Phase.competition)
        .join(Shard, Shard.evaluation_id == Evaluation.id)
        .where(own, Evaluation.state.in_(OPEN))
        .group_by(*by_phase)
        .order_by(Competition.slug, Phase.slug)
    )
    return [
        PhaseQueueOut(
            competition=competition,
            phase=phase,
            device=device,
            queued=queued,
            running=running,
            oldest_queued_s=(now - oldest).total_seconds() if oldest else None,
        )
        for competition, phase, device, queued, running, oldest in session.execute(statement)
    ]


def _open_evaluations(session: ReadSession, own: ColumnElement[bool], now: datetime) -> list[OpenEvaluationOut]:
    """List the evaluations that wait or run, in the order in which workers take them."""
    statement = _evaluations().where(own, Evaluation.state.in_(OPEN))
    rows = session.scalars(statement.order_by(Evaluation.created_at, Evaluation.id).limit(MOST_EVALUATIONS)).all()
    wanted = [row.id for row in rows]
    attempts = dict(
        session.execute(
            select(Shard.evaluation_id, func.max(Shard.attempt))
            .where(Shard.evaluation_id.in_(wanted))
            .group_by(Shard.evaluation_id)
        ).all()
    )
    again = set(session.scalars(select(ReRun.evaluation_id).where(ReRun.evaluation_id.in_(wanted))))
    submitted = _submitted(session, rows)
    return [
        OpenEvaluationOut(
            id=row.id,
            competition=row.phase.competition.slug,
            phase=row.phase.slug,
            state=row.state,
            seeds=row.seeds,
            seeds_done=row.seeds_done,
            age_s=(now - row.created_at).total_seconds(),
            running_s=(now - row.started_at).total_seconds() if row.started_at else None,
            attempt=attempts.get(row.id, 0),
            is_re_run=row.id in again,
            submission=submitted.get(row.id),
        )
        for row in rows
    ]


def _leases(session: ReadSession, own: ColumnElement[bool], now: datetime) -> list[LeaseOut]:
    """List the shards that workers hold, by worker. Idle workers are not listed."""
    done = and_(
        MeasurementRow.evaluation_id == Shard.evaluation_id,
        MeasurementRow.seed >= Shard.seed_start,
        MeasurementRow.seed < Shard.seed_stop,
    )
    counted = session.execute(
        select(Shard.id, func.count(MeasurementRow.seed))
        .join(Shard.evaluation)
        .join(Evaluation.phase)
        .outerjoin(MeasurementRow, done)
        .where(own, Shard.state == State.RUNNING)
        .group_by(Shard.id)
    )
    seeds_done = dict(counted.all())
    statement = (
        select(Shard)
        .options(joinedload(Shard.evaluation).joinedload(Evaluation.phase).joinedload(Phase.competition))
        .where(Shard.id.in_(seeds_done))
        .order_by(Shard.worker, Shard.evaluation_id, Shard.seed_start)
    )
    return [
        LeaseOut(
            worker=shard.worker or "",
            device_class=shard.evaluation.device_class,
            evaluation_id=shard.evaluation_id,
            competition=shard.evaluation.phase.competition.slug,
            phase=shard.evaluation.phase.slug,
            seed_start=shard.seed_start,
            seed_stop=shard.seed_stop,
            seeds_done=seeds_done[shard.id],
            attempt=shard.attempt,
            expires_in_s=(shard.lease_expires_at - now).total_seconds() if shard.lease_expires_at else 0.0,
        )
        for shard in session.scalars(statement)
    ]


def _failures(session: ReadSession, own: ColumnElement[bool]) -> list[PlatformFailureOut]:
    """List the newest evaluations that failed through the platform after every retry."""
    statement = _evaluations().where(own, Evaluation.failure_kind == PLATFORM, Evaluation.state == State.FAILED)
    rows = session.scalars(statement.order_by(Evaluation.finished_at.desc(), Evaluation.id).limit(MOST_FAILURES)).all()
    submitted = _submitted(session, rows)
    return [
        PlatformFailureOut(
            evaluation_id=row.id,
            competition=row.phase.competition.slug,
            phase=row.phase.slug,
            message=row.failure_message or "",
            failed_at=row.finished_at,
            submission=submitted.get(row.id),
        )
        for row in rows
    ]


def _evaluations() -> Select[Evaluation]:
    loaded = joinedload(Evaluation.phase).joinedload(Phase.competition)
    return select(Evaluation).options(loaded).join(Phase, Evaluation.phase_id == Phase.id)


def _submitted(session: ReadSession, rows: Iterable[Evaluation]) -> dict[UUID, FirstSubmissionOut]:
    """Find the first submission of each evaluation; of a re-run, that of the evaluation which it replaces."""
    wanted = {row.id for row in rows}
    replaces = select(ReRun.evaluation_id, ReRun.replaced_id).where(ReRun.evaluation_id.in_(wanted))
    again = dict(session.execute(replaces).all())
    statement = (
        select(Submission)
        .options(joinedload(Submission.team))
        .where(Submission.evaluation_id.in_({again.get(one, one) for one in wanted}))
    )
    first: dict[UUID, FirstSubmissionOut] = {}
    for one in session.scalars(statement.order_by(Submission.created_at, Submission.id)):
        first.setdefault(one.evaluation_id, FirstSubmissionOut(id=one.id, name=one.name, team=one.team.name))
    return {one: first[again.get(one, one)] for one in wanted if again.get(one, one) in first}
