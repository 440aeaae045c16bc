"""Every route x every role. A route that is not in the table fails, so none can be added without deciding who may."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import update

from services.api.app import ROUTERS, create_app
from services.api.kit.policy import Access, access_of, deny_others, role_of
from services.core.models import BenchmarkRow, CompetitionRole, Role
from tests.api.harness import NO_WEB_APP, Api, Caller, add_phase, make_settings
from tests.bundles import make_tiny_bundle

ANYONE, SIGNED_IN, HOST, OPERATOR = Access
REVIEWER, ORGANISER, OWNER = CompetitionRole.REVIEWER, CompetitionRole.ORGANISER, CompetitionRole.OWNER

TABLE: dict[tuple[str, str], Access | CompetitionRole] = {
    ("POST", "/api/accounts"): ANYONE,
    ("POST", "/api/sessions"): ANYONE,
    ("DELETE", "/api/sessions/current"): SIGNED_IN,
    ("GET", "/api/me"): ANYONE,
    ("GET", "/api/me/tokens"): SIGNED_IN,
    ("POST", "/api/me/tokens"): SIGNED_IN,
    ("DELETE", "/api/me/tokens/{token_id}"): SIGNED_IN,
    ("PATCH", "/api/me"): SIGNED_IN,
    ("POST", "/api/openid/{name}"): ANYONE,
    ("POST", "/api/openid/{name}/return"): ANYONE,
    ("POST", "/api/openid-accounts"): ANYONE,
    ("GET", "/api/me/identities"): SIGNED_IN,
    ("POST", "/api/me/identities"): SIGNED_IN,
    ("DELETE", "/api/me/identities/{identity_id}"): SIGNED_IN,
    ("POST", "/api/me/password"): SIGNED_IN,
    ("POST", "/api/me/email"): SIGNED_IN,
    ("POST", "/api/me/email/verification"): SIGNED_IN,
    ("POST", "/api/me/sessions/end-others"): SIGNED_IN,
    ("GET", "/api/me/export"): SIGNED_IN,
    ("GET", "/api/me/deletion"): SIGNED_IN,
    ("POST", "/api/me/deletion"): SIGNED_IN,
    ("POST", "/api/email-verifications"): ANYONE,
    ("POST", "/api/password-resets"): ANYONE,
    ("POST", "/api/password-resets/use"): ANYONE,
    ("POST", "/api/admin/accounts/{username}/reset"): OPERATOR,
    ("POST", "/api/teams"): SIGNED_IN,
    ("POST", "/api/admin/accounts"): OPERATOR,
    ("GET", "/api/admin/accounts"): OPERATOR,
    ("PATCH", "/api/admin/accounts/{username}"): OPERATOR,
    ("GET", "/api/admin/queue"): OPERATOR,
    ("GET", "/api/workers"): OPERATOR,
    ("GET", "/api/admin/metrics"): OPERATOR,
    ("GET", "/api/admin/system"): OPERATOR,
    ("GET", "/api/health"): ANYONE,
    ("GET", "/api/installation"): ANYONE,
    ("GET", "/api/benchmarks"): ANYONE,
    ("POST", "/api/benchmark-uploads"): HOST,
    ("GET", "/api/benchmark-uploads"): HOST,
    ("GET", "/api/benchmark-uploads/{upload_id}"): HOST,
    ("PUT", "/api/benchmark-uploads/{upload_id}/parts/{offset}"): HOST,
    ("GET", "/api/benchmark-uploads/{upload_id}/architecture"): HOST,
    ("POST", "/api/benchmark-uploads/{upload_id}/consent"): HOST,
    ("POST", "/api/benchmark-uploads/{upload_id}/refuse"): HOST,
    ("DELETE", "/api/benchmark-uploads/{upload_id}"): HOST,
    ("GET", "/api/environments"): ANYONE,
    ("GET", "/api/environments/{name}"): ANYONE,
    ("GET", "/api/metrics"): ANYONE,
    ("GET", "/api/starting-kit"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/starting-kit"): ANYONE,
    ("GET", "/api/competitions"): ANYONE,
    ("POST", "/api/competitions"): HOST,
    ("GET", "/api/competitions/{slug}"): ANYONE,
    ("DELETE", "/api/competitions/{slug}"): OWNER,
    ("GET", "/api/competitions/{slug}/pages"): ANYONE,
    ("POST", "/api/competitions/{slug}/freezes"): ORGANISER,
    ("GET", "/api/competitions/{slug}/freezes"): REVIEWER,
    ("GET", "/api/competitions/{slug}/freezes/{freeze_id}/archive"): REVIEWER,
    ("GET", "/api/competitions/{slug}/file"): REVIEWER,
    ("GET", "/api/competitions/{slug}/file/versions"): REVIEWER,
    ("GET", "/api/competitions/{slug}/file/versions/{number}"): REVIEWER,
    ("POST", "/api/competition-files/preview"): SIGNED_IN,
    ("POST", "/api/competition-files/apply"): SIGNED_IN,
    ("GET", "/api/competitions/{slug}/phases"): ANYONE,
    ("PATCH", "/api/competitions/{slug}"): OPERATOR,
    ("POST", "/api/competitions/{slug}/phases"): ORGANISER,
    ("PATCH", "/api/competitions/{slug}/phases/{phase}"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/settings"): REVIEWER,
    ("PUT", "/api/competitions/{slug}/phases/{phase}/settings"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/leaderboard"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/alarms"): REVIEWER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/matrices"): ORGANISER,
    ("GET", "/api/competitions/{slug}/matrices"): REVIEWER,
    ("GET", "/api/competitions/{slug}/matrices/{matrix_id}"): REVIEWER,
    ("GET", "/api/competitions/{slug}/matrices/{matrix_id}/table.csv"): REVIEWER,
    ("POST", "/api/competitions/{slug}/matrices/{matrix_id}/cancel"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/references"): REVIEWER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/references"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/campaigns"): REVIEWER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/campaigns"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}"): REVIEWER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}/moves"): REVIEWER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}/publish"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}/cancel"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/undo"): ORGANISER,
    ("GET", "/api/competitions/{slug}/audit"): REVIEWER,
    ("GET", "/api/record"): ANYONE,
    ("GET", "/api/competitions/{slug}/announcements"): ANYONE,
    ("GET", "/api/competitions/{slug}/announcements.atom"): ANYONE,
    ("POST", "/api/competitions/{slug}/announcements"): ORGANISER,
    ("POST", "/api/competitions/{slug}/announcements/{announcement_id}/retract"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/leaderboard.csv"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/badges/{team}.svg"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/board.svg"): ANYONE,
    ("GET", "/api/competitions/{slug}/preview.png"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/preview.png"): ANYONE,
    ("GET", "/api/competitions/{slug}/citation.{form}"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/citations/{team}.{form}"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/reliability"): ANYONE,
    ("POST", "/api/competitions/{slug}/phases/{phase}/reliability"): ORGANISER,
    ("GET", "/api/receipts/key"): ANYONE,
    ("GET", "/api/submissions/{submission_id}/receipt"): SIGNED_IN,
    ("GET", "/api/record/{number}"): ANYONE,
    ("GET", "/api/competitions/{slug}/submissions"): REVIEWER,
    ("GET", "/api/competitions/{slug}/queue"): REVIEWER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/submissions"): SIGNED_IN,
    ("POST", "/api/competitions/{slug}/phases/{phase}/submissions/check"): SIGNED_IN,
    ("GET", "/api/competitions/{slug}/phases/{phase}/quota"): SIGNED_IN,
    ("GET", "/api/submissions"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/comparison"): SIGNED_IN,
    ("POST", "/api/submissions/{submission_id}/cancel"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/standing"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/replay"): SIGNED_IN,
    ("PUT", "/api/submissions/{submission_id}/note"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/runs.csv"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/measurements"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/details"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/losses"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/losses/{example}/picture"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/log"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/notebook"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/events"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/code"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/diff"): SIGNED_IN,
    ("GET", "/api/submissions/{submission_id}/upload"): SIGNED_IN,
    ("POST", "/api/submissions/{submission_id}/withdraw"): SIGNED_IN,
    ("POST", "/api/submissions/{submission_id}/reenter"): SIGNED_IN,
    ("GET", "/api/competitions/{slug}/disqualifications"): REVIEWER,
    ("GET", "/api/competitions/{slug}/copies"): REVIEWER,
    ("POST", "/api/competitions/{slug}/disqualifications"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/selection"): SIGNED_IN,
    ("PUT", "/api/competitions/{slug}/phases/{phase}/final/selection/{submission_id}"): SIGNED_IN,
    ("DELETE", "/api/competitions/{slug}/phases/{phase}/final/selection/{submission_id}"): SIGNED_IN,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/preview"): REVIEWER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/progress"): REVIEWER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/entries"): REVIEWER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/final/start"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/final/publish"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/final/seal"): ORGANISER,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/board"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/winners"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}/code"): ANYONE,
    ("GET", "/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}/archive"): REVIEWER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}/verify"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}/refuse"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}/review"): ORGANISER,
    ("POST", "/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}/rerun"): ORGANISER,
    ("PUT", "/api/submissions/{submission_id}/agreement"): SIGNED_IN,
    ("DELETE", "/api/submissions/{submission_id}/agreement"): SIGNED_IN,
    ("POST", "/api/competitions/{slug}/disqualifications/{exclusion_id}/reinstate"): ORGANISER,
    ("GET", "/api/competitions/{slug}/members"): REVIEWER,
    ("POST", "/api/competitions/{slug}/members"): OWNER,
    ("DELETE", "/api/competitions/{slug}/members/{username}"): OWNER,
    ("POST", "/api/competitions/{slug}/owner"): OWNER,
    ("POST", "/api/competitions/{slug}/leave"): REVIEWER,
    ("GET", "/api/competitions/{slug}/registration"): ANYONE,
    ("POST", "/api/competitions/{slug}/registration"): SIGNED_IN,
    ("PATCH", "/api/competitions/{slug}/registration"): ORGANISER,
    ("GET", "/api/competitions/{slug}/registrations"): REVIEWER,
    ("POST", "/api/competitions/{slug}/registrations/approve"): ORGANISER,
    ("POST", "/api/competitions/{slug}/registrations/refuse"): ORGANISER,
    ("GET", "/api/competitions/{slug}/invitations"): REVIEWER,
    ("POST", "/api/competitions/{slug}/invitations"): ORGANISER,
    ("POST", "/api/competitions/{slug}/invitations/{invitation_id}/revoke"): ORGANISER,
    ("GET", "/api/competitions/{slug}/teams"): ANYONE,
    ("POST", "/api/competitions/{slug}/teams"): SIGNED_IN,
    ("PATCH", "/api/competitions/{slug}/teams"): ORGANISER,
    ("GET", "/api/me/teams"): SIGNED_IN,
    ("GET", "/api/me/notices"): SIGNED_IN,
    ("GET", "/api/me/notices/unread"): SIGNED_IN,
    ("POST", "/api/me/notices/read"): SIGNED_IN,
    ("POST", "/api/mail-stops/{link}"): ANYONE,
    ("GET", "/api/teams/{name}/preview.png"): ANYONE,
    ("GET", "/api/shared/{submission_id}"): ANYONE,
    ("GET", "/api/competitions/{slug}/images"): ANYONE,
    ("GET", "/api/competitions/{slug}/images/{name}"): ANYONE,
    ("PUT", "/api/competitions/{slug}/images/{name}"): ORGANISER,
    ("DELETE", "/api/competitions/{slug}/images/{name}"): ORGANISER,
    ("GET", "/api/shared/{submission_id}/preview.png"): ANYONE,
    ("GET", "/api/shared/{submission_id}/citation.{form}"): ANYONE,
    ("PUT", "/api/submissions/{submission_id}/share"): SIGNED_IN,
    ("DELETE", "/api/submissions/{submission_id}/share"): SIGNED_IN,
    ("GET", "/api/me/webhooks"): SIGNED_IN,
    ("POST", "/api/me/webhooks"): SIGNED_IN,
    ("DELETE", "/api/me/webhooks/{webhook_id}"): SIGNED_IN,
    ("POST", "/api/me/webhooks/{webhook_id}/test"): SIGNED_IN,
    ("GET", "/api/me/webhooks/{webhook_id}/calls"): SIGNED_IN,
    ("POST", "/api/me/webhooks/{webhook_id}/calls/{call_id}/repeat"): SIGNED_IN,
    ("GET", "/api/competitions/{slug}/webhooks"): ORGANISER,
    ("POST", "/api/competitions/{slug}/webhooks"): ORGANISER,
    ("DELETE", "/api/competitions/{slug}/webhooks/{webhook_id}"): ORGANISER,
    ("POST", "/api/competitions/{slug}/webhooks/{webhook_id}/test"): ORGANISER,
    ("GET", "/api/competitions/{slug}/webhooks/{webhook_id}/calls"): ORGANISER,
    ("POST", "/api/competitions/{slug}/webhooks/{webhook_id}/calls/{call_id}/repeat"): ORGANISER,
    ("GET", "/api/me/offers"): SIGNED_IN,
    ("GET", "/api/teams/{name}"): ANYONE,
    ("PATCH", "/api/teams/{name}"): SIGNED_IN,
    ("POST", "/api/teams/{name}/leave"): SIGNED_IN,
    ("DELETE", "/api/teams/{name}/members/{username}"): SIGNED_IN,
    ("POST", "/api/teams/{name}/captain"): SIGNED_IN,
    ("GET", "/api/teams/{name}/invitations"): SIGNED_IN,
    ("POST", "/api/teams/{name}/invitations"): SIGNED_IN,
    ("POST", "/api/teams/{name}/invitations/{invitation_id}/revoke"): SIGNED_IN,
    ("POST", "/api/teams/{name}/offers"): SIGNED_IN,
    ("POST", "/api/teams/{name}/merge"): SIGNED_IN,
    ("POST", "/api/joining/preview"): SIGNED_IN,
    ("POST", "/api/joining"): SIGNED_IN,
    ("POST", "/api/offers/{offer_id}/accept"): SIGNED_IN,
    ("POST", "/api/offers/{offer_id}/decline"): SIGNED_IN,
}
OUTSIDE_THE_API = {"/", "/api/docs", "/api/docs/start.js", "/api/docs/assets", "/api/openapi.json"}
LAST = [("POST", "/api/competitions/{slug}/leave"), ("DELETE", "/api/sessions/current")]  # end what a caller may
NAMES = {"slug": "cup", "phase": "feedback"}
CAST: dict[str, set[Access | CompetitionRole]] = {  # of the competition `cup`, and the roles that each of them has
    "nobody": {ANYONE},
    "stranger": {ANYONE, SIGNED_IN},
    "participant": {ANYONE, SIGNED_IN},
    "reviewer": {ANYONE, SIGNED_IN, REVIEWER},
    "organiser": {ANYONE, SIGNED_IN, REVIEWER, ORGANISER},
    "owner": {ANYONE, SIGNED_IN, HOST, REVIEWER, ORGANISER, OWNER},
    "rival": {ANYONE, SIGNED_IN, HOST},  # owns another competition
    "operator": {ANYONE, SIGNED_IN, HOST, REVIEWER, ORGANISER, OWNER, OPERATOR},
}


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
    """Call a route of the competition with made-up ids and no body; return status and problem code."""
    made_up = with_made_up_ids(re.sub(r"\{(slug|phase)\}", lambda found: NAMES[found[1]], path))
    response = caller.request(method, made_up, headers={"Origin": "http://testserver"})
    is_problem = response.headers.get("content-type") == "application/problem+json"
    return response.status_code, response.json()["code"] if is_problem else ""


def test_table_lists_every_route_and_no_other(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path, ""), web=NO_WEB_APP)

    assert routes_of(app) == set(TABLE)


def test_routes_declare_the_role_of_the_table() -> None:
    declared = {
        (method, f"/api{route.path}"): role_of(route) or access_of(route)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }

    assert declared == TABLE


def cast(api: Api, name: str) -> Caller:
    """Make a competition `cup` with somebody of each role, and another one; return one of the cast."""
    owner = api.caller("cup-owner", Role.ORGANISER)
    rival = api.caller("rival", Role.ORGANISER)
    assert owner.account is not None
    with api.database.write() as session:
        add_phase(session, owner.account)
    assert rival.post("/api/competitions", json={"slug": "other", "title": "Other"}).status_code == 201
    callers = {"owner": owner, "rival": rival, "nobody": api.anonymous}
    if name in callers:
        return callers[name]
    if name == "operator":
        return api.caller("keeper", Role.OPERATOR)
    caller = api.caller("somebody")
    if name in ("reviewer", "organiser"):
        member = {"username": "somebody", "role": name}
        assert owner.post("/api/competitions/cup/members", json=member).status_code == 201
    if name == "participant":
        assert caller.post("/api/competitions/cup/registration", json={}).json()["role"] == "participant"
    return caller


@pytest.mark.parametrize("name", CAST)
def test_every_route_lets_in_just_its_roles(api: Api, name: str, tmp_path: Path) -> None:
    caller = cast(api, name)
    with api.database.write() as session:
        manifest = make_tiny_bundle(tmp_path / "tiny").manifest.model_dump(mode="json")
        session.execute(update(BenchmarkRow).values(manifest=manifest))
    for (method, path), least in sorted(TABLE.items(), key=lambda row: 1 + LAST.index(row[0]) if row[0] in LAST else 0):
        status, code = call(caller, method, path)

        if least in CAST[name]:
            assert status < 500, (method, path, status)
            assert code not in ("not_signed_in", "forbidden", "not_organiser"), (method, path, code)
        elif name == "nobody":
            assert (status, code) == (401, "not_signed_in"), (method, path)
        else:
            refusal = "not_organiser" if isinstance(least, CompetitionRole) else "forbidden"
            assert (status, code) == (403, refusal), (method, path)


@pytest.mark.parametrize("name", ["stranger", "reviewer", "rival"])
def test_only_its_team_and_its_organisers_change_a_submission(api: Api, name: str) -> None:
    """A reviewer sees any submission, so only the acts themselves can tell them from an organiser."""
    caller, team = cast(api, name), api.caller("ada")
    own = team.submit().json()["id"]
    sees = name == "reviewer"
    for part in ("", "/code", "/upload", f"/diff?other={own}"):
        assert (caller.get(f"/api/submissions/{own}{part}").status_code == 200) == sees, part
    for act in ("cancel", "withdraw", "reenter"):
        assert caller.post(f"/api/submissions/{own}/{act}").status_code == (403 if sees else 404), act
    shown = team.get(f"/api/submissions/{own}").json()
    assert (shown["state"], shown["exclusions"]) == ("queued", [])
    if sees:
        rights = caller.get(f"/api/submissions/{own}").json()["rights"]
        assert rights == {"annotates": False, "withdraws": False, "cancels": False, "judges": False}


def test_an_organiser_of_a_competition_cancels_its_submissions(api: Api) -> None:
    organiser, team = cast(api, "organiser"), api.caller("ada")
    own = team.submit().json()["id"]
    assert organiser.get(f"/api/submissions/{own}").json()["rights"]["cancels"]
    assert organiser.post(f"/api/submissions/{own}/cancel").json()["state"] == "cancelled"


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
