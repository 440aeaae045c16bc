"""Checking an ID token: who says so, to whom, about which sign-in, and until when (OpenID Connect Core, 3.1.3.7)."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from services.core.errors import BadInput

__all__ = ["ALGORITHMS", "BadIdentity", "keys_of", "subject_of"]

# By a provider's private key only: never `none`, never a key that clients know, too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
LEEWAY_S = 60  # between two machines' clocks
MOST_KEYS = 50
MOST_CHARACTERS = 255  # of a subject, as the standard says


class BadIdentity(BadInput):
    code = "bad_identity"


def keys_of(document: Mapping[str, Any]) -> list[Key]:
    """Read the public keys of a provider that sign; leave out all others."""
    listed = document.get("keys")
    found: list[Key] = []
    for one in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or str(one.get("kty")) not in KINDS:
            continue
        with suppress(JoseError, ValueError, TypeError, KeyError):
            found.append(KINDS[one["kty"]].import_key(one))
    return found


def subject_of(token: str, keys: Sequence[Key], *, issuer: str, client_id: str, nonce: str) -> str | None:
    """Return the subject of an ID token; None if none of the keys signed it. Raises BadIdentity for all else."""
    claims = _signed_claims(token, keys)
    if claims is None:
        return None
    _require(claims.get("iss") == issuer, "another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    _require(client_id in audiences, "another audience")
    _require(claims.get("azp", client_id if len(audiences) == 1 else None) == client_id, "another authorised party")
    now = time.time()
    _require(_moment(claims, "exp") > now - LEEWAY_S, "expired")
    _require(_moment(claims, "iat") < now + LEEWAY_S, "issued in the future")
    _require(_moment(claims, "nbf", 0.0) < now + LEEWAY_S, "not valid yet")
    _require(claims.get("nonce") == nonce, "another nonce")
    subject = claims.get("sub")
    plain = isinstance(subject, str) and subject.isascii() and subject.isprintable()
    _require(plain and 0 < len(str(subject)) <= MOST_CHARACTERS, "no subject")
    return str(subject)


def _signed_claims(token: str, keys: Sequence[Key]) -> Mapping[str, Any] | None:
    for key in keys:
        try:
            return jwt.decode(token, key, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError):
            continue
    return None


def _moment(claims: Mapping[str, Any], name: str, otherwise: float | None = None) -> float:
    value = claims.get(name, otherwise)
    if not isinstance(value, int | float):
        raise _refused(f"no {name}")
    return value


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _refused(otherwise)


def _refused(why: str) -> BadIdentity:
    return BadIdentity(f"The provider's answer does not count: {why}. Begin again, or tell the operator.")
