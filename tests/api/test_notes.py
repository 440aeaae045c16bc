"""Notes and tags of submissions: the team writes them, and only those who may see the submission read them."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from services.core.models import Competition, Phase, Role, Visibility
from tests.api.harness import Api, Caller


def write(caller: Caller, submission: str, note: str = "", tags: Any = ()) -> httpx2.Response:
    return caller.request("PUT", f"/api/submissions/{submission}/note", json={"note": note, "tags": list(tags)})


def noted(caller: Caller, submission: str) -> tuple[str, list[str]]:
    shown = caller.get(f"/api/submissions/{submission}").json()
    return shown["note"], shown["tags"]


def test_a_team_writes_and_changes_a_note_that_organisers_read(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    mine, other = (participant.submit().json()["id"] for _ in range(2))
    assert noted(participant, mine) == ("", [])

    changed = write(participant, mine, "  lr 0.1\nunfrozen head\n", ["baseline", "Lr", "lr"])

    assert (changed.status_code, changed.json()["tags"]) == (200, ["baseline", "Lr"])
    assert noted(participant, mine) == noted(organiser, mine) == ("lr 0.1\nunfrozen head", ["baseline", "Lr"])
    assert [one["note"] for one in participant.get("/api/submissions").json()["items"]] == ["", "lr 0.1\nunfrozen head"]
    assert noted(participant, other) == ("", [])
    write(participant, mine)
    assert noted(participant, mine) == ("", [])


def test_nobody_else_writes_a_note(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    mine = participant.submit().json()
    for caller, status, code in (
        (api.caller("lee"), 404, "not_found"),
        (organiser, 403, "not_your_submission"),
        (api.caller("root", Role.OPERATOR), 403, "not_your_submission"),
    ):
        refused = write(caller, mine["id"], "mine")
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        rights = caller.get(f"/api/submissions/{mine['id']}").json().get("rights", {})
        assert not rights.get("annotates", False)
    assert mine["rights"]["annotates"] is True
    assert noted(participant, mine["id"]) == ("", [])


def test_an_archived_competition_keeps_its_notes(api: Api, phase: Phase, participant: Caller) -> None:
    mine = participant.submit().json()["id"]
    with api.database.write() as session:
        session.execute(update(Competition).values(visibility=Visibility.ARCHIVED))
    refused = write(participant, mine, "late")
    assert (refused.status_code, refused.json()["code"]) == (409, "competition_archived")


@pytest.mark.parametrize(
    ("note", "tags"),
    [
        ("x" * 2001, []),
        ("turned \u202e around", []),
        ("null \0", []),
        ("", ["t"] * 11),
        ("", ["x" * 41]),
        ("", [" "]),
        ("", ["a\nb"]),
        ("", "tag"),
    ],
)
def test_notes_and_tags_are_bounded_and_legible(
    api: Api, phase: Phase, participant: Caller, note: str, tags: Any
) -> None:
    mine = participant.submit().json()["id"]
    refused = participant.request("PUT", f"/api/submissions/{mine}/note", json={"note": note, "tags": tags})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert noted(participant, mine) == ("", [])
