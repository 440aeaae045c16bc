"""Which computed leaderboard a reader sees. Requests read; the scorer computes when pointers have moved.

Pointers of one phase move one after another, each at a later moment than the one before, by the database's clock. So a
moment names one state of the leaderboard for ever, and any state can be computed again. Stored ones are a cache.
"""

from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from services.core.errors import Unavailable
from services.core.models import AskedBoard, LeaderboardEntry, Phase, Standings
from services.core.store.database import ReadSession, WriteSession, clock

__all__ = [
    "StandingsNotReady",
    "ask",
    "find",
    "lock_board",
    "moment_at",
    "newest",
    "next_moment",
    "not_ready",
    "stands_at",
]

MAX_ASKED = 20  # earlier boards of one phase that may wait to be computed
RETRY_AFTER_S = 2
TICK = timedelta(microseconds=1)
# Built once, because every page begins with one of them.
DONE = select(Standings).where(Standings.phase_id == bindparam("phase"), Standings.done_at.is_not(None)).limit(1)
NEWEST = DONE.order_by(Standings.moment.desc(), Standings.id.desc())
OF_MOMENT = DONE.where(Standings.moment == bindparam("moment")).order_by(Standings.id.desc())


class StandingsNotReady(Unavailable):
    """The leaderboard as of that moment is being computed."""

    code = "standings_not_ready"


def lock_board(session: WriteSession, phase: Phase) -> Phase:
    """Lock a phase before one of its pointers moves. Others may still insert rows that refer to the phase."""
    statement = select(Phase).where(Phase.id == phase.id).with_for_update(key_share=True)
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def next_moment(session: WriteSession, phase: Phase) -> datetime:
    """Return the moment of a move, later than every earlier move of the phase, which must be locked."""
    now = clock(session)
    phase.board_moved_at = now if phase.board_moved_at is None else max(now, phase.board_moved_at + TICK)
    session.flush()
    return phase.board_moved_at


def moment_at(session: ReadSession, phase: Phase, when: datetime) -> datetime | None:
    """Find the last move of a phase's pointers up to a time; None if there was none yet."""
    if phase.board_moved_at is None or phase.board_moved_at <= when:
        return phase.board_moved_at
    found = [
        session.scalar(select(func.max(column)).where(LeaderboardEntry.phase_id == phase.id, column <= when))
        for column in (LeaderboardEntry.published_at, LeaderboardEntry.retired_at)
    ]
    return max((one for one in found if one is not None), default=None)


def stands_at(moment: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Select the pointers of the leaderboard as of a moment."""
    entry = LeaderboardEntry
    return and_(entry.published_at <= moment, or_(entry.retired_at.is_(None), entry.retired_at > moment))


def newest(session: ReadSession, phase: Phase) -> Standings | None:
    """Find the newest leaderboard that is computed; it may lag behind the pointers for a moment."""
    return session.scalars(NEWEST, {"phase": phase.id}).one_or_none()


def find(session: ReadSession, phase: Phase, moment: datetime) -> Standings | None:
    """Find the leaderboard as of the moment of a move."""
    return session.scalars(OF_MOMENT, {"phase": phase.id, "moment": moment}).one_or_none()


def not_ready(moment: datetime) -> StandingsNotReady:
    """Say that the leaderboard as of a moment will be computed."""
    return StandingsNotReady(
        f"The leaderboard as of {moment.isoformat()} is being computed. Ask again in {RETRY_AFTER_S} s.",
        retry_after_s=RETRY_AFTER_S,
    )


def ask(session: WriteSession, phase: Phase, moment: datetime) -> None:
    """Note that somebody waits for the leaderboard as of the moment of a move, unless too many are waiting already."""
    asked = and_(AskedBoard.phase_id == phase.id, AskedBoard.moment == moment)
    waiting = session.scalar(select(func.count()).where(AskedBoard.phase_id == phase.id)) or 0
    if waiting < MAX_ASKED and not session.scalar(select(exists().where(asked))):
        try:
            with session.begin_nested():
                session.add(AskedBoard(phase_id=phase.id, moment=moment))
        except IntegrityError:
            pass  # another request asked for it meanwhile
