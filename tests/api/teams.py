"""What tests about teams of the competition `cup` do."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from services.core.models import Competition, Submission, Team
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller
from tests.api.people import CUP

__all__ = ["TEAMS", "create", "join", "link", "members", "merge", "offer_merge", "open_merging", "owners", "problem"]

TEAMS = f"{CUP}/teams"


def problem(answer: Any) -> str | int:
    """Return the code of a problem, or the status."""
    code: str | int = answer.json()["code"] if answer.status_code >= 400 else answer.status_code
    return code


def create(captain: Caller, name: str) -> str:
    answer = captain.post(TEAMS, json={"name": name})
    assert answer.status_code == 201, answer.text
    return name


def link(captain: Caller, name: str, **body: int) -> str:
    """Make an invitation link; return its code."""
    answer = captain.post(f"/api/teams/{name}/invitations", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def join(caller: Caller, code: str) -> str | int:
    return problem(caller.post("/api/joining", json={"code": code}))


def offer_merge(captain: Caller, name: str, other: str) -> Any:
    return captain.post(f"/api/teams/{name}/merge", json={"team": other})


def merge(captain: Caller, name: str, other_captain: Caller, other: str) -> str | int:
    """Let both captains agree."""
    offer = offer_merge(captain, name, other)
    if offer.status_code != 201:
        return problem(offer)
    return problem(other_captain.post(f"/api/offers/{offer.json()['id']}/accept"))


def members(caller: Caller, name: str) -> list[tuple[str, str]]:
    return [(one["username"], one["role"]) for one in caller.get(f"/api/teams/{name}").json()["members"]]


def open_merging(api: Api, **terms: Any) -> None:
    with api.database.write() as session:
        session.execute(update(Competition).values(merge_until=utc_now() + timedelta(days=1), **terms))


def owners(api: Api) -> dict[str, str]:
    """Return the team for which each submission counts, by the submission's file."""
    with api.database.read() as session:
        rows = session.execute(select(Submission.filename, Team.name).join(Team, Team.id == Submission.team_id))
        return dict(rows.all())
