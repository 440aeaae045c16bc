"""Endpoints for signing in with a provider: going there, coming back, and which identities open the own account.

A provider is asked before a transaction begins, so one that does not answer holds no lock and no turn to write.
"""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.api.accounts.entering import enter
from services.api.accounts.schemas import SessionOut
from services.api.accounts.service import SignUpClosed, refuse_reserved
from services.api.kit.addresses import address_of
from services.api.kit.auth import Principal
from services.api.kit.origin import origin_of
from services.api.kit.policy import PUBLIC, Anyone, InPerson, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.openid import flow, identities
from services.api.openid.flow import BadSignIn, Flow
from services.api.openid.providers import ProviderRefused
from services.api.openid.schemas import (
    Beginning,
    DepartureOut,
    IdentityOut,
    Linking,
    NewAccountByProvider,
    Return,
    ReturnOut,
)
from services.api.own.passwords import confirm_password
from services.api.state import ApiState, State
from services.core.models import TokenKind

__all__ = ["router"]

router = APIRouter(tags=["accounts"])
ACCOUNT_PAGE = "/account"


@router.post("/openid/{name}", dependencies=[PUBLIC])
def begin_sign_in(name: Text, wanted: Beginning, request: Request, response: Response, state: State) -> DepartureOut:
    """Begin to sign in with a provider. The response sets a cookie, without which nobody can come back."""
    state.rates.provider(address_of(request))
    return _depart(request, response, state, name, flow.begin(request, response, name, wanted.back, None))


@router.post("/me/identities")
def begin_link(confirmed: Linking, who: InPerson, request: Request, response: Response, state: State) -> DepartureOut:
    """Begin to add a provider to the ways in which you sign in, confirmed by your password if you have one."""
    state.rates.password(str(who.account_id))
    confirm_password(state.database, who, confirmed.password.get_secret_value() if confirmed.password else None)
    name = confirmed.provider
    return _depart(request, response, state, name, flow.begin(request, response, name, ACCOUNT_PAGE, who.account_id))


@router.post("/openid/{name}/return")
def return_from_provider(
    *, name: Text, given: Return, who: Anyone, request: Request, response: Response, state: State
) -> ReturnOut:
    """Finish what the cookie began: sign in, link, or learn that the identity is new."""
    state.rates.provider(address_of(request))
    provider = state.providers[name]
    begun = flow.resume(request, state.key, name, given.state)
    flow.end(request, response)
    if begun.account and not _is_session_of(who, begun.account):
        raise BadSignIn("Your session has ended, or is another one. Log in, then begin again on the account page.")
    if given.code is None:
        raise ProviderRefused("The provider let nobody in. Begin again, or sign in another way.")
    subject = provider.subject(
        code=given.code.get_secret_value(),
        redirect_uri=_redirect_uri(request, state, name),
        nonce=begun.secret(state.key, "nonce"),
        verifier=begun.secret(state.key, "verifier"),
    )
    return _arrive((request, response), state, begun, who, issuer=provider.config.issuer, subject=subject)


@router.post("/openid-accounts", status_code=201, dependencies=[PUBLIC])
def sign_up_with_provider(
    new: NewAccountByProvider, request: Request, response: Response, state: State, session: Writing
) -> SessionOut:
    """Create an account for a new identity, without a password, and start a session."""
    if not state.settings.sign_up_open:
        raise SignUpClosed("Sign-up is closed. Ask the operator for an account.")
    state.rates.sign_up(address_of(request))
    refuse_reserved(new.username)
    issuer, subject = flow.pending_of(state.key, new.pending.get_secret_value())
    return enter(request, response, session, identities.add_account(session, new.username, issuer, subject), state.key)


@router.get("/me/identities")
def list_identities(who: SignedIn, session: Reading, state: State) -> list[IdentityOut]:
    """List the identities with which you sign in, oldest first."""
    known = state.providers.issuers
    return [
        IdentityOut(
            id=row.id,
            provider=known[row.issuer].title if row.issuer in known else row.issuer,
            subject=row.subject,
            created_at=row.created_at,
            is_configured=row.issuer in known,
        )
        for row in identities.identities_of(session, who.account_id)
    ]


@router.delete("/me/identities/{identity_id}", status_code=204)
def unlink_identity(identity_id: UUID, who: InPerson, session: Writing, state: State) -> None:
    """Remove an identity from the ways in which you sign in, unless it is the last one."""
    identities.unlink(session, state.settings, who, identity_id, state.providers.issuers.keys())


def _depart(request: Request, response: Response, state: ApiState, name: str, begun: Flow) -> DepartureOut:
    url = state.providers[name].address(
        redirect_uri=_redirect_uri(request, state, name),
        state=begun.secret(state.key, "state"),
        nonce=begun.secret(state.key, "nonce"),
        verifier=begun.secret(state.key, "verifier"),
    )
    return DepartureOut(url=url)


def _is_session_of(who: Principal | None, account_id: str) -> bool:
    return who is not None and who.token_kind is TokenKind.SESSION and str(who.account_id) == account_id


def _arrive(
    browser: tuple[Request, Response],
    state: ApiState,
    begun: Flow,
    who: Principal | None,
    *,
    issuer: str,
    subject: str,
) -> ReturnOut:
    with state.database.write() as session:
        if begun.account and who is not None:
            identities.link(session, state.settings, who, issuer, subject)
            return ReturnOut(outcome="linked", back=begun.back)
        account = identities.account_of(session, issuer, subject)
        if account is not None:
            entered = enter(*browser, session, account, state.key)
            return ReturnOut(outcome="signed_in", back=begun.back, session=entered)
    if not state.settings.sign_up_open:
        raise SignUpClosed(
            "This account at the provider opens none here, and sign-up is closed. Ask the operator for an account, "
            "then add the provider on your account page."
        )
    return ReturnOut(outcome="new", back=begun.back, pending=flow.keep_pending(state.key, issuer, subject))


def _redirect_uri(request: Request, state: ApiState, name: str) -> str:
    """Return the page to which the provider sends people back; it must be registered there."""
    return f"{state.settings.public_url.rstrip('/') or origin_of(request)}/signed-in/{name}"
