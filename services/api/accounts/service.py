"""Accounts, their teams, and the tokens that authenticate them."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from services.api.accounts.passwords import hash_password, verify_password
from services.api.kit.auth import NotSignedIn, Principal
from services.api.kit.policy import Forbidden
from services.api.kit.tokens import digest, new_token
from services.core.errors import Conflict, NotFound
from services.core.models import Account, Role, Scope, Team, TeamMember, Token, TokenKind
from services.core.names import is_reserved
from services.core.store.database import Database, WriteSession, utc_now

__all__ = [
    "BadCredentials",
    "NameReserved",
    "NameTaken",
    "OneTeamOnly",
    "SignUpClosed",
    "begin_session",
    "check_password",
    "create_account",
    "create_team",
    "create_token",
    "issue_token",
    "lock_checked",
    "refuse_reserved",
    "revoke_own",
    "revoke_presented",
    "valid_tokens",
]

SESSION_DAYS = 30
API_TOKEN_DAYS = 365


class SignUpClosed(Forbidden):
    code = "sign_up_closed"


class NameTaken(Conflict):
    code = "name_taken"


class NameReserved(Conflict):
    code = "name_reserved"


class OneTeamOnly(Forbidden):
    code = "one_team_only"


class BadCredentials(NotSignedIn):
    code = "bad_credentials"


def create_account(session: WriteSession, username: str, password: str | None, role: Role) -> Account:
    """Create an account and a team with it as the only member. Raises NameTaken, also if it only looks taken."""
    account = Account(username=username, password_hash="" if password is None else hash_password(password), role=role)
    session.add(account)
    _flush(session, username)
    _add_team(session, account.id, username)
    return account


def refuse_reserved(name: str) -> None:
    """Raise NameReserved for a name that would pass for the platform or somebody who runs it."""
    if is_reserved(name):
        raise NameReserved(f"The name {name!r} is reserved. Choose another one.")


def create_team(session: WriteSession, who: Principal, name: str) -> Team:
    """Create another team of one. Raises OneTeamOnly unless an operator asks, whose teams are ranked separately."""
    count = session.scalars(
        select(func.count()).select_from(TeamMember).where(TeamMember.account_id == who.account_id)
    ).one()
    if count and not who.is_operator:
        raise OneTeamOnly("You are already in a team, and a participant may be in only one. Submit with that team.")
    return _add_team(session, who.account_id, name)


def issue_token(
    session: WriteSession,
    account: Account,
    key: bytes,
    *,
    name: str,
    kind: TokenKind,
    lifetime: timedelta,
    scopes: Iterable[Scope] = tuple(Scope),
) -> tuple[Token, str]:
    """Create a token; return its row and the token itself, which is not stored."""
    secret, wanted = new_token(), set(scopes)
    row = Token(
        account_id=account.id,
        kind=kind,
        name=name,
        scope=" ".join(scope for scope in Scope if scope in wanted),
        digest=digest(key, secret),
        expires_at=utc_now() + lifetime,
    )
    session.add(row)
    session.flush()
    return row, secret


def create_token(session: WriteSession, account: Account, key: bytes, *, name: str) -> str:
    """Create a token for use outside a browser, valid for one year."""
    lifetime = timedelta(days=API_TOKEN_DAYS)
    return issue_token(session, account, key, name=name, kind=TokenKind.API, lifetime=lifetime)[1]


def check_password(database: Database, username: str, password: str) -> Account:
    """Return the account with this username and password. Raises BadCredentials, the same whichever of them is wrong.

    It reads in a separate transaction, because hashing is slow on purpose and must not hold a lock.
    """
    with database.read() as session:
        account = session.scalars(select(Account).where(Account.username == username)).one_or_none()
    if not verify_password(password, (account and account.password_hash) or None) or account is None:
        raise _bad_credentials()
    return account


def lock_checked(session: WriteSession, checked: Account) -> Account:
    """Lock an account whose password was right. Raises BadCredentials if that was changed meanwhile."""
    unchanged = (Account.id == checked.id, Account.password_hash == checked.password_hash, Account.deleted_at.is_(None))
    account = session.scalars(select(Account).where(*unchanged).with_for_update(key_share=True)).one_or_none()
    if account is None:
        raise _bad_credentials()
    return account


def _bad_credentials() -> BadCredentials:
    return BadCredentials("Username or password is wrong. Check both and try again.")


def begin_session(session: WriteSession, account: Account, key: bytes, client: str) -> tuple[Token, str]:
    """Start a session for the named client; return its row and its token."""
    lifetime = timedelta(days=SESSION_DAYS)
    return issue_token(session, account, key, name=client, kind=TokenKind.SESSION, lifetime=lifetime)


def valid_tokens(account_id: UUID) -> Select[Token]:
    """Select the valid tokens and sessions of an account."""
    return select(Token).where(Token.account_id == account_id, Token.revoked_at.is_(None), Token.expires_at > utc_now())


def revoke_own(session: WriteSession, who: Principal, token_id: UUID) -> None:
    """Revoke one of the caller's tokens or sessions. Raises NotFound for any other."""
    row = session.scalars(valid_tokens(who.account_id).where(Token.id == token_id)).one_or_none()
    if row is None:
        raise NotFound(f"You have no valid token {token_id}. Your account page lists your tokens.")
    row.revoked_at = utc_now()


def revoke_presented(session: WriteSession, who: Principal) -> None:
    """Revoke the token of the request."""
    session.get_one(Token, who.token_id).revoked_at = utc_now()


def _add_team(session: WriteSession, account_id: UUID, name: str) -> Team:
    team = Team(name=name)
    session.add(team)
    _flush(session, name)
    session.add(TeamMember(team_id=team.id, account_id=account_id))
    session.flush()
    return team


def _flush(session: WriteSession, name: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise NameTaken(f"The name {name!r} is taken, or looks like one that is. Choose another one.") from error
