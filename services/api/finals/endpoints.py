"""Finals: teams select entries; the organiser previews, starts, publishes and seals."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query

from services.api.finals import service
from services.api.finals.schemas import (
    FinalBoardOut,
    FinalOut,
    FinalPreviewOut,
    FinalProgressOut,
    FinalPublication,
    FinalTeamOut,
    SelectionOut,
)
from services.api.judging.service import find_own
from services.api.kit.pages import After, Limit, Page
from services.api.kit.policy import Anyone, Organising, Reviewing, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.leaderboard.service import require_board
from services.api.people.rules import version_of
from services.api.state import State
from services.api.teams.seats import team_of
from services.core.finals import acts, selections, winners
from services.core.queue.doorbell import Bell

__all__ = ["router"]

router = APIRouter(tags=["finals"])
PATH = "/competitions/{slug}/phases/{phase}/final"
LICENCE = Query(description="The licence that you agree to: the final's `code_licence`.")
TEAM = Query(description="The team that selects. Needed if you are in several.")


@router.get(PATH)
def show_final(slug: Text, phase: Text, who: Anyone, session: Reading) -> FinalOut:
    """Show a final: what teams may select and until when, and the commitment to its seeds."""
    return service.show_final(session, service.find_final(session, slug, phase, who))


@router.get(PATH + "/selection")
def show_selection(
    *, slug: Text, phase: Text, who: SignedIn, session: Reading, team: Annotated[Text | None, TEAM] = None
) -> SelectionOut:
    """Show what your team enters into a final: what it marked, or else its best ranked entry."""
    final = service.find_final(session, slug, phase, who)
    return service.selection_of(session, final, team_of(session, who, final.phase.competition, team))


@router.put(PATH + "/selection/{submission_id}")
def select_submission(
    *,
    slug: Text,
    phase: Text,
    submission_id: UUID,
    who: SignedIn,
    session: Writing,
    licence: Annotated[Text | None, LICENCE] = None,
) -> SelectionOut:
    """Enter a scored submission of your team into a final, and agree to publish its code under a licence if it wins."""
    final = service.writable_final(session, slug, phase, who)
    submission = find_own(session, who, submission_id)
    if licence is not None:
        winners.consent(session, submission, licence, who.account_id, rules_version=version_of(final.phase.competition))
    winners.require_consent(session, final.phase.competition, submission)
    selections.mark(session, final, submission, who.account_id)
    return service.selection_of(session, final, submission.team)


@router.delete(PATH + "/selection/{submission_id}")
def unselect_submission(
    *, slug: Text, phase: Text, submission_id: UUID, who: SignedIn, session: Writing
) -> SelectionOut:
    """Take a submission of your team back from a final."""
    final = service.writable_final(session, slug, phase, who)
    submission = find_own(session, who, submission_id)
    selections.unmark(session, final, submission, who.account_id)
    return service.selection_of(session, final, submission.team)


@router.get(PATH + "/preview")
def preview_final(slug: Text, phase: Text, who: Reviewing, session: Reading, state: State) -> FinalPreviewOut:
    """Show how many teams and entries would enter, how many runs that makes, and how long they take.

    The scorer counts. If it has to count first, the answer is 503 `final_preview_not_ready` with `Retry-After`.
    """
    return service.preview_of(session, state.database, service.find_final(session, slug, phase, who))


@router.get(PATH + "/progress")
def show_final_progress(slug: Text, phase: Text, who: Reviewing, session: Reading) -> FinalProgressOut:
    """Show how far the runs of a started final are."""
    progress = service.find_final(session, slug, phase, who).progress
    if progress is None:
        return FinalProgressOut(at=None, entries=0, states={}, ended=0, complete=False)
    return FinalProgressOut(**progress.model_dump())


@router.get(PATH + "/entries")
def list_final_entries(
    *, slug: Text, phase: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[FinalTeamOut]:
    """List each team with what it enters if the final was started now, or with what it entered."""
    final = service.find_final(session, slug, phase, who)
    listing = f"final-entries:{final.id}"
    last = UUID(str(state.cursors.decode(listing, after)[0])) if after else None
    found = service.teams_in(session, final, after=last, limit=limit)
    following = state.cursors.encode(listing, [str(found[-1][0])]) if len(found) == limit else None
    return Page(items=[team for _, team in found], next=following)


@router.post(PATH + "/start")
def start_final(
    *, slug: Text, phase: Text, who: Organising, session: Writing, state: State, background: BackgroundTasks
) -> FinalOut:
    """Fix the selections and begin to run them. Repeat it to enter teams that have no entry yet."""
    final = acts.start(session, service.writable_final(session, slug, phase, who), who.account_id)
    background.add_task(state.doorbell.ring_across, Bell.SCORE)
    return service.show_final(session, final)


@router.post(PATH + "/publish")
def publish_final(*, slug: Text, phase: Text, how: FinalPublication, who: Organising, session: Writing) -> FinalOut:
    """Show the boards and entries of a final to everybody, at once, and reveal the secret of its seeds."""
    final = service.writable_final(session, slug, phase, who)
    return service.show_final(session, acts.publish(session, final, who.account_id, anyway=how.anyway))


@router.post(PATH + "/seal")
def seal_final(slug: Text, phase: Text, who: Organising, session: Writing) -> FinalOut:
    """Hide the boards and entries of a published final again. Its secret stays known."""
    final = service.writable_final(session, slug, phase, who)
    return service.show_final(session, acts.seal(session, final, who.account_id))


@router.get(PATH + "/board")
def show_final_board(
    *, slug: Text, phase: Text, who: Anyone, session: Reading, state: State, limit: Limit = 100, after: After = None
) -> FinalBoardOut:
    """Show the joint board of a final on several benchmarks: teams by the mean of their ranks."""
    final = service.find_final(session, slug, phase, who)
    require_board(who, final.phase)
    listing = f"final-board:{final.id}"
    last = int(str(state.cursors.decode(listing, after)[0])) if after else 0
    total, items = service.joint_board(session, final, after=last, limit=limit)
    return FinalBoardOut(
        competition=slug,
        phase=final.phase.slug,
        phases=service.show_phases(session, final),
        total=total,
        items=items,
        next=state.cursors.encode(listing, [last + limit]) if last + limit < total else None,
    )
