"""Reading a leaderboard as of a moment, one page at a time by key."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from services.api.leaderboard.schemas import EntryOut
from services.core.board.order import Place, Submitted
from services.core.board.paired import HalvedScore
from services.core.board.ranking import BoardLine, standings
from services.core.models import LeaderboardEntry, Phase, Reference, Score, Submission, TeamMember
from services.core.store.database import ReadSession

__all__ = ["BoardPage", "Version", "find_own", "read_page", "version_of"]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a leaderboard: two readings of one version are the same."""

    changed_at: datetime | None  # when the leaderboard last changed; None before its first entry
    changes: int


@dataclass(frozen=True, slots=True)
class BoardPage:
    """One page of a leaderboard."""

    items: list[EntryOut]
    own: list[EntryOut]
    metric: str  # that the leaderboard ranked by at that moment
    total: int
    last: Place | None  # of the page, when more follow


def version_of(session: ReadSession, phase: Phase, moment: datetime) -> Version:
    """Find when the leaderboard last changed before a moment, without reading it."""
    changed = []
    changes = 0
    for column in (LeaderboardEntry.published_at, LeaderboardEntry.retired_at):
        statement = select(func.max(column), func.count()).where(
            LeaderboardEntry.phase_id == phase.id, column <= moment
        )
        newest, count = session.execute(statement).one()
        changes += count
        if newest is not None:
            changed.append(newest)
    return Version(max(changed, default=None), changes)


def find_own(session: ReadSession, phase: Phase, moment: datetime, account_id: UUID) -> list[UUID]:
    """Find the submissions of an account's teams that are entries as of a moment, without references."""
    entry = LeaderboardEntry
    teams = select(TeamMember.team_id).where(TeamMember.account_id == account_id)
    statement = (
        select(entry.submission_id)
        .where(entry.phase_id == phase.id, _stands_at(moment), entry.reference == Reference.NONE)
        .where(entry.team_id.in_(teams))
    )
    return list(session.scalars(statement.order_by(entry.submission_id)))


def read_page(
    session: ReadSession,
    phase: Phase,
    moment: datetime,
    *,
    limit: int,
    after: Place | None,
    own: Collection[UUID],
) -> BoardPage:
    """Read one page of the leaderboard as of a moment, and the submissions `own`. Ranks and ties count all entries."""
    lines = sorted(_lines(session, phase, moment), key=_place)
    submissions = [line.submitted.submission_id for line in lines]
    standing = standings(lines, phase.max_time_ratio)
    start = bisect_right(lines, after, key=_place) if after else 0
    on_page = range(len(lines))[start : start + limit]
    of_own = [position for position, submission_id in enumerate(submissions) if submission_id in own]
    rows = _rows(session, phase, moment, [submissions[position] for position in {*on_page, *of_own}])
    others = _other_scores(session, rows.values())

    def shown(position: int) -> EntryOut:
        row = rows[submissions[position]]
        return EntryOut.of(row, standing[position], others.get(row.score.evaluation_id, []))

    return BoardPage(
        items=[shown(position) for position in on_page],
        own=[shown(position) for position in of_own],
        metric=next((row.score.metric for row in rows.values()), phase.metric),
        total=len(lines),
        last=_place(lines[on_page[-1]]) if on_page.stop < len(lines) else None,
    )


def _place(line: BoardLine) -> Place:
    return line.place


def _lines(session: ReadSession, phase: Phase, moment: datetime) -> list[BoardLine]:
    entry = LeaderboardEntry
    statement = (
        select(entry.submission_id, entry.reference, entry.final_score, entry.submitted_at)
        .add_columns(Score.halves, Score.run_s, Score.flags)
        .join(Score, entry.score_id == Score.id)
        .where(entry.phase_id == phase.id, _stands_at(moment))
    )
    return [
        BoardLine(
            reference=row.reference,
            measured=HalvedScore(row.final_score, row.halves),
            run_s=row.run_s,
            submitted=Submitted(row.submitted_at, row.submission_id),
            flags=row.flags,
        )
        for row in session.execute(statement)
    ]


def _stands_at(moment: datetime) -> ColumnElement[bool]:
    entry = LeaderboardEntry
    return and_(entry.published_at <= moment, or_(entry.retired_at.is_(None), entry.retired_at > moment))


def _rows(
    session: ReadSession, phase: Phase, moment: datetime, submission_ids: Sequence[UUID]
) -> dict[UUID, LeaderboardEntry]:
    """Read the entries as of a moment, by submission."""
    statement = (
        select(LeaderboardEntry)
        .options(
            joinedload(LeaderboardEntry.team),
            joinedload(LeaderboardEntry.score),
            joinedload(LeaderboardEntry.submission).joinedload(Submission.evaluation),
        )
        .where(LeaderboardEntry.phase_id == phase.id, _stands_at(moment))
        .where(LeaderboardEntry.submission_id.in_(submission_ids))
    )
    return {row.submission_id: row for row in session.scalars(statement)}


def _other_scores(session: ReadSession, rows: Iterable[LeaderboardEntry]) -> dict[UUID, list[Score]]:
    """Find the scores of the same evaluations by other metrics, by evaluation."""
    own = {row.score_id: row.score.evaluation_id for row in rows}
    statement = select(Score).where(Score.evaluation_id.in_(own.values()), Score.id.not_in(own))
    found: dict[UUID, list[Score]] = {}
    for score in session.scalars(statement.order_by(Score.metric)):
        found.setdefault(score.evaluation_id, []).append(score)
    return found
