"""Telling participants that something on which they rely has changed."""

from collections.abc import Iterable

from services.api.announcements.endpoints import MAX_BODY, NewAnnouncement, post
from services.api.kit.auth import Principal
from services.core.models import Announcement, Competition
from services.core.store.database import WriteSession
from services.core.text import shortened

__all__ = ["announce_broken"]

TITLE = "Settings of an open phase have changed"
HEAD = "The organiser has changed a phase that is open:"


def announce_broken(
    session: WriteSession, who: Principal, competition: Competition, sentences: Iterable[str]
) -> Announcement:
    """Announce the changes that an organiser confirmed."""
    body = shortened("\n\n".join([HEAD, *sentences]), MAX_BODY)
    return post(session, who, competition, NewAnnouncement(title=TITLE, body=body))
