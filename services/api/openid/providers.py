"""The configured providers: where each asks people in, and how a code becomes a subject.

Discovery documents and keys are kept for an hour. A token by an unknown key has the keys read again, at most once a
minute.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from joserfc.jwk import Key

from services.api.openid.fetching import ProviderUnavailable, ask, ask_status
from services.api.openid.flow import challenge_of
from services.api.openid.tokens import BadIdentity, keys_of, subject_of
from services.core.errors import BadInput, NotFound
from services.core.providers import IdentityProvider

__all__ = ["Provider", "ProviderRefused", "Providers", "UnknownProvider"]

KEEP_S = 3600.0
LOOK_AGAIN_S = 60.0
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class UnknownProvider(NotFound):
    code = "unknown_provider"


class ProviderRefused(BadInput):
    code = "provider_refused"


@dataclass
class Provider:
    """One provider, with what it told about itself."""

    config: IdentityProvider
    _document: dict[str, Any] = field(default_factory=dict)
    _document_at: float = float("-inf")
    _keys: Sequence[Key] = ()
    _keys_at: float = float("-inf")
    _lock: Lock = field(default_factory=Lock)

    def address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser goes to sign in. Raises ProviderUnavailable."""
        endpoint = str(self._discover()["authorization_endpoint"])
        asked = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self.config.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return endpoint + ("&" if urlsplit(endpoint).query else "?") + urlencode(asked)

    def subject(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> str:
        """Exchange a code for a subject. Raises ProviderUnavailable, ProviderRefused or BadIdentity."""
        token = self._redeem(code, redirect_uri, verifier)
        expected = {"issuer": self.config.issuer, "client_id": self.config.client_id, "nonce": nonce}
        for newest in (False, True):
            found = subject_of(token, self._signing_keys(newest=newest), **expected)
            if found is not None:
                return found
        raise BadIdentity("The provider's answer is not signed by one of its keys. Begin again, or tell the operator.")

    def _redeem(self, code: str, redirect_uri: str, verifier: str) -> str:
        document, config = self._discover(), self.config
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        login, secret = None, config.client_secret()
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if secret and "client_secret_basic" in methods:
            login = quote(config.client_id, safe=""), quote(secret, safe="")
        else:
            form |= {"client_id": config.client_id} | ({"client_secret": secret} if secret else {})
        status, answer = ask_status(str(document["token_endpoint"]), issuer=config.issuer, form=form, login=login)
        if status != 200:
            raise ProviderRefused("The provider does not take its own answer, perhaps because it is used. Begin again.")
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise BadIdentity("The provider's answer names nobody. Begin again, or tell the operator.")
        return token

    def _discover(self) -> dict[str, Any]:
        with self._lock:
            if time.monotonic() - self._document_at < KEEP_S:
                return self._document
        issuer = self.config.issuer
        found: dict[str, Any] = ask(issuer.rstrip("/") + "/.well-known/openid-configuration", issuer=issuer)
        if found.get("issuer") != issuer or not all(_is_address(found.get(name), issuer) for name in ENDPOINTS):
            raise ProviderUnavailable(
                "The provider describes itself as another one, or not completely. Tell the operator to check the name."
            )
        with self._lock:
            self._document, self._document_at = found, time.monotonic()
        return found

    def _signing_keys(self, *, newest: bool) -> Sequence[Key]:
        with self._lock:
            age_s = time.monotonic() - self._keys_at
            if age_s < (LOOK_AGAIN_S if newest else KEEP_S):
                return self._keys
        found = keys_of(ask(str(self._discover()["jwks_uri"]), issuer=self.config.issuer))
        with self._lock:
            self._keys, self._keys_at = found, time.monotonic()
        return found


class Providers:
    """All configured providers."""

    def __init__(self, configured: Sequence[IdentityProvider]) -> None:
        self._by_name = {one.name: Provider(one) for one in configured}

    def __iter__(self) -> Iterator[IdentityProvider]:
        return iter([one.config for one in self._by_name.values()])

    def __getitem__(self, name: str) -> Provider:
        """Return a provider by its name. Raises UnknownProvider."""
        if name not in self._by_name:
            raise UnknownProvider(f"There is no provider {name!r} here. Choose one of the sign-in page.")
        return self._by_name[name]

    @property
    def issuers(self) -> dict[str, IdentityProvider]:
        """The providers by issuer."""
        return {one.issuer: one for one in self}


def _is_address(value: object, issuer: str) -> bool:
    """Tell whether an endpoint can be used: by TLS, unless the provider is on this machine."""
    try:
        parts, own = urlsplit(str(value)), urlsplit(issuer)
    except ValueError:
        return False
    same = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    return bool(parts.hostname) and (parts.scheme == "https" or same)
