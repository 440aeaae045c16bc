"""What a frozen competition holds: what everybody may read on its pages, and receipts of the scores on its boards."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from services.api.competitions.finding import phases_of
from services.api.finals.schemas import JointOut
from services.api.finals.service import joint_board
from services.api.leaderboard import service as leaderboard
from services.api.leaderboard.schemas import Entry
from services.api.record.receipts import statement_about
from services.api.winners.schemas import FinalistOut
from services.api.winners.service import show_finalists
from services.core.board import standings
from services.core.board.shown import ScoreForm
from services.core.errors import NotFound
from services.core.finals.sealed import is_sealed
from services.core.models import (
    Act,
    Announcement,
    Competition,
    Final,
    Finalist,
    FinalistState,
    LeaderboardEntry,
    Phase,
    Score,
    StandingRow,
    Standings,
    Submission,
    Visibility,
)
from services.core.record.chain import Link, links
from services.core.record.figures import digests_of
from services.core.store.database import Database, ReadSession, utc_now

__all__ = [
    "Board",
    "all_phases",
    "announcements",
    "boards_of",
    "decided",
    "entries",
    "find_any",
    "find_to_freeze",
    "joint_rows",
    "needed",
    "open_phases",
    "receipts",
    "record_of",
    "score_ids",
    "scores",
]

PORTION = 200
LAST = 10**9
# Acts that everybody can see in another form already. Of all others the record shows only the place and the hash.
PUBLIC_ACTS = frozenset({Act.FINAL_STARTED, Act.FINAL_PUBLISHED, Act.CAMPAIGN_PUBLISHED, Act.CAMPAIGN_UNDONE})


@dataclass(frozen=True, slots=True)
class Board:
    """A computed leaderboard of a phase, and what to call it."""

    phase: Phase
    name: str  # of its files
    title: str
    standings: Standings


def find_any(session: ReadSession, slug: str) -> Competition:
    """Find a competition for whoever has the database, also if nobody else sees it. Raises NotFound."""
    found = session.scalars(select(Competition).where(Competition.slug == slug)).one_or_none()
    if found is None or found.visibility is Visibility.DELETED:
        raise NotFound(f"There is no competition {slug!r} on this installation. Check its short name.")
    return found


def find_to_freeze(session: ReadSession, slug: str) -> Competition:
    """Find a competition that others can see. Raises NotFound."""
    found = find_any(session, slug)
    if found.visibility is Visibility.DRAFT:
        raise NotFound(f"{slug!r} is a draft, which nobody else sees. Set `visibility` in its file first.")
    return found


def all_phases(session: ReadSession, competition: Competition) -> list[Phase]:
    """List the phases of a competition in the order in which they open."""
    return phases_of(session, [competition])[competition.id]


def open_phases(session: ReadSession, competition: Competition) -> list[Phase]:
    """List the phases whose boards everybody may read."""
    return [phase for phase in all_phases(session, competition) if not is_sealed(phase)]


def needed(session: ReadSession, phase: Phase) -> list[tuple[str, str, datetime | None]]:
    """List the boards of a phase that an archive holds: name, title, and the time that it is of; None: the newest."""
    wanted: list[tuple[str, str, datetime | None]] = [("board", "The final state", None)]
    final = None if phase.final_part is None else phase.final_part.final
    if final is not None:
        wanted.append(("board-as-published", "As published", final.published_at))
    elif phase.closes_at <= utc_now():
        wanted.append(("board-as-closed", "When the phase closed", phase.closes_at))
    return wanted


def boards_of(session: ReadSession, database: Database, phase: Phase) -> list[Board]:
    """Find the boards of a phase. Raises StandingsNotReady, once it has asked the scorer, if one is not computed."""
    found: list[Board] = []
    for name, title, when in needed(session, phase):
        board = leaderboard.as_of(session, database, phase, when)
        if when is None and (board and board.moment) != phase.board_moved_at:
            assert phase.board_moved_at is not None
            raise standings.not_ready(phase.board_moved_at)
        if board is not None and all(board.moment != one.standings.moment for one in found):
            found.append(Board(phase, name, title, board))
    return found


def entries(session: ReadSession, board: Board) -> Iterator[Entry]:
    """Read the places of a board, best first."""
    for after in range(0, board.standings.total, PORTION):
        yield from leaderboard.read_page(session, board.standings, after=after, limit=PORTION)


def score_ids(session: ReadSession, board: Board) -> Iterator[UUID]:
    """List the scores of a board in its order."""
    statement = select(LeaderboardEntry.score_id).join(StandingRow, StandingRow.entry_id == LeaderboardEntry.id)
    statement = statement.where(StandingRow.standings_id == board.standings.id).order_by(StandingRow.position)
    for after in range(0, board.standings.total, PORTION):
        yield from session.scalars(statement.where(StandingRow.position.between(after + 1, after + PORTION)))


def receipts(session: ReadSession, board: Board) -> Iterator[tuple[UUID, dict[str, Any]]]:
    """State the score of each entry of a board, in its order."""
    for submission, score in _scored(session, board):
        yield score.id, statement_about(session, submission, score)


def scores(session: ReadSession, board: Board) -> Iterator[dict[str, Any]]:
    """Give the scores of each entry of a board by every metric, with the digests that the record has of them."""
    for submission, counting in _scored(session, board):
        every = session.scalars(select(Score).where(Score.evaluation_id == counting.evaluation_id)).all()
        digests = digests_of(session, [one.id for one in every])
        for score in sorted(every, key=lambda one: one.metric):
            form = ScoreForm.model_validate(score).model_dump(mode="json")
            yield {"score": str(score.id), "submission": str(submission.id), "sha256": digests[score.id]} | form


def _scored(session: ReadSession, board: Board) -> Iterator[tuple[Submission, Score]]:
    statement = (
        select(Submission, Score)
        .join(LeaderboardEntry, LeaderboardEntry.submission_id == Submission.id)
        .join(Score, Score.id == LeaderboardEntry.score_id)
        .join(StandingRow, StandingRow.entry_id == LeaderboardEntry.id)
        .options(joinedload(Submission.team), joinedload(Submission.phase).joinedload(Phase.competition))
        .where(StandingRow.standings_id == board.standings.id)
        .order_by(StandingRow.position)
    )
    for after in range(0, board.standings.total, PORTION):
        page = statement.where(StandingRow.position.between(after + 1, after + PORTION))
        yield from ((submission, score) for submission, score in session.execute(page).all())
        session.expunge_all()


def joint_rows(session: ReadSession, phase: Phase) -> Iterator[JointOut]:
    """Read the joint board of the final that a phase names; nothing for any other phase."""
    final = None if phase.final_part is None else phase.final_part.final
    if final is None or final.phase_id != phase.id:
        return
    total, after = 1, 0
    while after < total:
        total, rows = joint_board(session, final, after=after, limit=PORTION)
        yield from rows
        after += PORTION


def decided(session: ReadSession, phases: Sequence[Phase]) -> list[tuple[str, FinalistOut]]:
    """List the finalists of published finals on whom something was decided, the best first, each with its final."""
    found: list[tuple[str, FinalistOut]] = []
    for phase in phases:
        final = None if phase.final_part is None else phase.final_part.final
        if final is not None and final.phase_id == phase.id:
            rows = select(Finalist.selected_id).where(Finalist.final_id == final.id)
            ids = list(session.scalars(rows.where(Finalist.state != FinalistState.IN_REVIEW)))
            shown = show_finalists(session, session.get_one(Final, final.id), ids)
            found += [(phase.slug, one) for one in sorted(shown, key=_rank)]
    return found


def _rank(finalist: FinalistOut) -> tuple[int, str]:
    ranks = [place.rank for place in finalist.places if place.rank is not None]
    return (min(ranks, default=LAST), finalist.team)


def announcements(session: ReadSession, competition: Competition) -> list[Announcement]:
    """List what was announced and not retracted, newest first."""
    shown = select(Announcement).where(
        Announcement.competition_id == competition.id, Announcement.retracted_at.is_(None)
    )
    return list(session.scalars(shown.order_by(Announcement.created_at.desc(), Announcement.id.desc())))


def record_of(
    session: ReadSession, competition: Competition, phases: Collection[str], shown: Collection[UUID], last: int
) -> Iterator[Link]:
    """Read the chain up to a number. Only scores that are shown and public acts on these phases have a body."""
    for one in links(session):
        if one.number > last:
            return
        yield one if _is_public(one, str(competition.id), phases, shown) else Link(one.number, one.hash, None)


def _is_public(one: Link, competition: str, phases: Collection[str], shown: Collection[UUID]) -> bool:
    body = one.body or {}
    if body["competition"] != competition:
        return False
    if body["act"] == Act.SCORED:
        return UUID(body["subject"]) in shown
    return body["act"] in PUBLIC_ACTS and body["details"].get("phase") in phases
