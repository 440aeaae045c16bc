"""Reading a leaderboard page by page. The scorer computed it; a page costs the same whatever the size of the board."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Select, and_, bindparam, func, select, type_coerce
from sqlalchemy.orm import aliased, load_only

from services.api.competitions.finding import PHASE
from services.api.competitions.finding import find_phase as look_up_phase
from services.api.competitions.rights import reviews
from services.api.kit.auth import Principal
from services.api.leaderboard.schemas import Entry, add_other, entry_of
from services.api.teams.seats import teams_of
from services.core.board import standings
from services.core.board.shown import FiguresForm
from services.core.finals.sealed import is_sealed, require_unsealed
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
)
from services.core.store.database import Database, ReadSession

__all__ = ["as_of", "find_own", "find_phase", "last_renamed_at", "read_own", "read_page", "require_board"]

# Columns and not objects, in statements that are built once: a page of 50 then takes a third of the time.
_FIGURES = [getattr(Score, name) for name in FiguresForm.model_fields]
PLACES = (
    select(Team.name.label("entry"), LeaderboardEntry.submission_id, Submission.name.label("submission"))
    .add_columns(LeaderboardEntry.reference, StandingRow.rank, StandingRow.unranked.label("unranked_reason"))
    .add_columns(StandingRow.rank_best, StandingRow.rank_worst, StandingRow.tie_group, *_FIGURES)
    .add_columns(type_coerce(Score.suites, JSON).label("suites"), Score.certificate, Score.variance, Score.cost)
    .add_columns(StandingRow.ratio_low.label("time_ratio_low"), StandingRow.ratio_high.label("time_ratio_high"))
    .add_columns(StandingRow.time_ratio, StandingRow.draws, StandingRow.luck, LeaderboardEntry.submitted_at)
    .add_columns(Evaluation.started_at, Evaluation.finished_at, StandingRow.position)
    .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
    .join(Team, Team.id == LeaderboardEntry.team_id)
    .join(Submission, Submission.id == LeaderboardEntry.submission_id)
    .join(Score, Score.id == LeaderboardEntry.score_id)
    .join(Evaluation, Evaluation.id == Submission.evaluation_id)
    .order_by(StandingRow.position)
)
LAST_RENAMED = select(func.max(Team.renamed_at))
_Other = aliased(Score)
OTHERS = (
    select(StandingRow.position, *(getattr(_Other, name) for name in FiguresForm.model_fields))
    .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
    .join(Score, Score.id == LeaderboardEntry.score_id)
    .join(_Other, and_(_Other.evaluation_id == Score.evaluation_id, _Other.id != Score.id))
    .order_by(_Other.metric)
)
ON_PAGE = and_(
    StandingRow.standings_id == bindparam("board"), StandingRow.position.between(bindparam("first"), bindparam("last"))
)
OF_ENTRIES = and_(
    StandingRow.standings_id == bindparam("board"), StandingRow.entry_id.in_(bindparam("entries", expanding=True))
)
OWN_ENTRIES = (
    select(LeaderboardEntry.id)
    .where(LeaderboardEntry.phase_id == bindparam("phase"), standings.stands_at(bindparam("moment")))
    .where(LeaderboardEntry.reference == Reference.NONE)
    .where(LeaderboardEntry.team_id.in_(teams_of(bindparam("account"))))
    .order_by(LeaderboardEntry.submission_id)
)
PHASE_OF_BOARD = PHASE.options(load_only(Phase.kind, Phase.metric, Phase.max_time_ratio, Phase.board_moved_at))
PAGE, OTHERS_ON_PAGE = PLACES.where(ON_PAGE), OTHERS.where(ON_PAGE)
OWN, OTHERS_OF_OWN = PLACES.where(OF_ENTRIES), OTHERS.where(OF_ENTRIES)


def last_renamed_at(session: ReadSession) -> datetime | None:
    """Return when names on boards last changed with no move of a score: when a team was last renamed."""
    return session.scalar(LAST_RENAMED)


def find_phase(session: ReadSession, competition: str, slug: str, who: Principal | None) -> Phase:
    """Find the phase of a leaderboard, without what only other pages show. Raises NotFound."""
    return look_up_phase(session, competition, slug, PHASE_OF_BOARD, who=who)


def require_board(who: Principal | None, phase: Phase) -> None:
    """Raise BoardSealed if the caller may not see the board of a sealed final."""
    if is_sealed(phase) and not reviews(who, phase.competition):
        require_unsealed(phase)


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
    of = {"phase": board.phase_id, "moment": board.moment, "account": account_id}
    return list(session.connection().execute(OWN_ENTRIES, of).scalars())


def read_page(session: ReadSession, board: Standings, *, after: int, limit: int) -> list[Entry]:
    """Read the places behind position `after`."""
    return _read(session, PAGE, OTHERS_ON_PAGE, {"board": board.id, "first": after + 1, "last": after + limit})


def read_own(session: ReadSession, board: Standings, entry_ids: Sequence[UUID]) -> list[Entry]:
    """Read the places of these entries, in order."""
    return _read(session, OWN, OTHERS_OF_OWN, {"board": board.id, "entries": entry_ids}) if entry_ids else []


def _read(session: ReadSession, places: Select[Any], others: Select[Any], of: dict[str, Any]) -> list[Entry]:
    found = {place.pop("position"): entry_of(place) for place in _fields(session, places, of)}
    for other in _fields(session, others, of):
        add_other(found[other.pop("position")], other)
    return list(found.values())


def _fields(session: ReadSession, statement: Select[Any], of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    rows = session.connection().execute(statement, of)
    names = tuple(rows.keys())
    return (dict(zip(names, row, strict=True)) for row in rows)
