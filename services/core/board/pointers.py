"""Moving the dated pointers of a leaderboard to the scores that count.

A pointer is never changed, only retired, so a leaderboard can be read as of any date. Where pointers should point is a
function of what is stored (`counting.py`). A scorer moves one team's, as does an exclusion; a campaign moves all of
them at once; undoing it puts back what the function gave before.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import insert, select, update

from services.core.board.counting import BestEntry, Key, Pointer, competes, displaces, runs_of, wanted
from services.core.board.off import is_off
from services.core.board.order import Retraining, TimedRun, fastest
from services.core.board.standings import lock_board, next_moment
from services.core.models import LeaderboardEntry, Phase, Reference, Score, Submission
from services.core.store.database import ReadSession, WriteSession

__all__ = ["Current", "current", "publish", "repoint", "retrainings"]

PORTION = 5_000  # pointers that one statement moves
Row = TypeVar("Row")


class Current(NamedTuple):
    """A pointer that has not been retired, and where it points."""

    id: UUID
    score_id: UUID


def current(
    session: ReadSession, phase: Phase, *, team_id: UUID | None = None, lock: bool = False
) -> dict[Key, Current]:
    """Find the current pointers, or those of one team."""
    entry = LeaderboardEntry
    statement = select(entry.team_id, entry.reference, entry.id, entry.score_id)
    statement = statement.where(entry.phase_id == phase.id, entry.retired_at.is_(None))
    if team_id is not None:
        statement = statement.where(entry.team_id == team_id)
    rows = session.execute(statement.with_for_update() if lock else statement)
    return {(row.team_id, row.reference): Current(row.id, row.score_id) for row in rows}


def repoint(session: WriteSession, phase: Phase, *, team_ids: Collection[UUID | None] = (None,)) -> int:
    """Move all pointers of a phase, or those of some teams, to where they should point; return how many moved.

    All move at one moment. The phase must be locked.
    """
    new: dict[Key, Pointer] = {}
    found: dict[Key, Current] = {}
    for team_id in team_ids:
        new |= wanted(session, phase, team_id=team_id)
        found |= current(session, phase, team_id=team_id, lock=True)
    moved = [
        key
        for key in new.keys() | found.keys()
        if key not in new or key not in found or found[key].score_id != new[key].score_id
    ]
    if not moved:
        return 0
    now = next_moment(session, phase)
    entry = LeaderboardEntry
    for some in _portions([found[key].id for key in moved if key in found]):
        retired = update(entry).where(entry.id.in_(some)).values(retired_at=now)
        session.execute(retired.execution_options(synchronize_session=False))
    rows = [_row(phase.id, new[key], now) for key in moved if key in new]
    for portion in _portions(rows):
        session.execute(insert(entry), portion)
    return len(moved)


def publish(session: WriteSession, submission: Submission, score: Score) -> bool:
    """Point the submission's team at this score, unless it has a better one; return whether it moved.

    The order in which submissions are scored does not matter: the result is that of `best_entries`. A submission that
    was scored before the last campaign that re-ran entries, and not re-run by it, moves nothing; nor does one that is
    off the board.
    """
    phase = lock_board(session, submission.phase)
    session.refresh(submission, ["team_id"])  # its team may have merged while we waited
    if is_off(session, submission):
        return False
    runs = runs_of(session, phase, evaluation_id=submission.evaluation_id)
    if not competes(session, runs, submission.evaluation_id):
        return False
    standing_now = session.scalars(
        select(LeaderboardEntry)
        .where(
            LeaderboardEntry.phase_id == submission.phase_id,
            LeaderboardEntry.team_id == submission.team_id,
            LeaderboardEntry.reference == submission.reference,
            LeaderboardEntry.retired_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    stands = BestEntry(submission, score).pointer
    if standing_now is not None:
        there = BestEntry(standing_now.submission, standing_now.score).pointer
        if not displaces(stands, there):
            return False
    now = next_moment(session, phase)
    if standing_now is not None:
        standing_now.retired_at = now
        session.flush()
    session.add(LeaderboardEntry(**_row(phase.id, stands, now)))
    return True


def retrainings(session: ReadSession, phases: Collection[UUID]) -> dict[UUID, Retraining]:
    """Return the fastest full retraining of each phase by its current leaderboard."""
    entry = LeaderboardEntry
    statement = (
        select(entry.phase_id, entry.reference, Score.run_s, Score.cost)
        .join(Score, entry.score_id == Score.id)
        .where(entry.phase_id.in_(phases), entry.retired_at.is_(None), entry.reference != Reference.NONE)
    )
    found: dict[UUID, list[TimedRun]] = {phase: [] for phase in phases}
    for row in session.execute(statement):
        found[row.phase_id].append(TimedRun(row.reference, row.run_s, row.cost))
    return {phase: fastest(runs) for phase, runs in found.items()}


def _row(phase_id: UUID, pointer: Pointer, now: datetime) -> dict[str, Any]:
    return {"phase_id": phase_id, "published_at": now} | pointer._asdict()


def _portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[first : first + PORTION] for first in range(0, len(rows), PORTION))
