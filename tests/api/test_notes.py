"""Notes and tags of submissions: the team writes them, and only those who may see the submission read them."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from services.core.models import Competition, Phase, Role, Visibility
from tests.api.harness import Api, Caller, numbered


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


def tagged(caller: Caller, tag: str) -> list[str]:
    answer = caller.get("/api/submissions", params={"tag": tag})
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["items"]]


def test_own_submissions_are_found_by_a_whole_tag_in_any_case(api: Api, phase: Phase, participant: Caller) -> None:
    names = {
        "a": ["Größe", "first try"],
        "b": ["grösse 2", "first"],
        "c": ["100%", "_", 'quote", "first try'],
        "d": [],
    }
    for number, (name, tags) in enumerate(names.items()):
        write(participant, participant.submit(numbered(number), name=name).json()["id"], tags=tags)

    assert tagged(participant, "GRÖSSE") == ["a"]
    assert tagged(participant, "first") == ["b"]
    assert tagged(participant, "First Try") == ["a"]
    assert tagged(participant, "%") == tagged(participant, "1000") == tagged(participant, "x") == []
    assert (tagged(participant, "100%"), tagged(participant, "_")) == (["c"], ["c"])
    assert tagged(api.caller("lee"), "first") == []


def test_a_tag_is_found_until_it_is_taken_away(api: Api, phase: Phase, participant: Caller) -> None:
    mine = participant.submit(name="mine").json()["id"]
    write(participant, mine, tags=["old"])
    write(participant, mine, tags=["new"])
    assert (tagged(participant, "old"), tagged(participant, "new")) == ([], ["mine"])


def test_pages_go_on_with_the_same_tag(api: Api, phase: Phase, participant: Caller) -> None:
    for number in range(4):
        made = participant.submit(numbered(number), name=str(number)).json()["id"]
        write(participant, made, tags=["even"] if number % 2 == 0 else ["odd"])
    query = {"tag": "even", "limit": 1}
    first = participant.get("/api/submissions", params=query).json()
    second = participant.get("/api/submissions", params=query | {"after": first["next"]}).json()

    assert [one["name"] for one in first["items"] + second["items"]] == ["2", "0"]
    assert second["next"] is None
    other = participant.get("/api/submissions", params={"tag": "odd", "after": first["next"]})
    assert other.json()["code"] == "bad_cursor"
