"""The OpenID Connect providers that an operator names in the settings."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["IdentityProvider", "IdentityProviders"]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _issuer(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be the provider's issuer, such as https://id.example.org")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must begin with https://; http:// is for this machine only")
    return url


class IdentityProvider(BaseModel):
    """One provider. Its issuer, and not its name, says whose subjects are meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,37}[a-z0-9])?$", description="It is part of the return address.")
    title: str = Field(min_length=1, max_length=60, description="What the button says.")
    issuer: Annotated[str, AfterValidator(_issuer)] = Field(max_length=255)
    client_id: str = Field(min_length=1, max_length=255)
    client_secret_file: Path | None = Field(None, description="None for a public client.")

    def client_secret(self) -> str:
        """Read the client's secret; empty for a public client."""
        return self.client_secret_file.read_text().strip() if self.client_secret_file else ""


def _each_once(providers: tuple[IdentityProvider, ...]) -> tuple[IdentityProvider, ...]:
    """Refuse two of a name, which would share an address, and two of an issuer, whose subjects are the same people."""
    for member in ("name", "issuer"):
        if len({getattr(one, member) for one in providers}) < len(providers):
            raise ValueError(f"must not hold two providers with the same {member}")
    return providers


IdentityProviders = Annotated[tuple[IdentityProvider, ...], AfterValidator(_each_once)]
