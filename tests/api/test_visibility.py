"""Who sees a competition: a draft is to strangers what does not exist, on every route that takes its name."""

import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from services.core.models import Competition, Phase, Role, Visibility
from tests.api.finals import make_final
from tests.api.harness import BOARD, MODULE, SUBMIT, Api, Caller

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/phases"): {"slug": "x", "kind": "check", "benchmark": "tiny", "closes_at": "2099-01-01T00:00:00Z"},
    ("patch", "/phases/{phase}"): {"quota_per_day": 9},
    ("put", "/phases/{phase}/settings"): {
        "settings": {
            "slug": "feedback",
            "kind": "check",
            "benchmark": "tiny",
            "opens_at": "2026-01-01T00:00:00Z",
            "closes_at": "2099-01-01T00:00:00Z",
        },
        "based_on": "a",
    },
    ("patch", ""): {"weight": 2},
    ("post", "/registration"): {},
    ("post", "/teams"): {"name": "gulls"},
    ("patch", "/teams"): {"size": 7},
    ("patch", "/registration"): {"registration": "approval"},
    ("post", "/registrations/approve"): {"usernames": ["ada"]},
    ("post", "/registrations/refuse"): {"usernames": ["ada"], "reason": "b"},
    ("post", "/invitations"): {"name": "a"},
    ("post", "/phases/{phase}/final/publish"): {},
    ("post", "/announcements"): {"title": "a", "body": "b"},
    ("post", "/disqualifications"): {"team": "ada", "reason": "b"},
    ("post", "/disqualifications/{exclusion_id}/reinstate"): {"reason": "b"},
    ("post", "/webhooks"): {"url": "https://example.org"},
    ("post", "/phases/{phase}/campaigns"): {"metric": "lethe-1"},
    ("post", "/phases/{phase}/matrices"): {"title": "a", "entries": [str(uuid4())], "benchmarks": ["tiny"]},
    ("post", "/phases/{phase}/final/winners/{submission_id}/verify"): {"reason": "b"},
    ("post", "/phases/{phase}/final/winners/{submission_id}/refuse"): {"reason": "b"},
    ("post", "/phases/{phase}/final/winners/{submission_id}/review"): {"reason": "b"},
    ("post", "/phases/{phase}/final/winners/{submission_id}/rerun"): {},
}
OF_COMPETITION = "/api/competitions/{slug}"


def set_visibility(api: Api, visibility: Visibility) -> None:
    with api.database.write() as session:
        session.execute(update(Competition).values(visibility=visibility))


def calls(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """Every route that takes the name of a competition, with what it wants."""
    found = []
    for path, operations in api.app.openapi()["paths"].items():
        if path.startswith(OF_COMPETITION):
            for method in operations:
                options: dict[str, Any] = {}
                if path.endswith(("/submissions", "/submissions/check")) and method == "post":
                    options = {"content": MODULE, "params": {"filename": "a.py"}}
                elif (body := BODIES.get((method, path.removeprefix(OF_COMPETITION)))) is not None:
                    options = {"json": body}
                found.append((method.upper(), path, options))
    return found


def at(path: str, slug: str) -> str:
    known = {"slug": slug, "phase": "feedback", "team": "ada", "form": "bib", "number": "1"}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1]) or str(uuid4()), path)


def without_ids(text: str, slug: str) -> str:
    return re.sub(r"[0-9a-f-]{36}", "ID", text).replace(slug, "SLUG")


def test_a_draft_is_unknown_to_strangers_on_every_route(api: Api, phase: Phase) -> None:
    set_visibility(api, Visibility.DRAFT)
    strangers = [api.anonymous, api.caller("ada"), api.caller("other", Role.ORGANISER)]
    seen = calls(api)
    assert len(seen) > 25
    for who in strangers:
        for method, path, options in seen:
            draft, unknown = (who.request(method, at(path, slug), **options) for slug in ("cup", "none"))

            assert draft.status_code == unknown.status_code, (method, path, draft.text)
            assert draft.status_code in (401, 403, 404), (method, path, draft.text)
            assert without_ids(draft.text, "cup") == without_ids(unknown.text, "none"), (method, path)
    assert [who.get("/api/competitions").json()["items"] for who in strangers] == [[], [], []]


