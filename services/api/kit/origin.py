"""A browser sends its cookie wherever a page tells it to, so writes must come from our own pages."""

from urllib.parse import urlsplit

from fastapi import Request

from services.api.kit.auth import COOKIE
from services.api.kit.policy import Forbidden

__all__ = ["CrossOrigin", "same_origin"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossOrigin(Forbidden):
    code = "cross_origin"


def same_origin(request: Request) -> None:
    """Refuse a write that another site's page made, or that carries a cookie and does not say where it comes from."""
    if request.method in SAFE or "authorization" in request.headers:
        return
    origin = request.headers.get("origin")
    if origin is None and COOKIE not in request.cookies:
        return
    if origin is None or urlsplit(origin).netloc != request.headers.get("host"):
        raise CrossOrigin(
            "The request does not come from this site's own pages. Send `Authorization: Bearer` with a token instead "
            "of a cookie, or the `Origin` header that a browser would."
        )
