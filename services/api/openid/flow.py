"""What ties a return from a provider to the browser that was sent there, without a table.

A cookie of ten minutes holds a random number, the time, and what was asked for. State, nonce and PKCE verifier are
HMACs of it under the installation's key, so a cookie that was made up or changed answers to no state.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from uuid import UUID

from fastapi import Request, Response

from services.core.errors import BadInput

__all__ = ["BadSignIn", "Flow", "begin", "challenge_of", "end", "keep_pending", "pending_of", "resume"]

COOKIE = "lethe_sign_in"
SECURE_COOKIE = f"__Host-{COOKIE}"
LIFETIME_S = 600


class BadSignIn(BadInput):
    code = "bad_sign_in"


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to a provider and back."""

    provider: str
    back: str  # a path of the web app
    account: str  # to link with, or empty
    random: str
    begun_at: int

    def secret(self, key: bytes, purpose: str) -> str:
        """Return the state, the nonce or the verifier of this flow."""
        return _mac(key, purpose, json.dumps(asdict(self), sort_keys=True).encode())


def begin(request: Request, response: Response, provider: str, back: str, account: UUID | None) -> Flow:
    """Begin a flow, and give its cookie to the browser."""
    flow = Flow(provider, back, str(account or ""), secrets.token_urlsafe(32), int(time.time()))
    packed = _pack(json.dumps(asdict(flow)).encode())
    response.set_cookie(
        _cookie_name(request), packed, max_age=LIFETIME_S, httponly=True, samesite="lax", secure=_is_secure(request)
    )
    return flow


def resume(request: Request, key: bytes, provider: str, state: str) -> Flow:
    """Return the flow that this browser began with a provider. Raises BadSignIn, the same for all that do not count."""
    try:
        flow = Flow(**json.loads(_unpack(request.cookies.get(_cookie_name(request), ""))))
        own = hmac.compare_digest(flow.secret(key, "state").encode(), state.encode())
        age_s = time.time() - flow.begun_at
    except (TypeError, ValueError, RecursionError) as error:
        raise _bad_sign_in() from error
    if not own or flow.provider != provider or age_s > LIFETIME_S:
        raise _bad_sign_in()
    return flow


def end(request: Request, response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(_cookie_name(request), httponly=True, samesite="lax", secure=_is_secure(request))


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge of a verifier (S256)."""
    return _pack(hashlib.sha256(verifier.encode()).digest())


def keep_pending(key: bytes, issuer: str, subject: str) -> str:
    """Sign an identity that has no account yet, for ten minutes."""
    content = json.dumps([issuer, subject, int(time.time()) + LIFETIME_S]).encode()
    return f"{_pack(content)}.{_mac(key, 'pending', content)}"


def pending_of(key: bytes, token: str) -> tuple[str, str]:
    """Return issuer and subject of an identity that we signed. Raises BadSignIn."""
    packed, _, mac = token.partition(".")
    try:
        content = _unpack(packed)
        own = hmac.compare_digest(_mac(key, "pending", content).encode(), mac.encode())
        issuer, subject, until = json.loads(content) if own else ("", "", 0)
    except ValueError as error:
        raise _bad_sign_in() from error
    if until < time.time():
        raise _bad_sign_in()
    return issuer, subject


def _mac(key: bytes, purpose: str, content: bytes) -> str:
    return _pack(hmac.digest(key, b"openid\0" + purpose.encode() + b"\0" + content, "sha256"))


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _cookie_name(request: Request) -> str:
    return SECURE_COOKIE if _is_secure(request) else COOKIE


def _is_secure(request: Request) -> bool:
    return bool(request.scope["scheme"] == "https")


def _bad_sign_in() -> BadSignIn:
    return BadSignIn("This sign-in was begun in another browser, or more than ten minutes ago. Begin again.")
