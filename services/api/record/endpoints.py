"""The record: its head for everybody, the acts on a competition for its organiser."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from sqlalchemy import select

from services.api.competitions.service import find_competition, require_organiser
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import PUBLIC, Organising
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading
from services.api.record.schemas import AuditOut, HeadOut
from services.api.state import State
from services.core.errors import NotFound
from services.core.models import Account, Act, AuditEvent
from services.core.record.chain import head_of

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


@router.get("/competitions/{slug}/audit")
def list_acts(
    *,
    slug: Text,
    who: Organising,
    session: Reading,
    state: State,
    scores: Annotated[bool, Query(description="List scores, too.")] = False,
    limit: Limit = 50,
    after: After = None,
) -> Page[AuditOut]:
    """List the acts on a competition, newest first."""
    competition = find_competition(session, slug)
    require_organiser(who, competition)
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
    authors = select(Account.id, Account.username).where(Account.id.in_({row.account_id for row in rows}))
    names: dict[UUID | None, str] = dict(session.execute(authors).tuples().all())
    return Page(items=[AuditOut.of(row, names.get(row.account_id)) for row in rows], next=following)
