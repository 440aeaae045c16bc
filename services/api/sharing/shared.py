"""Submissions that their teams show to everybody: the score and what it means, never code, notes or output."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.submissions.comparison import score_of
from services.api.submissions.notes import NotYourSubmission
from services.api.submissions.service import find_visible
from services.api.submissions.standing import standing_of
from services.api.submissions.understanding import StandingOut
from services.api.teams.seats import is_member
from services.core.board.off import is_off
from services.core.errors import Conflict, NotFound
from services.core.finals.sealed import is_sealed
from services.core.models import Phase, SharedSubmission, Submission, Visibility
from services.core.store.database import ReadSession, WriteSession

__all__ = ["NotShareable", "SharedOut", "find_shared", "share", "show_shared", "unshare"]

SEEN = (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.ARCHIVED)


class NotShareable(Conflict):
    code = "not_shareable"


class SharedOut(BaseModel):
    """A shared submission, as everybody sees it."""

    id: UUID
    name: str
    team: str
    competition: str
    title: str = Field(description="The competition's title.")
    phase: str
    phase_title: str | None
    submitted_at: datetime
    seeds: int
    ci_low: float
    ci_high: float
    forgetting_quality: float
    utility: float
    standing: StandingOut


def share(session: WriteSession, who: Principal, submission_id: UUID) -> Submission:
    """Show a scored submission to everybody. Raises NotFound, NotYourSubmission, NotScored or NotShareable."""
    submission = _own(session, who, submission_id)
    score_of(session, submission)
    if not _is_open(session, submission):
        raise NotShareable(
            "Strangers may not see it: its competition is a draft, its final is sealed, or it is off the leaderboard. "
            "Share it once they may."
        )
    if session.get(SharedSubmission, submission.id) is None:
        session.add(SharedSubmission(submission_id=submission.id, account_id=who.account_id))
    session.flush()
    return submission


def unshare(session: WriteSession, who: Principal, submission_id: UUID) -> None:
    """Show a submission to its team alone again. Raises NotFound or NotYourSubmission."""
    submission = _own(session, who, submission_id)
    session.execute(delete(SharedSubmission).where(SharedSubmission.submission_id == submission.id))


def find_shared(session: ReadSession, submission_id: UUID) -> Submission:
    """Find a submission that everybody sees. Raises NotFound for any other, whether or not it exists."""
    of = select(Submission).join(SharedSubmission, SharedSubmission.submission_id == Submission.id)
    everything = (joinedload(Submission.team), joinedload(Submission.phase).joinedload(Phase.competition))
    found = session.scalars(of.where(Submission.id == submission_id).options(*everything)).one_or_none()
    if found is None or not _is_open(session, found):
        raise NotFound("There is no shared submission at this address. Ask whoever sent it to you to share it again.")
    return found


def show_shared(session: ReadSession, submission: Submission) -> SharedOut:
    """Make the public form of a submission. Raises NotScored."""
    score, phase = score_of(session, submission), submission.phase
    return SharedOut(
        id=submission.id,
        name=submission.name,
        team=submission.team.name,
        competition=phase.competition.slug,
        title=phase.competition.title,
        phase=phase.slug,
        phase_title=phase.title,
        submitted_at=submission.created_at,
        seeds=score.seeds,
        ci_low=score.ci_low,
        ci_high=score.ci_high,
        forgetting_quality=score.forgetting_quality,
        utility=score.utility,
        standing=standing_of(session, submission),
    )


def _is_open(session: ReadSession, submission: Submission) -> bool:
    """Tell whether strangers may see its score: none of a draft, of a sealed final, or off the leaderboard."""
    phase = submission.phase
    return phase.competition.visibility in SEEN and not is_sealed(phase) and not is_off(session, submission)


def _own(session: ReadSession, who: Principal, submission_id: UUID) -> Submission:
    submission = find_visible(session, who, submission_id)
    if not is_member(session, who, submission.team_id):
        raise NotYourSubmission("Only the team of a submission shares it. Ask the team.")
    require_writable(submission.phase.competition)
    return submission
