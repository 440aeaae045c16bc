"""Identifies the caller by a bearer token, or by the cookie of a browser session."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import bindparam, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from services.api.kit.tokens import digest, is_well_formed
from services.api.state import ApiState, State
from services.core.errors import LetheError
from services.core.models import Account, Role, Scope, Token, TokenKind
from services.core.store.database import utc_now

__all__ = ["COOKIE", "NotSignedIn", "Principal", "cookie_name", "identify"]

COOKIE = "lethe_session"  # over plain http, which only a loopback address should use
SECURE_COOKIE = f"__Host-{COOKIE}"  # browsers take it from https only, for this host only: no other can set it

_bearer = HTTPBearer(auto_error=False, description="A token from `lethe login` or from the account page.")


def cookie_name(request: HTTPConnection) -> str:
    """Return the name of the session's cookie on the request's scheme."""
    return SECURE_COOKIE if request.scope["scheme"] == "https" else COOKIE


class _SessionCookie(APIKeyCookie):
    async def __call__(self, request: HTTPConnection) -> str | None:
        return request.cookies.get(cookie_name(request))


_cookie = _SessionCookie(
    name=COOKIE,
    scheme_name="APIKeyCookie",
    description=f"The session cookie of a browser, called {SECURE_COOKIE} over https.",
)


class NotSignedIn(LetheError):
    code = "not_signed_in"
    status = 401


# Built once, because most requests begin with it; its columns are the fields of a Principal.
CALLER = (
    select(Token.account_id, Account.username, Account.role, Token.id, Token.kind, Token.scope)
    .join(Account, Account.id == Token.account_id)
    .where(
        Token.digest == bindparam("digest"),
        Token.revoked_at.is_(None),
        Token.expires_at > bindparam("now"),
        Account.deleted_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The account behind a request, and the token that proves it."""

    account_id: UUID
    username: str
    role: Role
    token_id: UUID
    token_kind: TokenKind
    scopes: frozenset[Scope]

    @property
    def is_operator(self) -> bool:
        """Tell whether the caller is an operator."""
        return self.role is Role.OPERATOR


async def identify(
    request: Request,
    state: State,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Principal | None:
    """Identify the caller; None without a token. Raises NotSignedIn if a bearer token is not valid.

    An invalid cookie also gives None, so that a browser with an old one still sees public pages. A cookie counts only
    if there is no Authorization header, because that header exempts a write from the origin check.
    """
    if "authorization" not in request.headers:
        return await run_in_threadpool(_find, state, cookie) if cookie else None
    found = await run_in_threadpool(_find, state, bearer.credentials) if bearer else None
    if found is None:
        raise NotSignedIn("The token is unknown, expired or revoked. Log in again, or create a new token.")
    return found


def _find(state: ApiState, token: str) -> Principal | None:
    if not is_well_formed(token):
        return None
    row = state.database.glance(CALLER, {"digest": digest(state.key, token), "now": utc_now()})
    return Principal(*row[:-1], frozenset(map(Scope, row.scope.split()))) if row else None
