"""Every route x every role. A route that is not in the table fails, so none can be added without deciding who may."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from services.api.app import ROUTERS, create_app
from services.api.kit.policy import Access, access_of, deny_others
from services.core.models import Role
from tests.api.harness import NO_WEB_APP, Api, Caller, make_settings

ANYONE, PARTICIPANT, ORGANISER, OPERATOR = Access

TABLE = {
    ("POST", "/api/accounts"): ANYONE,
    ("POST", "/api/sessions"): ANYONE,
    ("DELETE", "/api/sessions/current"): PARTICIPANT,
    ("GET", "/api/me"): ANYONE,
    ("GET", "/api/me/tokens"): PARTICIPANT,
    ("POST", "/api/me/tokens"): PARTICIPANT,
    ("DELETE", "/api/me/tokens/{token_id}"): PARTICIPANT,
    ("POST", "/api/teams"): PARTICIPANT,
    ("POST", "/api/admin/accounts"): OPERATOR,
    ("GET", "/api/admin/queue"): OPERATOR,
    ("GET", "/api/workers"): OPERATOR,
    ("GET", "/api/admin/metrics"): OPERATOR,
    ("GET", "/api/admin/system"): OPERATOR,
    ("GET", "/api/health"): ANYONE,
    ("GET", "/api/installation"): ANYONE,
    ("GET", "/api/benchmarks"): ANYONE,
    ("GET", "/api/environments"): ANYONE,
    ("GET", "/api/environments/{name}"): ANYONE,
    ("GET", "/api/metrics"): ANYONE,
    ("GET", "/api/starting-kit"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/starting-kit"): ANYONE,
    ("GET", "/api/competitions"): ANYONE,
    ("POST", "/api/competitions"): ORGANISER,
    ("GET", "/api/competitions/{slug}"): ANYONE,
    ("DELETE", "/api/competitions/{slug}"): ORGANISER,
    ("GET", "/api/competitions/{slug}/pages"): ANYONE,
    ("GET", "/api/competitions/{slug}/file"): ORGANISER,
    ("GET", "/api/competitions/{slug}/file/versions"): ORGANISER,
    ("GET", "/api/competitions/{slug}/file/versions/{number}"): ORGANISER,
    ("POST", "/api/competition-files/preview"): ORGANISER,
    ("POST", "/api/competition-files/apply"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases"): ANYONE,
    ("PATCH", "/api/competitions/{slug}"): OPERATOR,
    ("POST", "/api/competitions/{slug}/phases"): ORGANISER,
    ("PATCH", "/api/competitions/{slug}/phases/{phase}"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/leaderboard"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/alarms"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/campaigns"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/campaigns"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}/moves"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}/publish"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}/cancel"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/undo"): ORGANISER,
    ("GET", "/api/competitions/{slug}/audit"): ORGANISER,
    ("GET", "/api/record"): ANYONE,
    ("GET", "/api/competitions/{slug}/announcements"): ANYONE,
    ("GET", "/api/competitions/{slug}/announcements.atom"): ANYONE,
    ("POST", "/api/competitions/{slug}/announcements"): ORGANISER,
    ("POST", "/api/competitions/{slug}/announcements/{announcement_id}/retract"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/leaderboard.csv"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/badges/{team}.svg"): ANYONE,
    ("GET", "/api/receipts/key"): ANYONE,
    ("GET", "/api/submissions/{submission_id}/receipt"): PARTICIPANT,
    ("GET", "/api/record/{number}"): ANYONE,
    ("GET", "/api/competitions/{slug}/submissions"): ORGANISER,
    ("GET", "/api/competitions/{slug}/queue"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/submissions"): PARTICIPANT,
    ("POST", "/api/competitions/{slug}/phases/{phase}/submissions/check"): PARTICIPANT,
    ("GET", "/api/competitions/{slug}/phases/{phase}/quota"): PARTICIPANT,
    ("GET", "/api/submissions"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/comparison"): PARTICIPANT,
    ("POST", "/api/submissions/{submission_id}/cancel"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/details"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/log"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/notebook"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/events"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/code"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/diff"): PARTICIPANT,
    ("GET", "/api/submissions/{submission_id}/upload"): PARTICIPANT,
    ("POST", "/api/submissions/{submission_id}/withdraw"): PARTICIPANT,
    ("POST", "/api/submissions/{submission_id}/reenter"): PARTICIPANT,
    ("GET", "/api/competitions/{slug}/disqualifications"): ORGANISER,
    ("GET", "/api/competitions/{slug}/copies"): ORGANISER,
    ("POST", "/api/competitions/{slug}/disqualifications"): ORGANISER,
    ("POST", "/api/competitions/{slug}/disqualifications/{exclusion_id}/reinstate"): ORGANISER,
}
OUTSIDE_THE_API = {"/", "/docs", "/docs/start.js", "/docs/assets", "/api/openapi.json"}
ROLES = {ANYONE: None, PARTICIPANT: Role.PARTICIPANT, ORGANISER: Role.ORGANISER, OPERATOR: Role.OPERATOR}


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """List the API's routes, from the app itself and not from its documentation."""
    included: list[Any] = [route for route in app.routes if hasattr(route, "original_router")]
    assert [one.original_router for one in included] == list(ROUTERS)
    assert {route.path for route in app.routes if hasattr(route, "path")} == OUTSIDE_THE_API
    return {
        (method, f"/api{route.path}")
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def with_made_up_ids(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(uuid4()) if found[1].endswith("_id") else "none", path)


def call(caller: Caller, method: str, path: str) -> tuple[int, str]:
    """Call a route with made-up ids and no body; return status and problem code."""
    made_up = with_made_up_ids(path)
    response = caller.request(method, made_up, headers={"Origin": "http://testserver"})
    is_problem = response.headers.get("content-type") == "application/problem+json"
    return response.status_code, response.json()["code"] if is_problem else ""


def test_table_lists_every_route_and_no_other(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path, ""), web=NO_WEB_APP)

    assert routes_of(app) == set(TABLE)


