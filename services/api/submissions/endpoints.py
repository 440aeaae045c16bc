"""Uploading, listing, watching and cancelling submissions."""

from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, Header, Query, Request, Response
from pydantic import StringConstraints

from services.api.competitions.service import find_phase, organises
from services.api.kit.addresses import address_of
from services.api.kit.bodies import COUNTED_BY_ITSELF
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import SignedIn
from services.api.kit.schemas import Label, Text, in_words
from services.api.kit.sessions import Reading, Writing
from services.api.state import ApiState, State
from services.api.submissions import admission, comparison, details, service, uploads
from services.api.submissions.quota import quota_of
from services.api.submissions.reading import find_to_read
from services.api.submissions.schemas import (
    CheckOut,
    ComparisonOut,
    DetailsOut,
    EventOut,
    QuotaOut,
    SubmissionOut,
    SubmittedOut,
)
from services.api.submissions.streams import EventStream, has_ended, resume_after, stream
from services.api.teams.seats import team_of
from services.core.errors import NotFound
from services.core.models import Act, Phase, Reference, Submission
from services.core.queue.doorbell import Bell
from services.core.queue.places import place_of_next
from services.core.store.database import utc_now
from services.core.submission import file as submission_file

__all__ = ["router"]

log = structlog.get_logger()
router = APIRouter(tags=["submissions"])

