"""Entity tags, so that a page that did not change is not sent again."""

import hashlib

__all__ = ["etag", "matches"]


def etag(*parts: object) -> str:
    """Make a strong entity tag of everything that a response depends on."""
    return '"' + hashlib.sha256(repr(parts).encode()).hexdigest()[:32] + '"'


def matches(tag: str, if_none_match: str | None) -> bool:
    """Whether an If-None-Match header names this tag. Weak comparison, as RFC 9110 wants for it."""
    if if_none_match is None:
        return False
    given = [item.strip().removeprefix("W/") for item in if_none_match.split(",")]
    return "*" in given or tag in given
