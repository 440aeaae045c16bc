"""Request and response bodies about the own account."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, StringConstraints

from services.api.accounts.schemas import NewPassword
from services.api.kit.schemas import Input, in_words, visible
from services.core.models import HappeningKind, Theme

__all__ = [
    "AccountSettings",
    "Deletion",
    "DeletionDone",
    "DeletionOut",
    "EmailChange",
    "EndedOut",
    "LinkUse",
    "NewPasswordByLink",
    "PasswordChange",
    "ResetLinkOut",
    "ResetRequest",
]

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
ADDRESS = rf"^[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(\.{_LABEL})+$"


def _plain(text: str) -> str:
    if visible(text) != text:
        raise ValueError("must not contain invisible or control characters")
    return text


def _web_address(text: str) -> str:
    """Refuse what is no address of a page: another scheme could run a script, a login could pass for a host."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as error:
        raise ValueError("must be an address that begins with https:// or http://") from error
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or any(map(str.isspace, text)):
        raise ValueError("must be an address that begins with https:// or http://")
    return text


def _lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _line(longest: int) -> StringConstraints:
    return StringConstraints(max_length=longest, strip_whitespace=True)


Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=ADDRESS),
    in_words("give an address such as ada@example.org, in plain letters"),
    BeforeValidator(_lowered),
]
Kinds = Annotated[list[HappeningKind], Field(max_length=20), AfterValidator(lambda kinds: sorted(set(kinds)))]
OwnPassword = Annotated[SecretStr | None, Field(max_length=200, description="Your password, unless you have none.")]
Secret = Annotated[SecretStr, Field(max_length=100, description="What stands behind the # of the link.")]


class PasswordChange(Input):
    password: OwnPassword = None
    new_password: NewPassword


class EmailChange(Input):
    password: OwnPassword = None
    email: Email | None = Field(description="Null removes the address.")


class ResetRequest(Input):
    name: str = Field(min_length=1, max_length=254, description="A username, or a verified e-mail address.")


class NewPasswordByLink(Input):
    token: Secret
    new_password: NewPassword


class LinkUse(Input):
    token: Secret


class ResetLinkOut(BaseModel):
    """A link that sets a new password. It is shown only once."""

    username: str
    url: str
    expires_in_s: int


class AccountSettings(Input):
    """Profile and preferences. What is left out stays as it is."""

    display_name: Annotated[str, _line(100), AfterValidator(_plain)] | None = None
    affiliation: Annotated[str, _line(200), AfterValidator(_plain)] | None = None
    link: Annotated[str, _line(500), AfterValidator(_plain), AfterValidator(_web_address)] | None = None
    mail_wanted: bool | None = None
    notice_kinds: Kinds | None = Field(None, description="What you are told of in the web app; all of it.")
    mail_kinds: Kinds | None = Field(None, description="What you are told of by mail, if you want mail; all of it.")
    shown_in_teams: bool | None = Field(
        None, description="Whether strangers see your username and profile on pages of your teams."
    )
    time_zone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/-]{0,64}$")] | None = Field(
        None, description="A name such as Europe/Berlin; empty for the browser's."
    )
    theme: Theme | None = None


class EndedOut(BaseModel):
    ended: int = Field(description="Number of sessions that were ended.")


class Deletion(Input):
    username: str = Field(max_length=100, description="Your username, to confirm.")
    password: OwnPassword = None


class DeletionDone(BaseModel):
    pseudonym: str = Field(description="Under this name your submissions stay.")


class DeletionOut(BaseModel):
    """What deleting the account would do, and what stands in its way."""

    goes: list[str]
    remains: list[str]
    submissions: int
    submissions_open: int = Field(description="Submissions that wait or run.")
    owned_competitions: list[str] = Field(description="Hand these over first; at most 20 are named.")
    is_last_operator: bool = Field(description="The last operator cannot be deleted.")
