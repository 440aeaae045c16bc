"""Judging entries. That somebody reads the code of another team is on record, as is every act."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.api.competitions.rights import require_writable
from services.api.judging import service
from services.api.judging.copies import CopyOut, copies_in
from services.api.judging.legible import differences
from services.api.judging.schemas import (
    CodeOut,
    DiffOut,
    Disqualification,
    ExclusionOut,
    FileDiffOut,
    FileOut,
    Reinstatement,
)
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Organising, Reviewing, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.state import State
from services.api.submissions.reading import find_to_read
from services.api.submissions.schemas import SubmissionOut
from services.api.submissions.service import show
from services.core.board import exclusions
from services.core.models import Act, Copy, Exclusion

__all__ = ["router"]

router = APIRouter(tags=["judging"])

FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The upload", "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


@router.get("/submissions/{submission_id}/code")
def read_code(submission_id: UUID, who: SignedIn, state: State) -> CodeOut:
    """Read the code of a submission of your team, or as an organiser or reviewer, which is recorded, of any."""
    (submission,) = find_to_read(state.database, who, [submission_id], Act.CODE_READ)
    return CodeOut(
        submission_id=submission.id,
        name=submission.name,
        team=submission.team.name,
        filename=submission.filename,
        sha256=submission.blob,
        files=[FileOut.model_validate(file) for file in service.code_of(state.blobs, submission)],
    )


@router.get("/submissions/{submission_id}/diff")
def compare_code(
    *,
    submission_id: UUID,
    other: Annotated[UUID, Query(description="The submission to compare with.")],
    who: SignedIn,
    state: State,
) -> DiffOut:
    """Show how the code of a submission differs from that of another one; both must be yours to read."""
    new, old = find_to_read(state.database, who, [submission_id, other], Act.CODE_COMPARED)
    files = differences(service.code_of(state.blobs, old), service.code_of(state.blobs, new))
    return DiffOut(
        submission_id=new.id,
        other_id=old.id,
        same=new.blob == old.blob,
        files=[FileDiffOut.model_validate(file) for file in files],
    )


@router.get("/submissions/{submission_id}/upload", response_class=Response, responses=FILE)
def download_upload(submission_id: UUID, who: SignedIn, state: State) -> Response:
    """Download the very file that was submitted; as an organiser or reviewer, which is recorded, of any team."""
    (submission,) = find_to_read(state.database, who, [submission_id], Act.UPLOAD_DOWNLOADED)
    suffix = submission.filename.rpartition(".")[2]
    return Response(
        state.blobs.get(submission.blob),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{submission.id}.{suffix}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.post("/submissions/{submission_id}/withdraw")
def withdraw_submission(submission_id: UUID, who: SignedIn, session: Writing) -> SubmissionOut:
    """Take a submission of your team off its board. It is run and scored as before. Not once a final has opened."""
    submission = service.withdraw(session, who, submission_id)
    return show(session, who, [submission])[0]


@router.post("/submissions/{submission_id}/reenter")
def reenter_submission(submission_id: UUID, who: SignedIn, session: Writing) -> SubmissionOut:
    """Let a withdrawn submission of your team compete again. Not once a final has opened."""
    submission = service.reenter(session, who, submission_id)
    return show(session, who, [submission])[0]


@router.post("/competitions/{slug}/disqualifications", status_code=201)
def disqualify(slug: Text, body: Disqualification, who: Organising, session: Writing) -> ExclusionOut:
    """Take an entry, or all that a team submits, off the boards, for a reason that the team sees."""
    return ExclusionOut.of(service.disqualify(session, who, find_competition(session, slug, who), body))


@router.get("/competitions/{slug}/disqualifications")
def list_exclusions(
    *,
    slug: Text,
    who: Reviewing,
    session: Reading,
    state: State,
    current: Annotated[bool | None, Query(description="true: those that count. false: ended ones.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ExclusionOut]:
    """List what was disqualified or withdrawn, newest first."""
    competition = find_competition(session, slug, who)
    rows, following = newest_first(
        session,
        service.exclusions_of(competition, current=current),
        Exclusion,
        cursors=state.cursors,
        listing=f"exclusions:{competition.id}:{current}",
        limit=limit,
        after=after,
    )
    return Page(items=[ExclusionOut.of(row) for row in rows], next=following)


@router.get("/competitions/{slug}/copies")
def list_copies(
    *, slug: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[CopyOut]:
    """List submissions that are nearly another team's earlier one, by code or by weights, newest first."""
    competition = find_competition(session, slug, who)
    rows, following = newest_first(
        session,
        copies_in(competition),
        Copy,
        cursors=state.cursors,
        listing=f"copies:{competition.id}",
        limit=limit,
        after=after,
    )
    return Page(items=[CopyOut.of(row) for row in rows], next=following)


@router.post("/competitions/{slug}/disqualifications/{exclusion_id}/reinstate")
def reinstate(
    *, slug: Text, exclusion_id: UUID, body: Reinstatement, who: Organising, session: Writing
) -> ExclusionOut:
    """End a disqualification: what it took off the boards competes again."""
    competition = find_competition(session, slug, who)
    require_writable(competition)
    found = service.find_disqualification(session, competition, exclusion_id)
    exclusions.lift(session, found, who.account_id, body.reason)
    return ExclusionOut.of(found)
