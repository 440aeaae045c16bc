"""Endpoints for sign-up, login and logout, tokens and teams."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.api.accounts import roles, service
from services.api.accounts.entering import enter
from services.api.accounts.schemas import (
    AccountChange,
    AccountOut,
    Credentials,
    MeOut,
    NewAccount,
    NewAccountByOperator,
    NewTeam,
    NewToken,
    SessionOut,
    TeamOut,
    TokenOut,
    TokenWithSecret,
)
from services.api.accounts.showing import me_of
from services.api.kit.addresses import address_of
from services.api.kit.auth import cookie_name
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import PUBLIC, Anyone, BearerOnly, InPerson, Operating, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.state import State
from services.core.models import Account, Act, Role, Token, TokenKind
from services.core.record.acts import record

__all__ = ["router"]

router = APIRouter(tags=["accounts"])


@router.post("/accounts", status_code=201, dependencies=[PUBLIC])
def sign_up(new: NewAccount, request: Request, state: State, session: Writing) -> MeOut:
    """Create an account and a team with it as the only member."""
    if not state.settings.sign_up_open:
        raise service.SignUpClosed("Sign-up is closed. Ask the operator for an account.")
    state.rates.sign_up(address_of(request))
    service.refuse_reserved(new.username)
    return _created(session, new, Role.PARTICIPANT)


@router.post("/admin/accounts", status_code=201)
def create_account(new: NewAccountByOperator, session: Writing, who: Operating) -> MeOut:
    """Create an account with any role, even if sign-up is closed or the name is reserved."""
    made = _created(session, new, new.role)
    details = {"account": str(made.account.id), "role": new.role}
    record(session, Act.ACCOUNT_MADE, competition_id=None, account_id=who.account_id, details=details)
    return made


@router.get("/admin/accounts")
def list_accounts_with_a_role(
    who: Operating, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[AccountOut]:
    """List the organisers and operators of the platform, by username."""
    rows, following = roles.with_a_role(session, cursors=state.cursors, limit=limit, after=after)
    return Page(items=[AccountOut.of(row) for row in rows], next=following)


@router.patch("/admin/accounts/{username}")
def change_account(username: Text, change: AccountChange, who: Operating, session: Writing) -> AccountOut:
    """Give an account a role on the platform, or trust an organiser. What it owns or helps to run stays so."""
    account = roles.change_role(session, who, username, change.role)
    if change.publishes_benchmarks is not None:
        roles.trust(session, who, account, change.publishes_benchmarks)
    return AccountOut.of(account)


@router.post("/sessions", status_code=201, dependencies=[PUBLIC])
def log_in(
    credentials: Credentials, request: Request, response: Response, state: State, session: Writing
) -> SessionOut:
    """Start a session. The response sets a cookie for browsers and contains the token for other clients."""
    state.rates.login(address_of(request), credentials.username)
    password = credentials.password.get_secret_value()
    account = service.lock_checked(session, service.check_password(state.database, credentials.username, password))
    return enter(request, response, session, account, state.key)


@router.delete("/sessions/current", status_code=204)
def log_out(who: BearerOnly, request: Request, session: Writing, response: Response) -> None:
    """Revoke the session or token of this request."""
    service.revoke_presented(session, who)
    secure = request.scope["scheme"] == "https"
    response.delete_cookie(cookie_name(request), httponly=True, samesite="lax", secure=secure)


@router.get("/me")
def me(who: Anyone, session: Reading) -> MeOut | None:
    """Show your account and teams; null if you are not logged in."""
    return me_of(session, session.get_one(Account, who.account_id)) if who else None


@router.get("/me/tokens")
def list_tokens(
    who: SignedIn, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[TokenOut]:
    """List your valid tokens and sessions, newest first."""
    rows, following = newest_first(
        session,
        service.valid_tokens(who.account_id),
        Token,
        cursors=state.cursors,
        listing=f"tokens:{who.account_id}",
        limit=limit,
        after=after,
    )
    return Page(items=[TokenOut.of(row, who.token_id) for row in rows], next=following)


@router.post("/me/tokens", status_code=201)
def create_token(new: NewToken, who: InPerson, session: Writing, state: State) -> TokenWithSecret:
    """Create a token for scripts. This requires a session, so that a leaked token cannot create others."""
    account = session.get_one(Account, who.account_id)
    lifetime = timedelta(days=new.expires_in_days)
    row, secret = service.issue_token(
        session, account, state.key, name=new.name, kind=TokenKind.API, lifetime=lifetime, scopes=new.scopes
    )
    return TokenWithSecret(**TokenOut.of(row, who.token_id).model_dump(), token=secret)


@router.delete("/me/tokens/{token_id}", status_code=204)
def revoke_token(token_id: UUID, who: InPerson, session: Writing) -> None:
    """Revoke one of your tokens or sessions."""
    service.revoke_own(session, who, token_id)


@router.post("/teams", status_code=201)
def create_team(new: NewTeam, who: SignedIn, session: Writing) -> TeamOut:
    """Create another team. Only operators may have more than one; each of their teams is ranked separately."""
    if not who.is_operator:
        service.refuse_reserved(new.name)
    return TeamOut.of(service.create_team(session, who, new.name))


def _created(session: Writing, new: NewAccount, role: Role) -> MeOut:
    return me_of(session, service.create_account(session, new.username, new.password.get_secret_value(), role))
