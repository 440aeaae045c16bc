"""Endpoints of notices: what happened to the caller's submissions and competitions, and stopping mail about it."""

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import func, select, update

from services.api.kit.addresses import address_of
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import PUBLIC, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.notices.stopping import stop_by_link
from services.api.state import State
from services.core.models import HappeningKind, Notice
from services.core.store.database import utc_now

__all__ = ["router"]

router = APIRouter(tags=["notices"])
MOST_COUNTED = 100


class NoticeOut(BaseModel):
    """Something that happened."""

    id: UUID
    kind: HappeningKind
    text: str
    path: str = Field(description="The page about it.")
    created_at: datetime
    read: bool

    @classmethod
    def of(cls, row: Notice) -> Self:
        """Make the JSON form of a notice."""
        read = row.read_at is not None
        return cls(id=row.id, kind=row.kind, text=row.text, path=row.path, created_at=row.created_at, read=read)


class UnreadOut(BaseModel):
    unread: int = Field(description=f"Number of unread notices, counted up to {MOST_COUNTED}.")


@router.get("/me/notices")
def list_notices(
    who: SignedIn, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[NoticeOut]:
    """List what happened to your submissions and competitions, newest first. Notices are kept for 90 days."""
    rows, following = newest_first(
        session,
        select(Notice).where(Notice.account_id == who.account_id),
        Notice,
        cursors=state.cursors,
        listing=f"notices:{who.account_id}",
        limit=limit,
        after=after,
    )
    return Page(items=[NoticeOut.of(row) for row in rows], next=following)


@router.get("/me/notices/unread")
def count_unread(who: SignedIn, session: Reading) -> UnreadOut:
    """Count your unread notices."""
    unread = select(Notice.id).where(Notice.account_id == who.account_id, Notice.read_at.is_(None)).limit(MOST_COUNTED)
    return UnreadOut(unread=session.scalars(select(func.count()).select_from(unread.subquery())).one())


@router.post("/me/notices/read", status_code=204)
def mark_read(who: SignedIn, session: Writing) -> None:
    """Mark all your notices as read."""
    unread = (Notice.account_id == who.account_id, Notice.read_at.is_(None))
    session.execute(update(Notice).where(*unread).values(read_at=utc_now()))


@router.post("/mail-stops/{link}", status_code=204, dependencies=[PUBLIC])
def stop_mail(link: Text, request: Request, session: Writing, state: State, everything: bool = False) -> None:
    """Stop mail of the kind that the link of a mail names, or all mail about competitions."""
    state.rates.link(address_of(request))
    stop_by_link(session, state.key, link, everything=everything)