def test_a_public_competition_answers_where_a_draft_does_not(api: Api, phase: Phase) -> None:
    """Otherwise the test above could pass for want of a phase."""
    readable = [
        path
        for method, path, _ in calls(api)
        if method == "GET" and api.anonymous.get(at(path, "cup")).status_code == 200
    ]
    assert {path.removeprefix(OF_COMPETITION) for path in readable} >= {
        "",
        "/phases",
        "/pages",
        "/announcements",
        "/announcements.atom",
        "/phases/{phase}/leaderboard",
        "/phases/{phase}/leaderboard.csv",
        "/phases/{phase}/badges/{team}.svg",
        "/phases/{phase}/board.svg",
        "/preview.png",
        "/phases/{phase}/preview.png",
        "/citation.{form}",
        "/phases/{phase}/starting-kit",
    }


def test_its_organiser_and_operators_see_and_prepare_a_draft(api: Api, phase: Phase, organiser: Caller) -> None:
    set_visibility(api, Visibility.DRAFT)
    for who in (organiser, api.caller("root", Role.OPERATOR)):
        for path in ("", "/phases", "/pages", "/announcements", "/submissions", "/queue", "/audit", "/file"):
            assert who.get(f"/api/competitions/cup{path}").status_code == 200, path
        assert who.get(BOARD).status_code == 200
        assert [one["slug"] for one in who.get("/api/competitions").json()["items"]] == ["cup"]
    assert organiser.submit(reference="identity").status_code == 201
    assert organiser.request("PATCH", "/api/competitions/cup/phases/feedback", json={"quota_per_day": 9}).is_success


def test_an_entry_of_a_draft_cannot_be_compared_by_strangers(api: Api, phase: Phase, organiser: Caller) -> None:
    mine = organiser.submit().json()["id"]
    set_visibility(api, Visibility.DRAFT)
    private = ("/standing", "/replay", "/losses", "/losses/0/picture", "/runs.csv", "/measurements")
    for path in ("", "/comparison", "/receipt", "/code", "/details", "/log", "/events", *private):
        query = {"other": mine} if path == "/comparison" else {}
        answer = api.caller(f"u{uuid4().hex[:8]}").get(f"/api/submissions/{mine}{path}", params=query)
        assert answer.status_code == 404, path


@pytest.mark.parametrize(
    ("visibility", "listed", "found", "submits"),
    [
        (Visibility.PUBLIC, True, 200, 201),
        (Visibility.UNLISTED, False, 200, 201),
        (Visibility.ARCHIVED, True, 200, 409),
        (Visibility.DRAFT, False, 404, 404),
        (Visibility.DELETED, False, 404, 404),
    ],
)
def test_what_each_visibility_shows(
    api: Api, phase: Phase, participant: Caller, visibility: Visibility, listed: bool, found: int, submits: int
) -> None:
    set_visibility(api, visibility)

    assert bool(participant.get("/api/competitions").json()["items"]) is listed
    assert participant.get("/api/competitions/cup").status_code == found
    assert participant.post(SUBMIT, content=MODULE, params={"filename": "a.py"}).status_code == submits


STILL = {  # what an archived competition lets through: it changes nothing of it, or says itself whether it may
    ("DELETE", ""),  # only while nobody has submitted
    ("POST", "/phases/{phase}/submissions/check"),  # keeps nothing
    ("POST", "/members"),  # who runs it: somebody must be able to open it again
    ("DELETE", "/members/{username}"),
    ("POST", "/owner"),
    ("POST", "/leave"),
    ("POST", "/freezes"),  # its end is when one wants an archive
}


def test_nothing_of_an_archived_competition_changes(api: Api, phase: Phase, organiser: Caller) -> None:
    make_final(organiser)
    set_visibility(api, Visibility.ARCHIVED)
    root = api.caller("root", Role.OPERATOR)
    tried, wrong = 0, []
    for method, path, options in calls(api):
        if method == "GET" or (method, path.removeprefix(OF_COMPETITION)) in STILL:
            continue
        here = path.replace("{phase}", "final") if "/final" in path else path
        answer = root.request(method, at(here, "cup"), **options)
        found = (answer.status_code, answer.json().get("code"))
        if found != (409, "competition_archived"):
            wrong.append((method, path, answer.text[:300]))
        tried += 1
    assert not wrong, "\n".join(map(str, wrong))
    assert tried > 20


def test_a_deleted_competition_is_gone_for_operators_too(api: Api, phase: Phase) -> None:
    set_visibility(api, Visibility.DELETED)
    root = api.caller("root", Role.OPERATOR)
    assert root.get("/api/competitions/cup").status_code == 404
    assert root.get(BOARD).status_code == 404
    assert root.get("/api/competitions").json()["items"] == []