Filename = Annotated[
    Label,
    StringConstraints(pattern=r"^[^/\\]*$"),
    in_words("give the file's name alone, in 1 to 200 visible characters without / and \\"),
]
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file itself, not a form.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
NOTEBOOK: dict[int | str, dict[str, Any]] = {
    200: {"description": "The notebook", "content": {"application/x-ipynb+json": {"schema": {"type": "object"}}}}
}
LOG: dict[int | str, dict[str, Any]] = {
    200: {"description": "The log", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
EVENT_STREAM: dict[int | str, dict[str, Any]] = {200: {"description": "Events", "model": EventOut}}


@router.post(
    "/competitions/{slug}/phases/{phase}/submissions",
    status_code=201,
    openapi_extra=UPLOAD_BODY,
    dependencies=[Depends(uploads.refuse_forms)],
    max_body_size=COUNTED_BY_ITSELF,
)
async def submit(
    *,
    slug: Text,
    phase: Text,
    body: Request,
    response: Response,
    background: BackgroundTasks,
    state: State,
    who: SignedIn,
    filename: Annotated[Filename, Query(description="The file name. Its ending names the kind: .py, .zip or .ipynb.")],
    name: Annotated[Label | None, Query(description="The name on the leaderboard; default: the file name.")] = None,
    team: Annotated[Text | None, Query(description="The team to submit for. Needed if you are in several.")] = None,
    reference: Annotated[Reference, Query(description="Submit a reference row; for organisers.")] = Reference.NONE,
) -> SubmittedOut:
    """Upload a submission. A file that cannot be a submission is refused at once and costs no quota."""
    request = admission.SubmitRequest(
        who=who,
        competition=slug,
        phase=phase,
        filename=filename,
        name=name or PurePosixPath(filename).stem or filename,
        team=team,
        reference=reference,
    )
    admitted = await anyio.to_thread.run_sync(_admit_early, state, request)
    data, found, form = await uploads.read(state, body, filename, admitted)
    warnings = await anyio.to_thread.run_sync(uploads.warnings_in, state, admitted, found)
    blob = await anyio.to_thread.run_sync(state.blobs.put, data)
    accept = partial(service.accept, blob=blob, size_bytes=len(data), kind=found.kind, claim=found.claim, form=form)
    sandbox = state.settings.resolved_sandbox
    shown = await anyio.to_thread.run_sync(accept, state.database, request, sandbox, limiter=state.writers)
    log.info("submitted", submission=str(shown.id), evaluation=str(shown.evaluation_id))
    background.add_task(
        state.doorbell.ring_across, Bell.RUN
    )  # after the response, so a broker that is gone delays nobody
    response.headers["Location"] = f"/api/submissions/{shown.id}"
    return SubmittedOut(**dict(shown), warnings=warnings)


@router.post(
    "/competitions/{slug}/phases/{phase}/submissions/check",
    openapi_extra=UPLOAD_BODY,
    dependencies=[Depends(uploads.refuse_forms)],
    max_body_size=COUNTED_BY_ITSELF,
)
async def check_submission(
    *,
    slug: Text,
    phase: Text,
    body: Request,
    state: State,
    who: SignedIn,
    filename: Annotated[Filename, Query(description="The file name. Its ending names the kind: .py, .zip or .ipynb.")],
) -> CheckOut:
    """Check a file like a submission, even if the phase is closed. The file is not kept and costs no quota."""
    state.rates.upload(str(who.account_id))
    found = await anyio.to_thread.run_sync(uploads.require_phase_takes, state, who, slug, phase, filename)
    data, checked, form = await uploads.read(state, body, filename, found)
    describe = partial(uploads.describe, state, who, found, data, found=checked, form=form)
    return await anyio.to_thread.run_sync(describe)


@router.get("/competitions/{slug}/phases/{phase}/quota")
def show_quota(
    *,
    slug: Text,
    phase: Text,
    who: SignedIn,
    session: Reading,
    team: Annotated[Text | None, Query(description="The team to submit for. Needed if you are in several.")] = None,
) -> QuotaOut:
    """Show how many submissions your team has left, counted as an upload counts them, and the next one's place."""
    found = find_phase(session, slug, phase, who=who)
    if not organises(who, found.competition):
        admission.require_uploads(found)
    own = team_of(session, who, found.competition, team)
    return QuotaOut.of(own, quota_of(session, found, own, utc_now()), place_of_next(session, found, own.id))


@router.get("/submissions")
def list_submissions(
    *,
    who: SignedIn,
    session: Reading,
    state: State,
    competition: Text | None = None,
    phase: Text | None = None,
    ended: Annotated[
        bool | None, Query(description="true: only submissions that have ended. false: only those that have not.")
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SubmissionOut]:
    """List the submissions of your teams, newest first."""
    rows, following = newest_first(
        session,
        service.own_submissions(who, competition, phase, ended=ended),
        Submission,
        cursors=state.cursors,
        listing=f"submissions:{who.account_id}:{competition}:{phase}:{ended}",
        limit=limit,
        after=after,
    )
    return Page(items=service.show(session, who, rows), next=following)


@router.get("/submissions/{submission_id}")
def show_submission(submission_id: UUID, who: SignedIn, session: Reading) -> SubmissionOut:
    """Show a submission: to its team, to those who run or review its competition, and to operators."""
    return service.show_with_place(session, who, service.find_visible(session, who, submission_id))


@router.get("/submissions/{submission_id}/comparison")
def compare_submissions(
    submission_id: UUID,
    other: Annotated[UUID, Query(description="The submission to compare with, of the same phase.")],
    who: SignedIn,
    session: Reading,
) -> ComparisonOut:
    """Test whether one submission is better than another. Each must be yours to see, or on the leaderboard."""
    return comparison.compare_scores(session, who, submission_id, other)


@router.get("/submissions/{submission_id}/details")
def show_details(submission_id: UUID, who: SignedIn, session: Reading) -> DetailsOut:
    """Show run times, and histograms of epsilons and confidences, unless the phase hides its data."""
    return details.show_details(session, who, submission_id)


@router.get("/submissions/{submission_id}/log", response_class=Response, responses=LOG)
def download_log(submission_id: UUID, who: SignedIn, session: Reading, state: State) -> Response:
    """Download the end of the output of its runs, at most 16 KiB, unless the phase hides its data."""
    return Response(
        state.blobs.get(details.find_log(session, who, submission_id)),
        media_type="text/plain; charset=utf-8",
        headers={"X-Content-Type-Options": "nosniff"},
    )


@router.get("/submissions/{submission_id}/notebook", response_class=Response, responses=NOTEBOOK)
def download_notebook(submission_id: UUID, who: SignedIn, state: State) -> Response:
    """Download a notebook with the outputs of its run, unless the phase hides its data.

    An organiser or reviewer can, whose reading is recorded.
    """
    (submission,) = find_to_read(state.database, who, [submission_id], Act.NOTEBOOK_READ)
    blob = submission.evaluation.executed_blob
    if blob is None or not service.sees_data(who, submission):
        raise NotFound("There is no executed notebook to show: it has not run yet, or the phase hides its data.")
    return Response(
        state.blobs.get(blob),
        media_type="application/x-ipynb+json",
        headers={"Content-Disposition": 'attachment; filename="executed.ipynb"', "X-Content-Type-Options": "nosniff"},
    )


@router.post("/submissions/{submission_id}/cancel")
def cancel_submission(submission_id: UUID, who: SignedIn, session: Writing) -> SubmissionOut:
    """Stop its evaluation. The submission stays on record, and counts against the quota only if a run had started."""
    submission = service.find_visible(session, who, submission_id)
    service.cancel_submission(session, who, submission)
    return service.show(session, who, [submission])[0]


@router.get("/submissions/{submission_id}/events", response_class=EventStream, responses=EVENT_STREAM)
def watch(
    *,
    submission_id: UUID,
    request: Request,
    who: SignedIn,
    session: Reading,
    state: State,
    last_event_id: Annotated[str | None, Header(description="Resume after this event.")] = None,
) -> Response:
    """Follow an evaluation as Server-Sent Events until it is scored, failed or cancelled; 204 if you saw its end."""
    evaluation_id = service.find_visible(session, who, submission_id).evaluation_id
    after = resume_after(last_event_id)
    if has_ended(session, evaluation_id, after):
        return Response(status_code=204)
    seat = state.seats.seat(str(who.account_id), address_of(request))
    return EventStream(stream(state.feed, evaluation_id, after), seat)


def _admit_early(state: ApiState, request: admission.SubmitRequest) -> Phase:
    """Find the phase; refuse a submission before its body is read, if it would be refused after."""
    state.rates.upload(str(request.who.account_id))
    submission_file.kind_of(request.filename)
    with state.database.read() as session:
        phase, _ = admission.admit(session, request, state.settings.resolved_sandbox)
    return phase