def test_routes_declare_the_role_of_the_table() -> None:
    declared = {
        (method, f"/api{route.path}"): access_of(route)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }

    assert declared == TABLE


@pytest.mark.parametrize("access", list(Access), ids=lambda access: access.name.lower())
def test_every_route_lets_in_just_its_roles(api: Api, access: Access) -> None:
    for (method, path), least in TABLE.items():
        role = ROLES[access]
        caller = api.caller(f"u{uuid4().hex[:12]}", role) if role else api.anonymous

        status, code = call(caller, method, path)

        if access >= least:
            assert status < 500, (method, path, status)
            assert code not in ("not_signed_in", "forbidden"), (method, path, code)
        elif role is None:
            assert (status, code) == (401, "not_signed_in"), (method, path)
        else:
            assert (status, code) == (403, "forbidden"), (method, path)


def test_a_route_without_a_role_keeps_the_api_from_starting() -> None:
    router = APIRouter()

    @router.get("/open-by-mistake")
    def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="/open-by-mistake"):
        deny_others([router])


def test_writes_with_a_cookie_need_our_origin(api: Api) -> None:
    """A page of another site makes the reader's browser send its cookie along with a write."""
    operator = api.caller("root", Role.OPERATOR)
    api.client.cookies.set("lethe_session", operator.token or "")
    for method, path in TABLE:
        if method == "GET":
            continue
        made_up = with_made_up_ids(path)
        for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            response = api.client.request(method, made_up, headers=headers)
            assert (response.status_code, response.json()["code"]) == (403, "cross_origin"), (method, path, headers)
    assert api.client.get("/api/me").status_code == 200


def test_a_cookie_does_not_count_beside_another_scheme(api: Api) -> None:
    """An Authorization header excuses a write from the check of its origin, so it must be what proves the account."""
    api.client.cookies.set("lethe_session", api.caller("root", Role.OPERATOR).token or "")

    for value in ("Basic cm9vdDpyb290", "Bearer", "Bearer lethe_wrong", "x"):
        answer = api.client.post("/api/teams", json={"name": "stolen"}, headers={"Authorization": value})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
