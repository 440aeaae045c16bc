"""Announcements of a competition: public to read; its organiser posts and retracts them."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from sqlalchemy import Select, select

from services.api.announcements.feed import MEDIA_TYPE, NEWEST, feed_of
from services.api.competitions.finding import owners_of
from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.kit.etags import etag, matches
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import PUBLIC, Anyone, Organising
from services.api.kit.schemas import Input, Label, Text, presentable
from services.api.kit.sessions import Reading, Writing
from services.api.state import State
from services.core import happenings
from services.core.errors import NotFound
from services.core.models import Act, Announcement, Competition
from services.core.record.acts import record
from services.core.store.database import WriteSession, utc_now

__all__ = ["MAX_BODY", "NewAnnouncement", "post", "router"]

router = APIRouter(tags=["announcements"])

MAX_BODY = 20_000
PATH = "/competitions/{slug}/announcements"
ATOM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The feed", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    304: {"description": "The feed has not changed since the tag in If-None-Match."},
}


class NewAnnouncement(Input):
    """What to announce, in plain text."""

    title: Label
    body: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MAX_BODY, strip_whitespace=True),
        AfterValidator(presentable),
        Field(description="Paragraphs, divided by empty lines."),
    ]


class AnnouncementOut(BaseModel):
    """An announcement."""

    id: UUID
    title: str
    body: str
    created_at: datetime

    @classmethod
    def of(cls, row: Announcement) -> Self:
        """Make the JSON form of an announcement."""
        return cls(id=row.id, title=row.title, body=row.body, created_at=row.created_at)


@router.get(PATH)
def list_announcements(
    *, slug: Text, who: Anyone, session: Reading, state: State, limit: Limit = 20, after: After = None
) -> Page[AnnouncementOut]:
    """List the announcements of a competition, newest first."""
    competition = find_competition(session, slug, who)
    rows, following = newest_first(
        session,
        _shown(competition),
        Announcement,
        cursors=state.cursors,
        listing=f"announcements:{competition.id}",
        limit=limit,
        after=after,
    )
    return Page(items=[AnnouncementOut.of(row) for row in rows], next=following)


@router.get(PATH + ".atom", dependencies=[PUBLIC], response_class=Response, responses=ATOM)
def read_feed(
    slug: Text, request: Request, session: Reading, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Read the newest announcements as an Atom feed."""
    competition = find_competition(session, slug)
    newest = _shown(competition).order_by(Announcement.created_at.desc(), Announcement.id.desc()).limit(NEWEST)
    posts = session.scalars(newest).all()
    headers = {
        "ETag": etag(competition.id, competition.title, [post.id for post in posts]),
        "Cache-Control": "no-cache",
    }
    if matches(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    page = f"{request.base_url}competitions/{slug}"
    (owner,) = owners_of(session, [competition])
    feed = feed_of(competition, owner, posts, own=str(request.url.replace(query="")), page=page)
    return Response(feed, media_type=MEDIA_TYPE, headers=headers)


@router.post(PATH, status_code=201)
def announce(slug: Text, new: NewAnnouncement, who: Organising, session: Writing) -> AnnouncementOut:
    """Announce something on the page of a competition. It cannot be edited, only retracted."""
    competition = find_competition(session, slug, who)
    require_writable(competition)
    return AnnouncementOut.of(post(session, who, competition, new))


@router.post(PATH + "/{announcement_id}/retract")
def retract(slug: Text, announcement_id: UUID, who: Organising, session: Writing) -> AnnouncementOut:
    """Take an announcement off the page and the feed. The record keeps it."""
    competition = find_competition(session, slug, who)
    require_writable(competition)
    row = session.scalars(_shown(competition).where(Announcement.id == announcement_id)).one_or_none()
    if row is None:
        raise NotFound(f"{slug!r} has no announcement {announcement_id}, or it is retracted.")
    row.retracted_at = utc_now()
    _record(session, Act.ANNOUNCEMENT_RETRACTED, who, row)
    return AnnouncementOut.of(row)


def post(session: WriteSession, who: Principal, competition: Competition, new: NewAnnouncement) -> Announcement:
    """Post an announcement, on record."""
    row = Announcement(competition_id=competition.id, account_id=who.account_id, **new.model_dump())
    session.add(row)
    session.flush()
    happenings.announced(session, row)
    _record(session, Act.ANNOUNCED, who, row)
    return row


def _shown(competition: Competition) -> Select[Announcement]:
    return select(Announcement).where(
        Announcement.competition_id == competition.id, Announcement.retracted_at.is_(None)
    )


def _record(session: WriteSession, act: Act, who: Principal, row: Announcement) -> None:
    details = {"announcement": str(row.id), "title": row.title, "body": row.body}
    record(session, act, competition_id=row.competition_id, account_id=who.account_id, details=details)
