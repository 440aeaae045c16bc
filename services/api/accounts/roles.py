"""Roles on the platform: who may create competitions, and who operates it. There is always an operator."""

from collections.abc import Sequence

from sqlalchemy import select

from services.api.kit.auth import Principal
from services.api.kit.cursors import Cursors
from services.core.errors import Conflict, NotFound
from services.core.models import Account, Act, Role
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession

__all__ = ["LastOperator", "NotAnOrganiser", "change_role", "lock_operators", "trust", "with_a_role"]

LISTING = "accounts-with-a-role"


class NotAnOrganiser(Conflict):
    code = "not_an_organiser"


class LastOperator(Conflict):
    code = "last_operator"


def with_a_role(
    session: ReadSession, *, cursors: Cursors, limit: int, after: str | None
) -> tuple[Sequence[Account], str | None]:
    """Read one page of the organisers and operators, by username; return its rows and the cursor of the next page."""
    statement = select(Account).where(Account.role != Role.PARTICIPANT)
    if after is not None:
        statement = statement.where(Account.username > str(cursors.decode(LISTING, after)[0]))
    rows = session.scalars(statement.order_by(Account.username).limit(limit + 1)).all()
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursors.encode(LISTING, [rows[limit - 1].username])


def change_role(session: WriteSession, who: Principal, username: str, role: Role | None) -> Account:
    """Give an account a role; None leaves it. What it owns stays so. Raises NotFound or LastOperator."""
    operators = lock_operators(session)
    wanted = select(Account).where(Account.username == username, Account.deleted_at.is_(None))
    account = session.scalars(wanted.with_for_update(key_share=True)).one_or_none()
    if account is None:
        raise NotFound(f"There is no account {username!r}. Check the name.")
    if role is None or account.role is role:
        return account
    if operators == [account.id]:
        raise LastOperator(f"{username} is the last operator. Make somebody else an operator first.")
    details = {"account": str(account.id), "role": role, "before": account.role}
    account.role = role
    if role is not Role.ORGANISER:
        account.publishes_benchmarks = False
    session.flush()
    record(session, Act.ACCOUNT_ROLE_CHANGED, competition_id=None, account_id=who.account_id, details=details)
    return account


def trust(session: WriteSession, who: Principal, account: Account, publishes: bool) -> None:
    """Let an organiser publish benchmarks that were uploaded, or no longer. It is on record."""
    if account.publishes_benchmarks is publishes:
        return
    if publishes and account.role is not Role.ORGANISER:
        raise NotAnOrganiser(f"{account.username} has the role {account.role}. Only an organiser can be trusted so.")
    account.publishes_benchmarks = publishes
    session.flush()
    details = {"account": str(account.id), "publishes_benchmarks": publishes}
    record(session, Act.ACCOUNT_TRUSTED, competition_id=None, account_id=who.account_id, details=details)


def lock_operators(session: WriteSession) -> list[object]:
    """Lock the operators' accounts in the order of their ids, so that two of them cannot both stop being the last."""
    wanted = select(Account).where(Account.role == Role.OPERATOR, Account.role != Role.PARTICIPANT)
    return [account.id for account in session.scalars(wanted.order_by(Account.id).with_for_update(key_share=True))]
