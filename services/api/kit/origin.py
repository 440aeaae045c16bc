"""Refuses writes from other sites, because a browser sends its cookie whichever page asks it to."""

from urllib.parse import urlsplit

from fastapi import Request

from services.api.kit.auth import COOKIE
from services.api.kit.policy import Forbidden

__all__ = ["CrossOrigin", "same_origin"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossOrigin(Forbidden):
    code = "cross_origin"


def same_origin(request: Request) -> None:
    """Refuse a write from another site's page, or one that carries a cookie but no `Origin` header."""
    if request.method in SAFE or "authorization" in request.headers:
        return
    origin = request.headers.get("origin")
    if origin is None and COOKIE not in request.cookies:
        return
    if origin is None or urlsplit(origin).netloc != request.headers.get("host"):
        raise CrossOrigin(
            "The request does not come from a page of this site. Send `Authorization: Bearer` with a token instead "
            "of a cookie, or set the `Origin` header as a browser does."
        )
