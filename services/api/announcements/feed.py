"""The announcements of a competition as an Atom feed (RFC 4287)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from services.core.models import Announcement, Competition

__all__ = ["MEDIA_TYPE", "NEWEST", "feed_of"]

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
NEWEST = 20


def feed_of(competition: Competition, organiser: str, posts: Sequence[Announcement], *, own: str, page: str) -> bytes:
    """Write a feed of posts, newest first; `own` is its address, `page` that of the competition."""
    feed = Element("feed", xmlns=NAMESPACE)
    _add(feed, "id", f"urn:uuid:{competition.id}")
    _add(feed, "title", competition.title)
    _add(feed, "updated", _moment(posts[0].created_at if posts else competition.created_at))
    _add(SubElement(feed, "author"), "name", organiser)
    SubElement(feed, "link", rel="self", href=own)
    SubElement(feed, "link", rel="alternate", type="text/html", href=page)
    for post in posts:
        entry = SubElement(feed, "entry")
        _add(entry, "id", f"urn:uuid:{post.id}")
        _add(entry, "title", post.title)
        _add(entry, "updated", _moment(post.created_at))
        SubElement(entry, "link", rel="alternate", type="text/html", href=page)
        SubElement(entry, "content", type="text").text = post.body
    return bytes(tostring(feed, encoding="utf-8", xml_declaration=True))


def _add(parent: Element, name: str, words: str) -> None:
    SubElement(parent, name).text = words


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
