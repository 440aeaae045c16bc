"""The account and the team that own the platform's reference rows. Nobody can log in to it, and it has no members."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from services.core.models import Account, Role, Team
from services.core.names import skeleton
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = ["ACCOUNT", "TEAM", "ensure"]

ACCOUNT = UUID("00000000-0000-4000-8000-00006c657468")  # the same in every installation
TEAM = UUID("00000000-0000-4000-8000-01006c657468")
NAMES = ("lethe", *(f"lethe-{number}" for number in range(2, 100)))  # reserved, but an operator may have given one


def ensure(session: WriteSession) -> None:
    """Make the platform's account and team if they are missing. Several requests may do so at once."""
    if session.get(Team, TEAM) is not None:
        return
    name, now = _free_name(session), utc_now()
    insert = insert_postgres if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    account = {"id": ACCOUNT, "username": name, "password_hash": "", "role": Role.PARTICIPANT, "created_at": now}
    session.execute(insert(Account).values(account | {"mail_wanted": False}).on_conflict_do_nothing())
    team = {"id": TEAM, "name": name, "skeleton": skeleton(name), "created_at": now}
    session.execute(insert(Team).values(team).on_conflict_do_nothing())


def _free_name(session: ReadSession) -> str:
    taken = set(session.scalars(select(Team.skeleton).where(Team.skeleton.in_([skeleton(name) for name in NAMES]))))
    taken |= {skeleton(name) for name in session.scalars(select(Account.username).where(Account.username.in_(NAMES)))}
    return next(name for name in NAMES if skeleton(name) not in taken)
