"""Access control. Every route names the minimum role of its callers; the API does not start if one names none.

With the role comes the scope that a token needs: `read` for all that only reads, and for what changes something the
scope of the dependency that the route names. Whoever takes a token's place by it, such as with a new password, needs
a session: `InPerson`.

An account has one role on the platform, and may have another in each competition. A route of a competition that names
`Reviewing`, `Organising` or `Owning` asks for a role in that one; `kit/roles.py` alone decides who has it.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from services.api.kit.auth import NotSignedIn, Principal, identify
from services.api.kit.finding import find_competition
from services.api.kit.roles import Forbidden, NotOrganiser, may, require, role_in
from services.api.kit.schemas import Text
from services.api.state import ApiState, State
from services.core.models import CompetitionRole, Role, Scope, TokenKind

__all__ = [
    "PUBLIC",
    "Access",
    "Anyone",
    "BearerOnly",
    "Forbidden",
    "Hosting",
    "InPerson",
    "NotOrganiser",
    "Operating",
    "Organising",
    "Owning",
    "OwningFile",
    "Reviewing",
    "ScopeNeeded",
    "SessionNeeded",
    "SignedIn",
    "access_of",
    "deny_others",
    "may",
    "require",
    "require_access",
    "role_in",
    "role_of",
    "scope_of",
]

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Access(IntEnum):
    """The minimum role of a caller on the platform; each role may do all that the ones before it may."""

    ANYONE = 0
    PARTICIPANT = 1
    ORGANISER = 2
    OPERATOR = 3


_RANK = {Role.PARTICIPANT: Access.PARTICIPANT, Role.ORGANISER: Access.ORGANISER, Role.OPERATOR: Access.OPERATOR}


class ScopeNeeded(Forbidden):
    code = "scope_needed"


class SessionNeeded(Forbidden):
    code = "session_needed"


class Public:
    """Admits everybody without identifying them."""

    access = Access.ANYONE

    async def __call__(self) -> None:
        return None


class Identify:
    """Admits everybody, and identifies callers that send a token."""

    access = Access.ANYONE
    scope = Scope.READ

    async def __call__(self, request: Request, who: Annotated[Principal | None, Depends(identify)]) -> Principal | None:
        if who is not None:
            _require_scope(who, request.method, self.scope)
        return who


class Require:
    """Admits callers with at least the given role on the platform, whose token has the scope.

    Without a scope any token will do; in person only a session.
    """

    def __init__(self, access: Access, scope: Scope | None, *, in_person: bool = False) -> None:
        self.access = access
        self.scope = scope
        self.in_person = in_person

    async def __call__(self, request: Request, who: Annotated[Principal | None, Depends(identify)]) -> Principal:
        known = _known(who)
        require_access(known, self.access)
        if self.in_person and known.token_kind is not TokenKind.SESSION:
            raise SessionNeeded("A token cannot do this. Log in with your password, then try again.")
        _require_scope(known, request.method, self.scope)
        return known


def require_access(who: Principal, access: Access) -> None:
    """Raise Forbidden unless a caller has at least a role on the platform."""
    if _RANK[who.role] < access:
        raise Forbidden(f"This requires the role {access.name.lower()}; {who.username} has the role {who.role}.")


class Within:
    """Admits callers with at least the given role in the competition that the path names."""

    access = Access.PARTICIPANT
    scope = Scope.ORGANISE

    def __init__(self, role: CompetitionRole) -> None:
        self.role = role

    async def __call__(
        self, request: Request, slug: Text, state: State, who: Annotated[Principal | None, Depends(identify)]
    ) -> Principal:
        known = _known(who)
        _require_scope(known, request.method, self.scope)
        await run_in_threadpool(self._check, state, slug, known)
        return known

    def _check(self, state: ApiState, slug: str, who: Principal) -> None:
        with state.database.read() as session:
            require(who, find_competition(session, slug, who), self.role)


def _known(who: Principal | None) -> Principal:
    if who is None:
        raise NotSignedIn("This requires an account. Log in, or send `Authorization: Bearer` with a token.")
    return who


def _needed(method: str, changing: Scope | None) -> Scope | None:
    return Scope.READ if changing is not None and method in READING else changing


def _require_scope(who: Principal, method: str, changing: Scope | None) -> None:
    """Raise ScopeNeeded unless the caller's token may do what a route does."""
    needed = _needed(method, changing)
    if needed is not None and needed not in who.scopes:
        raise ScopeNeeded(
            f"This needs a token with the scope {needed}; yours has {', '.join(sorted(who.scopes)) or 'none'}. Create "
            "another one on your account page, or log in.",
            scope=needed,
        )


PUBLIC = Depends(Public())
Anyone = Annotated[Principal | None, Depends(Identify())]
SignedIn = Annotated[Principal, Depends(Require(Access.PARTICIPANT, Scope.SUBMIT))]
InPerson = Annotated[Principal, Depends(Require(Access.PARTICIPANT, None, in_person=True))]
BearerOnly = Annotated[Principal, Depends(Require(Access.PARTICIPANT, None))]  # to end the token itself
OwningFile = Annotated[Principal, Depends(Require(Access.PARTICIPANT, Scope.ORGANISE))]  # which names its competition
Hosting = Annotated[Principal, Depends(Require(Access.ORGANISER, Scope.ORGANISE))]
Operating = Annotated[Principal, Depends(Require(Access.OPERATOR, Scope.OPERATE))]
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


def scope_of(route: APIRoute) -> Scope | None:
    """Return the scope that a token needs for a route; None if any will do, or none at all."""
    methods = route.methods or set()
    asked = (call for call in _calls(route.dependant) if isinstance(call, Identify | Require | Within))
    return next((_needed(method, call.scope) for call in asked for method in methods), None)


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
