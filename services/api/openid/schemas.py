"""Request and response bodies for signing in with a provider."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StringConstraints

from services.api.accounts.schemas import SessionOut, Username
from services.api.kit.schemas import Input
from services.api.own.schemas import OwnPassword

__all__ = ["Beginning", "DepartureOut", "IdentityOut", "Linking", "NewAccountByProvider", "Return", "ReturnOut"]


def _local(path: str) -> str:
    """Refuse what a browser could take for another site's address."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        raise ValueError("must be a path of this site, such as /competitions")
    return path


Back = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_local)]


class Beginning(Input):
    back: Back = Field("/", description="The page of this site to open afterwards.")


class Linking(Input):
    provider: str = Field(max_length=39, description="The provider's name.")
    password: OwnPassword = None


class DepartureOut(BaseModel):
    url: str = Field(description="Where the browser goes to sign in. It comes back within ten minutes.")


class Return(Input):
    """What the provider gave the browser along."""

    state: str = Field(max_length=200)
    code: SecretStr | None = Field(None, max_length=4000)
    error: str | None = Field(None, max_length=200)


class ReturnOut(BaseModel):
    outcome: Literal["signed_in", "linked", "new"] = Field(description="new: choose a username to get an account.")
    back: str = Field(description="The page of this site to open now.")
    session: SessionOut | None = Field(None, description="If somebody is signed in now.")
    pending: str | None = Field(None, description="If the identity is new: what stands for it, for ten minutes.")


class NewAccountByProvider(Input):
    username: Username = Field(description="Lower-case letters, digits and inner hyphens. It is also the team's name.")
    pending: SecretStr = Field(max_length=2000, description="What the return answered.")


class IdentityOut(BaseModel):
    id: UUID
    provider: str = Field(description="The provider's title; its issuer if it is not configured any more.")
    subject: str
    created_at: datetime
    is_configured: bool = Field(description="Whether one can sign in with it now.")
