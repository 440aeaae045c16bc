"""Submissions and teams that are shown to everybody: with a stable link, a preview, a citation, and nothing hidden."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from starlette.testclient import TestClient

from services.api.app import create_app
from services.core.models import Phase, Visibility
from services.core.settings import Settings
from tests.api.finals import make_final, start
from tests.api.harness import Api, Caller, numbered
from tests.api.people import CUP
from tests.api.rescoring import submit_scored
from tests.api.teams import create
from tests.api.test_links import INDEX, told
from tests.api.test_visibility import set_visibility

ORIGIN = "http://testserver"


@pytest.fixture
def pages(tmp_path: Path, settings: Settings) -> Iterator[TestClient]:
    """The pages of the web app, on the database of `api`."""
    built = tmp_path / "dist"
    built.mkdir()
    (built / "index.html").write_text(INDEX)
    with TestClient(create_app(settings, web=built)) as client:
        yield client


@pytest.fixture
def scored(api: Api, phase: Phase, participant: Caller) -> str:
    create(participant, "gulls")
    made = submit_scored(api, participant, numbered(1), 0.0123)
    api.anonymous.keep_boards()
    return str(made)


def share(caller: Caller, submission: str, method: str = "PUT") -> Any:
    return caller.request(method, f"/api/submissions/{submission}/share")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def is_picture(api: Api, address: str) -> bool:
    answer = api.anonymous.get(address.removeprefix(ORIGIN))
    with Image.open(io.BytesIO(answer.content)) as image:
        return (image.format, image.size) == ("PNG", (1200, 630))


def test_everybody_sees_a_shared_submission_and_nothing_more(api: Api, scored: str, participant: Caller) -> None:
    public = f"/api/shared/{scored}"
    note = {"note": "the secret trick", "tags": ["secret"]}
    assert participant.request("PUT", f"/api/submissions/{scored}/note", json=note).is_success
    assert api.anonymous.get(public).status_code == 404
    assert participant.get(f"/api/submissions/{scored}").json()["shared"] is False

    for _ in range(2):
        assert share(participant, scored).status_code == 200

    shown = api.anonymous.get(public)
    assert shown.json()["standing"]["final_score"] == 0.0123
    assert (shown.json()["team"], shown.json()["competition"], shown.json()["phase"]) == ("gulls", "cup", "feedback")
    assert "rank 1" in shown.json()["standing"]["sentence"]
    for hidden in ("secret", "ada", "sha256", ".py"):
        assert hidden not in shown.text, hidden
    assert participant.get(f"/api/submissions/{scored}").json()["shared"] is True
    assert api.anonymous.get(f"/api/submissions/{scored}").status_code == 401
    for form, read in (("bib", str), ("cff", yaml.safe_load)):
        cited = read(api.anonymous.get(f"{public}/citation.{form}").text)
        assert "gulls" in str(cited)
        assert f"{ORIGIN}/shared/{scored}" in str(cited)

    assert share(participant, scored, "DELETE").status_code == 204
    for path in ("", "/preview.png", "/citation.bib"):
        assert api.anonymous.get(public + path).status_code == 404


def test_only_its_team_shares_what_is_scored(api: Api, scored: str, participant: Caller, organiser: Caller) -> None:
    assert code(share(api.caller("zoe"), scored)) == (404, "not_found")
    assert code(share(organiser, scored)) == (403, "not_your_submission")
    waiting = participant.submit(numbered(2)).json()["id"]
    assert code(share(participant, waiting)) == (409, "not_scored")
    assert share(api.anonymous, scored).status_code == 401


def test_what_is_hidden_stays_hidden(api: Api, scored: str, participant: Caller, organiser: Caller) -> None:
    assert share(participant, scored).status_code == 200
    public = f"/api/shared/{scored}"
    for visibility in (Visibility.DRAFT, Visibility.DELETED):
        set_visibility(api, visibility)
        assert api.anonymous.get(public).status_code == 404
    set_visibility(api, Visibility.PUBLIC)
    reason = {"submission_id": scored, "reason": "It reads labels."}
    assert organiser.post(f"{CUP}/disqualifications", json=reason).status_code == 201
    assert api.anonymous.get(public).status_code == 404
    assert code(share(participant, scored)) == (409, "not_shareable")


def test_an_entry_of_a_sealed_final_is_not_shared(
    api: Api, scored: str, participant: Caller, organiser: Caller
) -> None:
    make_final(organiser)
    start(api, organiser)
    entries = [one for one in organiser.get(f"{CUP}/submissions").json()["items"] if one["phase"] == "final"]
    assert entries
    for one in entries:
        assert share(participant, one["id"]).status_code == 404


def test_a_deleted_account_shares_nothing_any_more(api: Api, scored: str, participant: Caller) -> None:
    assert share(participant, scored).status_code == 200
    assert participant.post("/api/me/deletion", json={"username": "ada"}).status_code == 200
    assert api.anonymous.get(f"/api/shared/{scored}").status_code == 404


def test_links_to_both_tell_what_they_are(api: Api, scored: str, pages: TestClient, participant: Caller) -> None:
    assert pages.get(f"/shared/{scored}").text == INDEX
    share(participant, scored)
    tags = told(pages.get(f"/shared/{scored}").text)
    assert tags["og:title"] == "entry by gulls"
    assert "0.0123 (95% interval" in tags["og:description"]
    assert tags["og:url"] == tags["citation_public_url"] == f"{ORIGIN}/shared/{scored}"
    assert is_picture(api, tags["og:image"])

    team = api.anonymous.get("/api/teams/gulls").json()["id"]
    for path in ("/teams/gulls", f"/teams/{team}"):
        tags = told(pages.get(path).text)
        assert tags["og:title"] == "gulls"
        assert tags["og:description"] == "A team of Cup. Best place: rank 1 on the leaderboard feedback."
        assert tags["og:url"] == f"{ORIGIN}/teams/{team}"
        assert "citation_title" not in tags
        assert is_picture(api, tags["og:image"])
    set_visibility(api, Visibility.DRAFT)
    for path in ("/teams/gulls", f"/teams/{team}", f"/shared/{scored}", "/teams/none", "/shared/x", "/teams/a%00"):
        assert pages.get(path).text == INDEX, path
    assert api.anonymous.get(f"/api/teams/{team}/preview.png").status_code == 404
