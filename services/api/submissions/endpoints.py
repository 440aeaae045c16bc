"""Uploading, listing, watching and cancelling submissions."""

from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, Header, Query, Request, Response
from pydantic import StringConstraints

from services.api.competitions.finding import find_phase
from services.api.competitions.rights import organises
from services.api.kit.addresses import address_of
from services.api.kit.bodies import COUNTED_BY_ITSELF
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import SignedIn
from services.api.kit.schemas import Label, Text, in_words
from services.api.kit.sessions import Reading, Writing
from services.api.state import ApiState, State
from services.api.submissions import admission, repeats, service, uploads
from services.api.submissions.forecast import CheckOut
from services.api.submissions.notes import Tag
from services.api.submissions.quota import quota_of
from services.api.submissions.schemas import EventOut, QuotaOut, SubmissionOut, SubmittedOut
from services.api.submissions.streams import EventStream, has_ended, resume_after, stream
from services.api.teams.seats import team_of
from services.core.errors import LetheError
from services.core.models import Phase, Reference, Submission
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
EVENT_STREAM: dict[int | str, dict[str, Any]] = {200: {"description": "Events", "model": EventOut}}


@router.post(
    "/competitions/{slug}/phases/{phase}/submissions",
    status_code=201,
    response_model=SubmittedOut,
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
    idempotency_key: Annotated[
        repeats.IdempotencyKey | None,
        Header(description="Any text of your own: within 24 hours, the same upload under it is submitted once."),
    ] = None,
) -> SubmittedOut | Response:
    """Upload a submission. A file that cannot be a submission is refused at once and costs no quota.

    With an `Idempotency-Key` it may be sent again after a lost answer: it is submitted once, and answered the same.
    """
    request = admission.SubmitRequest(
        who=who,
        competition=slug,
        phase=phase,
        filename=filename,
        name=name or PurePosixPath(filename).stem or filename,
        team=team,
        reference=reference,
    )
    admitted = await anyio.to_thread.run_sync(_admit_early, state, request, idempotency_key)
    if admitted is None:
        return await uploads.answer_again(state, body, request, idempotency_key or "")
    data, found, form = await uploads.read(state, body, filename, admitted)
    warnings = await anyio.to_thread.run_sync(uploads.warnings_in, state, admitted, found)
    blob = await anyio.to_thread.run_sync(state.blobs.put, data)
    upload = service.ReceivedFile(blob, len(data), found.kind, found.claim, form, warnings)
    once = repeats.Once(idempotency_key, repeats.digest_of(request, blob)) if idempotency_key else None
    sandbox = state.settings.resolved_sandbox
    accept = partial(service.accept, state.database, request, sandbox, upload, once)
    shown = await anyio.to_thread.run_sync(accept, limiter=state.writers)
    await anyio.to_thread.run_sync(state.blobs.keep, blob, data)
    log.info("submitted", submission=str(shown.id), evaluation=str(shown.evaluation_id))
    background.add_task(
        state.doorbell.ring_across, Bell.RUN
    )  # after the response, so a broker that is gone delays nobody
    response.headers["Location"] = f"/api/submissions/{shown.id}"
    return shown


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
    team: Annotated[Text | None, Query(description="The team whose place in the queue is told.")] = None,
) -> CheckOut:
    """Check a file like a submission, even if the phase is closed, and tell what it is likely to take.

    The file is not kept and costs no quota.
    """
    state.rates.upload(str(who.account_id))
    found = await anyio.to_thread.run_sync(uploads.require_phase_takes, state, who, slug, phase, filename)
    data, checked, form = await uploads.read(state, body, filename, found)
    describe = partial(uploads.describe, state, who, found, data, found=checked, form=form, team=team)
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
    tag: Annotated[Tag | None, Query(description="Only submissions that your team gave this tag, in any case.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SubmissionOut]:
    """List the submissions of your teams, newest first."""
    rows, following = newest_first(
        session,
        service.own_submissions(who, competition, phase, ended=ended, tag=tag),
        Submission,
        cursors=state.cursors,
        listing=f"submissions:{who.account_id}:{competition}:{phase}:{ended}:{tag}",
        limit=limit,
        after=after,
    )
    return Page(items=service.show(session, who, rows), next=following)


@router.get("/submissions/{submission_id}")
def show_submission(submission_id: UUID, who: SignedIn, session: Reading) -> SubmissionOut:
    """Show a submission: to its team, to those who run or review its competition, and to operators."""
    return service.show_with_place(session, who, service.find_visible(session, who, submission_id))


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
    take_seat = partial(state.seats.take, str(who.account_id), address_of(request))
    return EventStream(stream(state.feed, evaluation_id, after), take_seat)


def _admit_early(state: ApiState, request: admission.SubmitRequest, key: str | None) -> Phase | None:
    """Find the phase; refuse a submission before its body is read, if it would be refused after.

    Return None if something was sent under the key already: then its answer is there, whatever the quota is now.
    """
    state.rates.upload(str(request.who.account_id))
    submission_file.kind_of(request.filename)
    with state.database.read() as session:
        if key and repeats.find(session, request, key):
            return None
        try:
            phase, _ = admission.admit(session, request, state.settings.resolved_sandbox)
        except LetheError:
            if key and repeats.find(session, request, key):  # it was accepted a moment ago, and used the last slot
                return None
            raise
    return phase
