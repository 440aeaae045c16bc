"""Access control. Every route names the minimum role of its callers; the API does not start if one names none."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from services.api.kit.auth import NotSignedIn, Principal, identify
from services.core.errors import LetheError
from services.core.models import Role

__all__ = ["PUBLIC", "Access", "Anyone", "Forbidden", "Operating", "Organising", "SignedIn", "access_of", "deny_others"]


class Access(IntEnum):
    """The minimum role of a caller; each role may do all that the ones before it may."""

    ANYONE = 0
    PARTICIPANT = 1
    ORGANISER = 2
    OPERATOR = 3


_RANK = {Role.PARTICIPANT: Access.PARTICIPANT, Role.ORGANISER: Access.ORGANISER, Role.OPERATOR: Access.OPERATOR}


class Forbidden(LetheError):
    code = "forbidden"
    status = 403


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
    """Admits callers with at least the given role."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def __call__(self, who: Annotated[Principal | None, Depends(identify)]) -> Principal:
        if who is None:
            raise NotSignedIn("This requires an account. Log in, or send `Authorization: Bearer` with a token.")
        if _RANK[who.role] < self.access:
            raise Forbidden(
                f"This requires the role {self.access.name.lower()}; {who.username} has the role {who.role}."
            )
        return who


PUBLIC = Depends(Public())
Anyone = Annotated[Principal | None, Depends(Identify())]
SignedIn = Annotated[Principal, Depends(Require(Access.PARTICIPANT))]
Organising = Annotated[Principal, Depends(Require(Access.ORGANISER))]
Operating = Annotated[Principal, Depends(Require(Access.OPERATOR))]


def access_of(route: APIRoute) -> Access | None:
    """Return the minimum role that a route names; None if it names none."""
    found = [call.access for call in _calls(route.dependant) if isinstance(call, Public | Identify | Require)]
    return max(found, default=None)


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
