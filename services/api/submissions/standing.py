"""How a scored submission stands: its place on the leaderboard, and its score in sentences."""

from uuid import UUID

from sqlalchemy import select

from services.api.kit.auth import Principal
from services.api.submissions.comparison import score_of
from services.api.submissions.service import find_visible
from services.api.submissions.understanding import PlaceOut, StandingOut, place_in_words, remarks_on, sentence_on
from services.core.board import standings
from services.core.board.perfect import perfect_of
from services.core.models import LeaderboardEntry, StandingRow, Submission
from services.core.store.database import ReadSession

__all__ = ["show_standing", "standing_of"]


def show_standing(session: ReadSession, who: Principal, submission_id: UUID) -> StandingOut:
    """Show where a submission stands, and what its score means. Raises NotFound, or NotScored."""
    return standing_of(session, find_visible(session, who, submission_id))


def standing_of(session: ReadSession, submission: Submission) -> StandingOut:
    """Say where a submission stands, and what its score means. Raises NotScored."""
    score = score_of(session, submission)
    perfect = perfect_of(session, submission.phase)
    place = _place_of(session, submission)
    return StandingOut(
        metric=score.metric,
        final_score=score.final_score,
        perfect_score=perfect and perfect.score,
        perfect_basis=perfect and perfect.basis,
        place=place,
        sentence=f"{sentence_on(score, perfect, place)}.",
        remarks=remarks_on(score, perfect, place),
    )


def _place_of(session: ReadSession, submission: Submission) -> PlaceOut:
    """Read its place on the newest leaderboard that is computed."""
    board = standings.newest(session, submission.phase)
    statement = (
        select(StandingRow)
        .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
        .where(LeaderboardEntry.submission_id == submission.id, StandingRow.standings_id == (board and board.id))
    )
    row = session.scalars(statement).first() if board is not None else None
    follows = row is None and submission.phase.board_moved_at != (board and board.moment)
    place = PlaceOut.of(row, total=board.total if board else 0, follows=follows)
    return place.model_copy(update={"words": place_in_words(place)})
