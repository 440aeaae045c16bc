"""What organisers and operators see of a competition: all submissions to it, and its part of the queue."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.admin.queue import read_queue
from services.api.admin.schemas import QueueOut
from services.api.competitions.service import find_competition, require_organiser
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Organising
from services.api.kit.sessions import Reading
from services.api.organising.listing import submissions_to
from services.api.state import State
from services.api.submissions import service as submissions
from services.api.submissions.schemas import SubmissionOut
from services.core.models import Submission, SubmissionState

__all__ = ["router"]

router = APIRouter(tags=["organising"])


@router.get("/competitions/{slug}/submissions")
def list_all_submissions(
    *,
    slug: str,
    who: Organising,
    session: Reading,
    state: State,
    phase: Annotated[str | None, Query(description="Only of this phase.")] = None,
    is_: Annotated[SubmissionState | None, Query(alias="state", description="Only those in this state.")] = None,
    team: Annotated[str | None, Query(max_length=100, description="Part of the team's name.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SubmissionOut]:
    """List what everybody submitted to a competition, newest first."""
    competition = find_competition(session, slug)
    require_organiser(who, competition)
    rows, following = newest_first(
        session,
        submissions_to(competition, phase=phase, state=is_, team=team),
        Submission,
        cursors=state.cursors,
        listing=f"all-submissions:{competition.id}:{phase}:{is_}:{team}",
        limit=limit,
        after=after,
    )
    return Page(items=submissions.show(session, who, rows), next=following)


@router.get("/competitions/{slug}/queue")
def show_queue(slug: str, who: Organising, session: Reading) -> QueueOut:
    """Show which evaluations of a competition wait or run, where, and which the platform failed."""
    competition = find_competition(session, slug)
    require_organiser(who, competition)
    return read_queue(session, competition)
