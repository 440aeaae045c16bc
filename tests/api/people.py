"""What tests about the people of the competition `cup` ask for."""

import hashlib

import pytest

from services.api.people import rules
from tests.api.harness import Caller

__all__ = ["CUP", "PEOPLE", "REGISTRATION", "add_member", "invite", "set_mode", "set_rules", "version"]

CUP = "/api/competitions/cup"
PEOPLE = f"{CUP}/members"
REGISTRATION = f"{CUP}/registration"


def add_member(owner: Caller, username: str, role: str = "organiser") -> None:
    answer = owner.post(PEOPLE, json={"username": username, "role": role})
    assert (answer.status_code, answer.json()["role"]) == (201, role), answer.text


def set_mode(organiser: Caller, mode: str) -> None:
    assert organiser.request("PATCH", REGISTRATION, json={"registration": mode}).status_code == 200


def invite(organiser: Caller, uses: int = 1) -> tuple[str, str]:
    """Make an invitation; return its code and its id."""
    answer = organiser.post(f"{CUP}/invitations", json={"name": "A class", "uses": uses})
    assert answer.status_code == 201, answer.text
    return answer.json()["code"], answer.json()["id"]


def set_rules(monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """Give every competition rules; return their version."""
    monkeypatch.setattr(rules, "rules_of", lambda _competition: text)
    return version(text)


def version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
