"""Who may call what. Every route names its least role; one that names none keeps the API from starting."""

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
    """The least that a caller must be; each may do what those before it may."""

    ANYONE = 0
    PARTICIPANT = 1
    ORGANISER = 2
    OPERATOR = 3


_RANK = {Role.PARTICIPANT: Access.PARTICIPANT, Role.ORGANISER: Access.ORGANISER, Role.OPERATOR: Access.OPERATOR}


class Forbidden(LetheError):
    code = "forbidden"
    status = 403


class Public:
    """Lets everybody in without asking who it is."""

    access = Access.ANYONE

    def __call__(self) -> None:
        return None


class Identify:
    """Lets everybody in, and says who it is where a token was sent."""

    access = Access.ANYONE

    def __call__(self, who: Annotated[Principal | None, Depends(identify)]) -> Principal | None:
        return who


class Require:
    """Lets in whoever has at least the named role."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def __call__(self, who: Annotated[Principal | None, Depends(identify)]) -> Principal:
        if who is None:
            raise NotSignedIn("This needs an account. Log in, or send `Authorization: Bearer` with a token.")
        if _RANK[who.role] < self.access:
            raise Forbidden(f"This needs the role {self.access.name.lower()}; {who.username} is a {who.role}.")
        return who


PUBLIC = Depends(Public())
Anyone = Annotated[Principal | None, Depends(Identify())]
SignedIn = Annotated[Principal, Depends(Require(Access.PARTICIPANT))]
Organising = Annotated[Principal, Depends(Require(Access.ORGANISER))]
Operating = Annotated[Principal, Depends(Require(Access.OPERATOR))]


def access_of(route: APIRoute) -> Access | None:
    """Return the least role that a route names, or None when it names none."""
    found = [call.access for call in _calls(route.dependant) if isinstance(call, Public | Identify | Require)]
    return max(found, default=None)


def deny_others(routers: Iterable[APIRouter]) -> None:
    """Refuse routes without a policy. Raises RuntimeError naming the first."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and access_of(route) is None:
                raise RuntimeError(f"{route.methods} {route.path} names no role: add PUBLIC, SignedIn or another.")


def _calls(dependant: Dependant) -> Iterable[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
