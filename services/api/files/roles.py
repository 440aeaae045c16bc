"""Who runs and reviews a competition, as its file says it. A file names no owner: a competition always has one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from sqlalchemy import select

from services.api.files.form import CompetitionFile
from services.api.files.reading import ROLES, Reading
from services.api.kit.auth import Principal
from services.api.kit.roles import may
from services.api.people import members
from services.core.models import Account, Competition, CompetitionRole
from services.core.store.database import ReadSession, WriteSession

__all__ = ["Roles", "check_roles", "write_roles"]

ROLE_OF = {"organisers": CompetitionRole.ORGANISER, "reviewers": CompetitionRole.REVIEWER}


@dataclass(frozen=True, slots=True)
class Roles:
    """Usernames by role, in the order of the alphabet."""

    organisers: list[str]
    reviewers: list[str]

    @classmethod
    def of(cls, session: ReadSession, competition: Competition | None) -> Self:
        """Return who has a role now; nobody has if there is no competition yet."""
        found = members.members_of(session, competition) if competition else ()
        lists = ([one.account.username for one in found if one.role is ROLE_OF[name]] for name in ROLES)
        return cls(*(sorted(names) for names in lists))


def check_roles(session: ReadSession, who: Principal, reading: Reading, competition: Competition | None) -> Roles:
    """Decide who has a role after a file is applied. What is wrong with that is noted, each name with its line."""
    now, head = Roles.of(session, competition), reading.head
    wanted = [getattr(head, name, None) for name in ROLES]
    decided = [
        getattr(now, name) if names is None else sorted(names) for name, names in zip(ROLES, wanted, strict=True)
    ]
    changed = [name for name, names in zip(ROLES, decided, strict=True) if names != getattr(now, name)]
    if changed and competition is not None and not may(who, competition, CompetitionRole.OWNER):
        for name in changed:
            problem = f"Only the owner of the competition or an operator changes its {name}."
            reading.complain((name,), problem, f"Leave `{name}` out, or write them as they are.")
        return now
    _refuse_strangers(session, who, reading, competition)
    if len(set(decided[0] + decided[1])) > members.MOST:
        named = next(name for name, names in zip(ROLES, wanted, strict=True) if names is not None)
        problem = f"A competition has at most {members.MOST} organisers and reviewers."
        reading.complain((named,), problem, "Remove some.")
    _refuse_left_in_the_other(reading, now)
    return Roles(*decided)


def write_roles(session: WriteSession, who: Principal, competition: Competition, file: CompetitionFile) -> None:
    """Give and take roles in a locked competition, each on record. Raises NotFound if an account has just gone."""
    wanted = {name: ROLE_OF[role] for role in ROLES for name in getattr(file, role)}
    now = {one.account.username: one for one in members.members_of(session, competition)}
    for name in sorted(now.keys() - wanted.keys()):
        members.take(session, who, competition, now[name].account)
    for name in sorted(wanted):
        if name not in now or now[name].role is not wanted[name]:
            members.give(session, who, competition, members.find_account(session, name), wanted[name])


def _refuse_strangers(session: ReadSession, who: Principal, reading: Reading, competition: Competition | None) -> None:
    """Refuse names that no account has, and the owner's."""
    named = dict(_named(reading))
    accounts = session.execute(
        select(Account.username, Account.id).where(Account.username.in_(named), Account.deleted_at.is_(None))
    )
    ids = {row.username: row.id for row in accounts}
    owner = competition.owner_id if competition else who.account_id
    for name, path in named.items():
        if name not in ids:
            reading.complain(path, f"There is no account `{name}`.", "Check the name, or ask the person to sign up.")
        elif ids[name] == owner:
            problem = f"`{name}` owns the competition, and an owner needs no other role."
            reading.complain(path, problem, "Leave the name out; ownership is handed over on the page People.")


def _named(reading: Reading) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    for role in ROLES:
        for index, name in enumerate(getattr(reading.head, role, None) or ()):
            yield name, (role, index)


def _refuse_left_in_the_other(reading: Reading, now: Roles) -> None:
    """Refuse a name under one role that has the other, which the file does not mention: it would have both."""
    for name, path in _named(reading):
        (other,) = set(ROLES) - {path[0]}
        if getattr(reading.head, str(other)) is None and name in getattr(now, str(other)):
            problem = f"`{name}` is among the {other}, whom the file leaves as they are."
            reading.complain(path, problem, f"Also write `{other}` without the name.")
