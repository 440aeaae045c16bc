"""Endpoints for the own account: password, address, profile, sessions, export and deletion; and links that prove it."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from services.api.accounts.schemas import MeOut
from services.api.accounts.showing import me_of
from services.api.kit.addresses import address_of
from services.api.kit.policy import PUBLIC, InPerson, Operating, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.own import emails, links, passwords
from services.api.own.deleting import delete_account, foresee
from services.api.own.exporting import export
from services.api.own.schemas import (
    AccountSettings,
    Deletion,
    DeletionDone,
    DeletionOut,
    EmailChange,
    EndedOut,
    LinkUse,
    NewPasswordByLink,
    PasswordChange,
    ResetLinkOut,
    ResetRequest,
)
from services.api.state import State
from services.core.errors import BadInput
from services.core.models import Account, LinkKind

__all__ = ["OtherUsername", "router"]

router = APIRouter(tags=["accounts"])
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "The zip", "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


class OtherUsername(BadInput):
    code = "other_username"


@router.patch("/me")
def change_own_account(change: AccountSettings, who: InPerson, session: Writing) -> MeOut:
    """Change your profile and preferences."""
    account = session.get_one(Account, who.account_id, with_for_update={"key_share": True})
    for name, value in change.model_dump(exclude_none=True).items():
        setattr(account, name, value)
    session.flush()
    return me_of(session, account)


@router.post("/me/password", status_code=204)
def change_password(change: PasswordChange, who: InPerson, session: Writing, state: State) -> None:
    """Set a new password. It ends all your other sessions; tokens stay."""
    state.rates.password(str(who.account_id))
    old = change.password.get_secret_value() if change.password else None
    new = change.new_password.get_secret_value()
    passwords.change_password(session, state.database, state.settings, who, old=old, new=new)


@router.post("/me/email")
def change_email(change: EmailChange, who: InPerson, session: Writing, state: State) -> MeOut:
    """Set or remove your e-mail address. A link is sent to a new one, which verifies it."""
    state.rates.password(str(who.account_id))
    passwords.confirm_password(state.database, who, change.password.get_secret_value() if change.password else None)
    account = emails.set_email(session, state.settings, who, change.email)
    session.flush()
    return me_of(session, account)


@router.post("/me/email/verification", status_code=202)
def send_verification(who: InPerson, session: Writing, state: State) -> None:
    """Send the link that verifies your address once more."""
    state.rates.mail(str(who.account_id))
    emails.ask_again(session, state.settings, who)


@router.post("/email-verifications", status_code=204, dependencies=[PUBLIC])
def verify_email(use: LinkUse, request: Request, session: Writing, state: State) -> None:
    """Verify an address by the link that was sent to it."""
    state.rates.link(address_of(request))
    emails.verify(session, state.key, use.token.get_secret_value())


@router.post("/password-resets", status_code=202, dependencies=[PUBLIC])
def ask_for_password_reset(wanted: ResetRequest, request: Request, session: Writing, state: State) -> None:
    """Have a link sent that sets a new password. The answer is the same whether or not there is such an account."""
    state.rates.reset(address_of(request), wanted.name)
    passwords.ask_for_link(session, state.settings, wanted.name)


@router.post("/password-resets/use", status_code=204, dependencies=[PUBLIC])
def reset_password(use: NewPasswordByLink, request: Request, session: Writing, state: State) -> None:
    """Set a new password by a link. It ends all sessions of the account; tokens stay."""
    state.rates.link(address_of(request))
    secret, new = use.token.get_secret_value(), use.new_password.get_secret_value()
    passwords.set_by_link(session, state.settings, state.key, secret, new)


@router.post("/admin/accounts/{username}/reset", status_code=201)
def make_reset_link(username: Text, who: Operating, session: Writing, state: State) -> ResetLinkOut:
    """Make a link with which somebody sets a new password, once, within an hour. It is on record."""
    secret, account = passwords.link_by_operator(session, who, state.key, username)
    lifetime_s = int(links.LIFETIMES[LinkKind.RESET].total_seconds())
    url = f"{state.settings.site}/reset-password#{secret}"
    return ResetLinkOut(username=account.username, url=url, expires_in_s=lifetime_s)


@router.post("/me/sessions/end-others")
def end_other_sessions(who: InPerson, session: Writing) -> EndedOut:
    """End all your sessions but this one."""
    return EndedOut(ended=passwords.end_other_sessions(session, who))


@router.get("/me/export", response_class=StreamingResponse, responses=ZIP)
def export_own_data(who: InPerson, state: State) -> StreamingResponse:
    """Download all data of your account as a zip: JSON, and the files of your submissions."""
    state.rates.export(str(who.account_id))
    headers = {"Content-Disposition": f'attachment; filename="lethe-{who.username}.zip"'}
    return StreamingResponse(export(state, who), media_type="application/zip", headers=headers)


@router.get("/me/deletion")
def foresee_deletion(who: SignedIn, session: Reading) -> DeletionOut:
    """Show what deleting your account would remove, what would remain, and what stands in its way."""
    return foresee(session, who)


@router.post("/me/deletion")
def delete_own_account(confirmed: Deletion, who: InPerson, session: Writing, state: State) -> DeletionDone:
    """Delete your account. You cannot undo this."""
    state.rates.password(str(who.account_id))
    if confirmed.username != who.username:
        raise OtherUsername("That is not your username. Type it to confirm the deletion.")
    password = confirmed.password.get_secret_value() if confirmed.password else None
    return DeletionDone(pseudonym=delete_account(session, state.database, who, password))
