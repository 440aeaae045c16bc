"""Whose turn it is: check phases first, then the team that was served least lately, then age.

A team's turn in a competition lasts for as many claims as the competition weighs; then it goes behind all others. So
between two of its turns no other team has more than one, however much each has queued. Runs for rescorings count as one
team. Reference rows of the platform run if nothing else waits that a worker can run. A claim costs its part of the turn
whatever becomes of it: if a shard that was given back cost nothing, a worker on which one team's entries break would
serve nobody else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from services.core.models import Competition, Device, Line, Phase, PhaseKind, Shard, State
from services.core.queue.lines import BEHIND_ALL, sharing_turns
from services.core.queue.retries import LONGEST_WAIT_S
from services.core.store.database import ReadSession, WriteSession

__all__ = ["MAX_WEIGHT", "WorkerOffer", "barred", "choice_of_shard", "far_ahead", "is_past", "next_shard", "spend"]

MAX_WEIGHT = 100  # so that even the longest turn ends soon


@dataclass(frozen=True, slots=True)
class WorkerOffer:
    """The device, class and memory that a worker offers."""

    worker: str
    device: Device
    device_class: str  # one evaluation stays on one class, because results differ between classes
    memory_bytes: int
    environments: frozenset[str] | None = None  # that it has; None if it runs everything on one Python


def next_shard(session: ReadSession, offer: WorkerOffer, now: datetime) -> UUID | None:
    """Find the shard that a worker should claim next."""
    values = {
        "now": now,
        "far_ahead": far_ahead(now, LONGEST_WAIT_S),
        "device": offer.device,
        "device_class": offer.device_class,
        "memory_bytes": offer.memory_bytes,
        "worker": barred(offer.worker),
    }
    if offer.environments is not None:
        values["environments"] = sorted(offer.environments)
    return session.scalar(choice_of_shard(any_environment=offer.environments is None), values)


@cache
def choice_of_shard(*, any_environment: bool) -> Select[UUID]:
    """Select the shard to claim, by the parameters of `next_shard`. Built once, since that takes longer than to run it.

    Each phase that the worker can serve gives the first of its lines with a claimable shard, by an index. So the work
    does not grow with the number of shards, nor with lines that wait for other workers.
    """
    line, first = aliased(Line), aliased(Line)
    first_in_phase = (
        select(first.id)
        .where(
            first.phase_id == Phase.id,
            first.queued > literal_column("0"),  # as the partial index says it
            _oldest(first).is_not(None),
        )
        .order_by(first.turn, first.created_at, first.id)
        .limit(1)
        .correlate(Phase)
        .scalar_subquery()
    )
    statement = (
        select(Shard.id)
        .select_from(Phase)
        .join(line, line.id == first_in_phase)
        .join(Shard, Shard.id == _oldest(line))
        .where(Phase.device == bindparam("device"), Phase.memory_bytes <= bindparam("memory_bytes"))
        .order_by(
            case((and_(Phase.kind == PhaseKind.CHECK, line.turn < literal_column(str(BEHIND_ALL))), 0), else_=1),
            line.turn,
            Shard.queued_at,
            line.id,
        )
        .limit(1)
    )
    if any_environment:
        return statement
    return statement.where(Phase.environment.in_(bindparam("environments", expanding=True)))


def spend(session: WriteSession, line_id: UUID) -> None:
    """Take one claim from the turn of a line and of all that share it; after the last one they go behind all others."""
    line = session.get_one(Line, line_id)
    if line.turn == BEHIND_ALL:
        return
    sharing = sharing_turns(line.phase, line.team_id).with_for_update()
    lines = {one.id: one for one in session.scalars(sharing.execution_options(populate_existing=True))}
    left = lines[line_id].turns_left - 1
    values = {"turns_left": left} if left > 0 else _behind_all(session, line.phase)
    session.execute(update(Line).where(Line.id.in_(lines)).values(values))


def barred(worker: str) -> str:
    """Write the name of a worker as `Shard.avoids` holds it."""
    return f"|{worker}|"


def far_ahead(now: datetime, longest_s: float) -> datetime:
    """Return the moment after which none lies that our clock set, at most `longest_s` ahead."""
    return now + timedelta(seconds=2 * longest_s)


def is_past(
    moment: InstrumentedAttribute[Any], now: datetime | BindParameter[Any], far: datetime | BindParameter[Any]
) -> ColumnElement[bool]:
    """Tell whether a moment is past; if it lies far ahead, it was set by another clock."""
    return or_(moment <= now, moment > far)


def _behind_all(session: WriteSession, phase: Phase) -> dict[str, int]:
    last = session.scalars(select(func.max(Line.turn)).where(Line.turn < BEHIND_ALL)).one()
    weight = session.scalars(select(Competition.weight).where(Competition.id == phase.competition_id)).one()
    return {"turn": last + 1, "turns_left": weight}


def _oldest(line: type[Line]) -> ColumnElement[UUID | None]:
    """Find the oldest shard of a line that can be claimed now; in a line, what has begun is older than what has not."""
    begun, new = aliased(Shard), aliased(Shard)
    found = [
        select(shard.id)
        .where(
            shard.line_id == line.id,
            shard.state == State.QUEUED,
            of_class,
            is_past(shard.available_at, bindparam("now"), bindparam("far_ahead")),
            or_(
                shard.avoids.is_(None),
                func.replace(shard.avoids, bindparam("worker", type_=String), "") == shard.avoids,
            ),
        )
        .order_by(shard.device_class, shard.queued_at, shard.evaluation_id, shard.seed_start)
        .limit(1)
        .correlate(line)
        .scalar_subquery()
        for shard, of_class in (
            (begun, begun.device_class == bindparam("device_class")),
            (new, new.device_class.is_(None)),
        )
    ]
    return func.coalesce(*found)
