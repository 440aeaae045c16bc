"""Reading a leaderboard page by page. The scorer computed it; a page costs the same whatever the size of the board."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Row, bindparam, select, type_coerce

from services.api.leaderboard.schemas import EntryOut
from services.core.board import standings
from services.core.board.shown import FiguresForm
from services.core.models import (
    Evaluation,
    LeaderboardEntry,
    Phase,
    Reference,
    Score,
    StandingRow,
    Standings,
    Submission,
    Team,
    TeamMember,
)
from services.core.store.database import Database, ReadSession

__all__ = ["as_of", "find_own", "read_own", "read_page"]

# Columns and not rows, and statements that are built once: a page of 50 then takes half as long.
_SCORE = [getattr(Score, name) for name in FiguresForm.model_fields]
_SUITES = type_coerce(Score.suites, JSON).label("suites")  # written by a form that checks it
PLACES = (
    select(StandingRow.rank, StandingRow.unranked, StandingRow.rank_best, StandingRow.rank_worst)
    .add_columns(StandingRow.tie_group, StandingRow.time_ratio)
    .add_columns(LeaderboardEntry.submission_id, LeaderboardEntry.reference, LeaderboardEntry.submitted_at)
    .add_columns(Team.name.label("team"), Submission.name.label("submission"))
    .add_columns(Score.id.label("score_id"), Score.evaluation_id, *_SCORE, _SUITES, Score.certificate)
    .add_columns(Evaluation.started_at, Evaluation.finished_at)
    .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
    .join(Team, Team.id == LeaderboardEntry.team_id)
    .join(Submission, Submission.id == LeaderboardEntry.submission_id)
    .join(Score, Score.id == LeaderboardEntry.score_id)
    .join(Evaluation, Evaluation.id == Submission.evaluation_id)
    .order_by(StandingRow.position)
)
PAGE = PLACES.where(
    StandingRow.standings_id == bindparam("board"), StandingRow.position.between(bindparam("first"), bindparam("last"))
)
OTHERS = select(Score.evaluation_id, *_SCORE).order_by(Score.metric)


def as_of(session: ReadSession, database: Database, phase: Phase, moment: datetime | None) -> Standings | None:
    """Find the leaderboard as of a time, or the newest one; None if it had no entry yet.

    Raises StandingsNotReady, once it has asked the scorer, for an earlier one that is not stored any more.
    """
    if moment is None:
        return standings.newest(session, phase)
    move = standings.moment_at(session, phase, moment)
    if move is None:
        return None
    found = standings.find(session, phase, move)
    if found is None:
        with database.write() as writing:
            standings.ask(writing, phase, move)
        raise standings.not_ready(move)
    return found


def find_own(session: ReadSession, board: Standings, account_id: UUID) -> list[UUID]:
    """Find the entries of an account's teams on a leaderboard, without references."""
    entry = LeaderboardEntry
    teams = select(TeamMember.team_id).where(TeamMember.account_id == account_id)
    statement = (
        select(entry.id)
        .where(entry.phase_id == board.phase_id, standings.stands_at(board.moment), entry.reference == Reference.NONE)
        .where(entry.team_id.in_(teams))
    )
    return list(session.scalars(statement.order_by(entry.submission_id)))


def read_page(session: ReadSession, board: Standings, *, after: int, limit: int) -> list[EntryOut]:
    """Read the places behind position `after`."""
    found = session.execute(PAGE, {"board": board.id, "first": after + 1, "last": after + limit})
    return _shown(session, found.all())


def read_own(session: ReadSession, board: Standings, entry_ids: Sequence[UUID]) -> list[EntryOut]:
    """Read the places of these entries, in order."""
    if not entry_ids:
        return []
    of = PLACES.where(StandingRow.standings_id == board.id, StandingRow.entry_id.in_(entry_ids))
    return _shown(session, session.execute(of).all())


def _shown(session: ReadSession, places: Sequence[Row[Any]]) -> list[EntryOut]:
    others = _other_scores(session, places)
    return [EntryOut.of(place, others.get(place.evaluation_id, [])) for place in places]


def _other_scores(session: ReadSession, places: Sequence[Row[Any]]) -> dict[UUID, list[Row[Any]]]:
    """Find the scores of the same evaluations by other metrics, by evaluation."""
    own = {place.score_id: place.evaluation_id for place in places}
    statement = OTHERS.where(Score.evaluation_id.in_(own.values()), Score.id.not_in(own))
    found: dict[UUID, list[Row[Any]]] = {}
    for score in session.execute(statement):
        found.setdefault(score.evaluation_id, []).append(score)
    return found
