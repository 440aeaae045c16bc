"""Entity tags, so that an unchanged page is not sent again."""

import hashlib

__all__ = ["etag", "matches"]


def etag(*parts: object) -> str:
    """Create a strong entity tag from everything on which a response depends."""
    return '"' + hashlib.sha256(repr(parts).encode()).hexdigest()[:32] + '"'


def matches(tag: str, if_none_match: str | None) -> bool:
    """Tell whether an If-None-Match header names this tag, by the weak comparison of RFC 9110."""
    if if_none_match is None:
        return False
    given = [item.strip().removeprefix("W/") for item in if_none_match.split(",")]
    return "*" in given or tag in given
