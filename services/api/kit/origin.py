"""Refuses writes from other sites, because a browser sends its cookie whichever page asks it to."""

from fastapi import Request

from services.api.kit.auth import cookie_name
from services.api.kit.policy import Forbidden

__all__ = ["CrossOrigin", "origin_of", "same_origin"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossOrigin(Forbidden):
    code = "cross_origin"


def origin_of(request: Request) -> str:
    """Return the scheme and the host by which a request reached us."""
    return f"{request.scope['scheme']}://{request.headers.get('host')}"


async def same_origin(request: Request) -> None:
    """Refuse a write from a page of another scheme, host or port, or one with a cookie but no `Origin` header."""
    if request.method in SAFE or "authorization" in request.headers:
        return
    origin = request.headers.get("origin")
    if origin is None and cookie_name(request) not in request.cookies:
        return
    own = origin_of(request)
    if origin is None or origin.lower() != own.lower():
        raise CrossOrigin(
            f"The request does not come from a page of this site, which is {own}. Send `Authorization: Bearer` with a "
            "token instead of a cookie, or set the `Origin` header as a browser does. If a proxy ends TLS, its address "
            "must be in FORWARDED_ALLOW_IPS."
        )
