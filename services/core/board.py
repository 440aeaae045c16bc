"""Moving leaderboard pointers. A pointer is never changed, only retired, so a board can be read as of any date."""

from sqlalchemy import select

from services.core.database import WriteSession, utc_now
from services.core.models import LeaderboardEntry, Reference, Score, Submission

__all__ = ["publish"]


def publish(session: WriteSession, submission: Submission, score: Score) -> bool:
    """Point the submission's team at this score, unless a better one stands; return whether it moved.

    A team is shown with its best submission; a later one of the same score does not displace it. A reference row always
    shows its newest score.
    """
    current = session.scalars(
        select(LeaderboardEntry)
        .where(
            LeaderboardEntry.phase_id == submission.phase_id,
            LeaderboardEntry.team_id == submission.team_id,
            LeaderboardEntry.reference == submission.reference,
            LeaderboardEntry.retired_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if current is not None:
        if submission.reference is Reference.NONE and current.final_score >= score.final_score:
            return False
        current.retired_at = utc_now()
        session.flush()
    session.add(
        LeaderboardEntry(
            phase_id=submission.phase_id,
            team_id=submission.team_id,
            submission_id=submission.id,
            score_id=score.id,
            reference=submission.reference,
            final_score=score.final_score,
            submitted_at=submission.created_at,
        )
    )
    return True
