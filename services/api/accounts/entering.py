"""Beginning a session, however somebody proved who they are."""

from fastapi import Request, Response

from services.api.accounts import service
from services.api.accounts.schemas import AccountOut, SessionOut
from services.api.kit.auth import cookie_name
from services.api.kit.schemas import visible
from services.core.models import Account
from services.core.store.database import WriteSession

__all__ = ["enter"]


def enter(request: Request, response: Response, session: WriteSession, account: Account, key: bytes) -> SessionOut:
    """Begin a session of an account, which must be locked, and give its cookie to the browser."""
    client = visible(request.headers.get("user-agent", ""))[:200] or "unknown client"
    row, secret = service.begin_session(session, account, key, client)
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=service.SESSION_DAYS * 86400,
        httponly=True,
        samesite="lax",
        secure=request.scope["scheme"] == "https",
    )
    return SessionOut(account=AccountOut.of(account), token=secret, expires_at=row.expires_at)
