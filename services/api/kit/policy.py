"""Access control. Every route names the minimum role of its callers; the API does not start if one names none.

An account has one role on the platform, and may have another in each competition. A route of a competition that names
`Reviewing`, `Organising` or `Owning` asks for a role in that one. `role_in` alone decides who has it.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from services.api.kit.auth import NotSignedIn, Principal, identify
from services.api.kit.finding import find_competition
from services.api.kit.schemas import Text
from services.api.state import ApiState, State
from services.core.errors import LetheError
from services.core.models import Competition, CompetitionRole, Role

__all__ = [
    "PUBLIC",
    "Access",
    "Anyone",
    "Forbidden",
    "Hosting",
    "NotOrganiser",
    "Operating",
    "Organising",
    "Owning",
    "Reviewing",
    "SignedIn",
    "access_of",
    "deny_others",
    "may",
    "require",
    "role_in",
    "role_of",
]


class Access(IntEnum):
    """The minimum role of a caller on the platform; each role may do all that the ones before it may."""

    ANYONE = 0
    PARTICIPANT = 1
    ORGANISER = 2
    OPERATOR = 3


_STAFF = [CompetitionRole.REVIEWER, CompetitionRole.ORGANISER, CompetitionRole.OWNER]  # each may what one before it may
_RANK = {Role.PARTICIPANT: Access.PARTICIPANT, Role.ORGANISER: Access.ORGANISER, Role.OPERATOR: Access.OPERATOR}


class Forbidden(LetheError):
    code = "forbidden"
    status = 403


class NotOrganiser(Forbidden):
    code = "not_organiser"


def role_in(who: Principal | None, competition: Competition) -> CompetitionRole | None:
    """Return the role that a caller has in a competition, apart from taking part. An operator may what its owner may.

    The competition is attached to a session, or its members have been read.
    """
    if who is None:
        return None
    if who.is_operator or who.account_id == competition.owner_id:
        return CompetitionRole.OWNER
    return next((member.role for member in competition.members if member.account_id == who.account_id), None)


def may(who: Principal | None, competition: Competition, least: CompetitionRole) -> bool:
    """Tell whether a caller has at least a role in a competition."""
    role = role_in(who, competition)
    return role is not None and _STAFF.index(role) >= _STAFF.index(least)


def require(who: Principal, competition: Competition, least: CompetitionRole) -> None:
    """Raise NotOrganiser unless a caller has at least a role in a competition."""
    if not may(who, competition, least):
        role = role_in(who, competition)
        raise NotOrganiser(
            f"This requires the role {least} in {competition.slug!r}; {who.username} has "
            f"{f'the role {role}' if role else 'none'} there. Ask its owner or an operator."
        )


class Public:
    """Admits everybody without identifying them."""

    access = Access.ANYONE

    async def __call__(self) -> None:
        return None


class Identify:
    """Admits everybody, and identifies callers that send a token."""

    access = Access.ANYONE

    async def __call__(self, who: Annotated[Principal | None, Depends(identify)]) -> Principal | None:
        return who


class Require:
    """Admits callers with at least the given role on the platform."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def __call__(self, who: Annotated[Principal | None, Depends(identify)]) -> Principal:
        known = _known(who)
        if _RANK[known.role] < self.access:
            raise Forbidden(
                f"This requires the role {self.access.name.lower()}; {known.username} has the role {known.role}."
            )
        return known


class Within:
    """Admits callers with at least the given role in the competition that the path names."""

    access = Access.PARTICIPANT

    def __init__(self, role: CompetitionRole) -> None:
        self.role = role

    async def __call__(
        self, slug: Text, state: State, who: Annotated[Principal | None, Depends(identify)]
    ) -> Principal:
        known = _known(who)
        await run_in_threadpool(self._check, state, slug, known)
        return known

    def _check(self, state: ApiState, slug: str, who: Principal) -> None:
        with state.database.read() as session:
            require(who, find_competition(session, slug), self.role)


def _known(who: Principal | None) -> Principal:
    if who is None:
        raise NotSignedIn("This requires an account. Log in, or send `Authorization: Bearer` with a token.")
    return who


PUBLIC = Depends(Public())
Anyone = Annotated[Principal | None, Depends(Identify())]
SignedIn = Annotated[Principal, Depends(Require(Access.PARTICIPANT))]
Hosting = Annotated[Principal, Depends(Require(Access.ORGANISER))]
Operating = Annotated[Principal, Depends(Require(Access.OPERATOR))]
Reviewing = Annotated[Principal, Depends(Within(CompetitionRole.REVIEWER))]
Organising = Annotated[Principal, Depends(Within(CompetitionRole.ORGANISER))]
Owning = Annotated[Principal, Depends(Within(CompetitionRole.OWNER))]


def access_of(route: APIRoute) -> Access | None:
    """Return the minimum role on the platform that a route names; None if it names none."""
    found = [call.access for call in _calls(route.dependant) if isinstance(call, Public | Identify | Require | Within)]
    return max(found, default=None)


def role_of(route: APIRoute) -> CompetitionRole | None:
    """Return the minimum role in a competition that a route names; None if it names none."""
    return next((call.role for call in _calls(route.dependant) if isinstance(call, Within)), None)


def deny_others(routers: Iterable[APIRouter]) -> None:
    """Refuse routes without a policy. Raises RuntimeError, which names the first."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and access_of(route) is None:
                raise RuntimeError(f"{route.methods} {route.path} names no role. Add PUBLIC, SignedIn or another one.")


def _calls(dependant: Dependant) -> Iterable[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
