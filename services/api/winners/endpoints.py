"""Winners: the finalists of a published final, decisions on them, runs that verify them, and published code."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query
from fastapi.responses import StreamingResponse

from services.api.finals.service import find_final, writable_final
from services.api.judging.schemas import FileOut
from services.api.judging.service import code_of, find_own
from services.api.kit.pages import After, Page
from services.api.kit.policy import Anyone, Organising, Reviewing, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.leaderboard.service import require_board
from services.api.people.rules import version_of
from services.api.state import State
from services.api.submissions.reading import find_to_read
from services.api.winners import service
from services.api.winners.archive import write_archive
from services.api.winners.schemas import (
    AgreementOut,
    Decision,
    FinalistCodeOut,
    FinalistOut,
    PublishingConsent,
    RunAgain,
)
from services.core.finals import winners
from services.core.models import Act, Consent, FinalistState, Submission
from services.core.queue.doorbell import Bell
from services.core.record.receipts import ReceiptKey

__all__ = ["router"]

router = APIRouter(tags=["winners"])
PATH = "/competitions/{slug}/phases/{phase}/final/winners"
AGREEMENT = "/submissions/{submission_id}/agreement"
MOST = 20  # finalists on a page, because each may be compared with its new run
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "The archive", "content": {"application/zip": {"schema": {"type": "string"}}}}
}


@router.get(PATH)
def list_finalists(
    *,
    slug: Text,
    phase: Text,
    who: Anyone,
    session: Reading,
    state: State,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Maximum number of finalists.")] = 10,
    after: After = None,
) -> Page[FinalistOut]:
    """List the entries of a published final, best first, with what was decided on each and how its new runs compare."""
    final = find_final(session, slug, phase, who)
    require_board(who, final.phase)
    listing = f"winners:{final.id}"
    last = int(str(state.cursors.decode(listing, after)[0])) if after else 0
    total, items = service.finalists(session, final, after=last, limit=limit)
    following = state.cursors.encode(listing, [last + limit]) if last + limit < total else None
    return Page(items=items, next=following)


@router.post(PATH + "/{submission_id}/verify")
def verify_finalist(
    *, slug: Text, phase: Text, submission_id: UUID, body: Decision, who: Organising, session: Writing
) -> FinalistOut:
    """Verify a finalist, so that its code is published if its team agreed. It can be taken back."""
    final = writable_final(session, slug, phase, who)
    verified = FinalistState.VERIFIED
    winners.decide(session, final, submission_id, who.account_id, state=verified, reason=body.reason)
    return service.one_finalist(session, final, submission_id)


@router.post(PATH + "/{submission_id}/refuse")
def refuse_finalist(
    *, slug: Text, phase: Text, submission_id: UUID, body: Decision, who: Organising, session: Writing
) -> FinalistOut:
    """Refuse a finalist. It keeps its place on the board; to take it off, disqualify it. It can be taken back."""
    final = writable_final(session, slug, phase, who)
    refused = FinalistState.REFUSED
    winners.decide(session, final, submission_id, who.account_id, state=refused, reason=body.reason)
    return service.one_finalist(session, final, submission_id)


@router.post(PATH + "/{submission_id}/review")
def review_finalist_again(
    *, slug: Text, phase: Text, submission_id: UUID, body: Decision, who: Organising, session: Writing
) -> FinalistOut:
    """Put a finalist back into review; its code is not public any more."""
    final = writable_final(session, slug, phase, who)
    in_review = FinalistState.IN_REVIEW
    winners.decide(session, final, submission_id, who.account_id, state=in_review, reason=body.reason)
    return service.one_finalist(session, final, submission_id)


@router.post(PATH + "/{submission_id}/rerun")
def rerun_finalist(
    *,
    slug: Text,
    phase: Text,
    submission_id: UUID,
    body: RunAgain,
    who: Organising,
    session: Writing,
    state: State,
    background: BackgroundTasks,
) -> FinalistOut:
    """Run the code of a finalist again on each benchmark, on other workers if there are any. No leaderboard moves.

    Runs of an earlier call that have not ended are cancelled.
    """
    final = writable_final(session, slug, phase, who)
    winners.run_again(session, final, submission_id, who.account_id, same_seeds=body.same_seeds)
    background.add_task(state.doorbell.ring_across, Bell.RUN)
    return service.one_finalist(session, final, submission_id)


@router.get(PATH + "/{submission_id}/code")
def read_published_code(
    *, slug: Text, phase: Text, submission_id: UUID, who: Anyone, session: Reading, state: State
) -> FinalistCodeOut:
    """Read the code of a verified finalist whose team agreed to publish it."""
    final = find_final(session, slug, phase, who)
    agreed = service.published_consent(session, final, submission_id)
    submission = session.get_one(Submission, submission_id)
    return FinalistCodeOut(
        submission_id=submission.id,
        team=submission.team.name,
        filename=submission.filename,
        sha256=submission.blob,
        licence=agreed.licence,
        files=[FileOut.model_validate(file) for file in code_of(state.blobs, submission)],
    )


@router.get(PATH + "/{submission_id}/archive", response_class=StreamingResponse, responses=ZIP)
def download_finalist(
    *, slug: Text, phase: Text, submission_id: UUID, who: Reviewing, session: Reading, state: State
) -> StreamingResponse:
    """Download all of a finalist: code, consent, runs, receipts, measurements. That you read its code is on record."""
    final = find_final(session, slug, phase, who)
    winners.entries_of(session, final, submission_id)
    find_to_read(state.database, who, [submission_id], Act.UPLOAD_DOWNLOADED)
    finalist = service.one_finalist(session, final, submission_id)
    parts = write_archive(session, state.blobs, ReceiptKey(state.key), finalist)
    headers = {
        "Content-Disposition": f'attachment; filename="{submission_id}.zip"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(parts, media_type="application/zip", headers=headers)


@router.put(AGREEMENT)
def agree_to_publish(submission_id: UUID, body: PublishingConsent, who: SignedIn, session: Writing) -> AgreementOut:
    """Agree that the code of a submission of your team is published if it wins and is verified."""
    submission = find_own(session, who, submission_id)
    rules = version_of(submission.phase.competition)
    made = winners.consent(session, submission, body.licence, who.account_id, rules_version=rules)
    return _shown(submission_id, made)


@router.delete(AGREEMENT)
def take_back_agreement(submission_id: UUID, who: SignedIn, session: Writing) -> AgreementOut:
    """Take the agreement back, as long as the code is not published."""
    winners.take_back_consent(session, find_own(session, who, submission_id), who.account_id)
    return _shown(submission_id, None)


def _shown(submission_id: UUID, found: Consent | None) -> AgreementOut:
    return AgreementOut(
        submission_id=submission_id,
        licence=found and found.licence,
        rules_version=found and found.rules_version,
        created_at=found and found.created_at,
    )
