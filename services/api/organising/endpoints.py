"""Endpoints for organisers and operators: all submissions to a competition, and its part of the queue."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from services.api.admin.queue import read_queue
from services.api.admin.schemas import QueueOut
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Reviewing
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading
from services.api.organising.listing import WITH_ALL_SHOWN, submissions_to
from services.api.state import State
from services.api.submissions import service as submissions
from services.api.submissions.schemas import SubmissionOut
from services.core.models import Phase, Submission, SubmissionState

__all__ = ["router"]

router = APIRouter(tags=["organising"])


@router.get("/competitions/{slug}/submissions")
def list_all_submissions(
    *,
    slug: Text,
    who: Reviewing,
    session: Reading,
    state: State,
    phase: Annotated[Text | None, Query(description="Only submissions to this phase.")] = None,
    is_: Annotated[SubmissionState | None, Query(alias="state", description="Only submissions in this state.")] = None,
    team: Annotated[
        Text | None, Query(max_length=100, description="Only submissions of teams with this text in their name.")
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SubmissionOut]:
    """List all submissions to a competition, newest first."""
    competition = find_competition(session, slug, who)
    phases = session.scalars(select(Phase.id).where(Phase.competition_id == competition.id)).all()
    found = submissions_to(competition, phase=phase, state=is_, team=team)
    rows, following = newest_first(
        session,
        found.options(*WITH_ALL_SHOWN),
        Submission,
        parts=[found.where(Submission.phase_id == one) for one in phases],
        cursors=state.cursors,
        listing=f"all-submissions:{competition.id}:{phase}:{is_}:{team}",
        limit=limit,
        after=after,
    )
    return Page(items=submissions.show(session, who, rows), next=following)


@router.get("/competitions/{slug}/queue")
def show_queue(slug: Text, who: Reviewing, session: Reading) -> QueueOut:
    """Show a competition's evaluations that wait or run, the workers that run them, and recent platform failures."""
    competition = find_competition(session, slug, who)
    return read_queue(session, competition)
