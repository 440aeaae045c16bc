"""The record: its head for everybody, the acts on a competition for its organiser."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from sqlalchemy import select

from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import PUBLIC, Reviewing, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading
from services.api.record.receipts import statement_of
from services.api.record.schemas import AuditOut, HeadOut, ReceiptKeyOut, ReceiptOut, account_in
from services.api.state import State
from services.core.errors import NotFound
from services.core.models import Account, Act, AuditEvent
from services.core.record.chain import head_of
from services.core.record.receipts import ReceiptKey

__all__ = ["router"]

router = APIRouter(tags=["record"])

MOST = 2**62


@router.get("/record", dependencies=[PUBLIC])
def show_head(session: Reading) -> HeadOut:
    """Show the newest number of the record and its hash."""
    head = head_of(session)
    return HeadOut(number=head.number, hash=head.hash)


@router.get("/record/{number}", dependencies=[PUBLIC])
def show_hash(number: Annotated[int, Path(ge=1, le=MOST)], session: Reading) -> HeadOut:
    """Show the hash of a number of the record, which never changes."""
    found = session.scalar(select(AuditEvent.hash).where(AuditEvent.number == number))
    if found is None:
        raise NotFound(f"The record has no number {number} yet.")
    return HeadOut(number=number, hash=found)


@router.get("/receipts/key", dependencies=[PUBLIC])
def show_receipt_key(state: State) -> ReceiptKeyOut:
    """Show the public key with which this installation signs receipts."""
    return ReceiptKeyOut(public_key=ReceiptKey(state.key).public)


@router.get("/submissions/{submission_id}/receipt")
def give_receipt(submission_id: UUID, who: SignedIn, session: Reading, state: State) -> ReceiptOut:
    """Sign a statement of the score that counts for a submission of your team; for organisers and reviewers, of any."""
    return ReceiptOut(**ReceiptKey(state.key).sign(statement_of(session, who, submission_id)))


@router.get("/competitions/{slug}/audit")
def list_acts(
    *,
    slug: Text,
    who: Reviewing,
    session: Reading,
    state: State,
    scores: Annotated[bool, Query(description="List scores, too.")] = False,
    limit: Limit = 50,
    after: After = None,
) -> Page[AuditOut]:
    """List the acts on a competition, newest first."""
    competition = find_competition(session, slug, who)
    statement = select(AuditEvent).where(AuditEvent.competition_id == competition.id)
    rows, following = newest_first(
        session,
        statement if scores else statement.where(AuditEvent.act != Act.SCORED),
        AuditEvent,
        cursors=state.cursors,
        listing=f"audit:{competition.id}:{scores}",
        limit=limit,
        after=after,
    )
    named = {row.account_id for row in rows} | {account_in(row) for row in rows}
    accounts = session.scalars(select(Account).where(Account.id.in_(named)))
    names: dict[UUID | None, str] = {account.id: account.username for account in accounts}
    items = [AuditOut.of(row, by=names.get(row.account_id), whom=names.get(account_in(row))) for row in rows]
    return Page(items=items, next=following)
