"""A sealed final tells nobody outside how its entries do: every route that can be read is tried, before and after."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.core.models import Phase, Submission
from tests.api.finals import end_runs, entries_of, make_final, publish, start
from tests.api.harness import Api, Caller
from tests.api.rescoring import code, submit_scored

SCORE = 0.777123
SECRETS = ("0.777123", "0.77712", "boom")
# The record's newest number grows with every score of the installation, and a place in the queue with what is queued.
AGGREGATES = ("/api/record", "/api/health", "/quota")


NOT_READ = {"/api/benchmarks"}  # these tests have a made-up one, which cannot be shown
SEEN = {"Last-Event-ID": "1000"}  # otherwise an event stream would not end


class Contest:
    """A started final with an entry of `ada` and one of `eve`."""

    def __init__(self, api: Api, organiser: Caller, participant: Caller) -> None:
        self.api = api
        self.ada, self.eve, self.organiser = participant, api.caller("eve"), organiser
        self.uploads = [
            submit_scored(api, caller, code(number), 0.1 * number)
            for number, caller in enumerate((self.ada, self.eve), start=1)
        ]
        make_final(organiser)
        start(api, organiser)
        self.entries = [entries_of(api)[f"{name}/entry"] for name in ("ada", "eve")]

    def end(self) -> None:
        end_runs(self.api, {"ada": SCORE, "eve": None})

    @property
    def outsiders(self) -> dict[str, Caller]:
        return {"ada": self.ada, "eve": self.eve, "stranger": self.api.anonymous}


@pytest.fixture
def contest(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> Contest:
    return Contest(api, organiser, participant)


def paths(api: Api, method: str, submission_id: UUID, phase: str = "final") -> Iterator[str]:
    """Yield the path of every route of a method from the API's own schema."""
    schema: dict[str, Any] = api.client.get("/api/openapi.json").json()
    made_up = str(UUID(int=0))
    values = {
        "slug": "cup",
        "phase": phase,
        "team": "ada",
        "form": "bib",
        "submission_id": str(submission_id),
        "number": "1",
        "example": "0",
    }
    for path, operations in schema["paths"].items():
        if method.lower() in operations and path not in NOT_READ:
            yield re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], made_up), path)


def read_all(contest: Contest, caller: Caller) -> dict[str, tuple[int, str]]:
    """Read every route, about the final and about uploads to another phase, whatever may be asked of it."""
    found: dict[str, tuple[int, str]] = {}
    against = {"other": str(contest.entries[0].id)}
    for submission_id in [one.id for one in contest.entries] + contest.uploads:
        for phase in ("final", "feedback"):
            for path in paths(contest.api, "GET", submission_id, phase):
                if path not in found:
                    params = against if str(submission_id) in path else {}
                    answer = caller.request("GET", path, params=params, headers=SEEN)
                    found[path] = answer.status_code, stable(answer.text)
    return found


def stable(text: str) -> str:
    """Leave out what changes with every answer: moments, made-up ids, cursors."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)?", "MOMENT", text)
    return re.sub(r'"(next|request|incident)":"[^"]*"', "", text)


def test_nothing_that_outsiders_read_depends_on_how_entries_do(contest: Contest) -> None:
    before = {name: read_all(contest, caller) for name, caller in contest.outsiders.items()}

    contest.end()

    for name, caller in contest.outsiders.items():
        after = read_all(contest, caller)
        assert len(after) > 70
        for path, answer in after.items():
            if not any(one in path for one in AGGREGATES):
                assert answer == before[name][path], (name, path)
            assert not any(secret in answer[1] for secret in SECRETS), (name, path)


def test_no_outsider_reaches_an_entry_by_its_id(contest: Contest) -> None:
    contest.end()
    for caller in (contest.ada, contest.eve):
        for entry in contest.entries:
            for method in ("GET", "POST"):
                for path in paths(contest.api, method, entry.id):
                    if str(entry.id) in path:
                        answer = caller.request(method, path, params={"other": str(entry.id)})
                        other = path.replace(str(entry.id), str(uuid4()))
                        unknown = caller.request(method, other, params={"other": str(uuid4())})
                        found = (answer.status_code, answer.json()["code"])
                        assert found == (unknown.status_code, unknown.json()["code"]), path
                        assert found in ((404, "not_found"), (403, "not_organiser")), path
        listed = caller.get("/api/submissions").json()["items"]
        assert {one["phase"] for one in listed} == {"feedback"}
        for mine in contest.uploads:
            against = {"other": str(contest.entries[0].id)}
            assert caller.get(f"/api/submissions/{mine}/comparison", params=against).status_code == 404


def test_boards_in_every_form_are_sealed(contest: Contest) -> None:
    contest.end()
    base = "/api/competitions/cup/phases/final"
    for caller in contest.outsiders.values():
        for path in ("leaderboard", "leaderboard.csv", "final/board"):
            for params in ({}, {"as_of": "2999-01-01T00:00:00Z"}, {"limit": 1}):
                answer = caller.request("GET", f"{base}/{path}", params=params)
                assert (answer.status_code, answer.json()["code"]) == (403, "board_sealed"), path
        assert "sealed" in caller.request("GET", f"{base}/badges/ada.svg").text
        assert "rank" not in caller.request("GET", f"{base}/badges/ada.svg").text
        drawn = caller.request("GET", f"{base}/board.svg").text
        assert "sealed" in drawn
        assert "ada" not in drawn


def test_an_outsider_learns_that_an_entry_is_in_the_final_and_no_more(contest: Contest) -> None:
    mine = contest.uploads[0]
    contest.end()

    shown = contest.ada.get(f"/api/submissions/{mine}").json()

    assert shown["finals"] == [
        {"phase": "final", "is_open": False, "selected": False, "entered": True, "licence": None}
    ]
    assert shown["score"]["final_score"] == 0.1


def test_who_runs_the_competition_sees_all_of_it(contest: Contest) -> None:
    contest.end()
    entry = contest.entries[0]

    assert contest.organiser.get("/api/competitions/cup/phases/final/leaderboard").json()["total"] == 1
    assert "0.777123" in contest.organiser.get("/api/competitions/cup/phases/final/leaderboard.csv").text
    assert contest.organiser.get(f"/api/submissions/{entry.id}").json()["score"]["final_score"] == SCORE
    listed = contest.organiser.get("/api/competitions/cup/submissions", params={"phase": "final"}).json()["items"]
    assert {one["state"] for one in listed} == {"scored", "failed"}


def test_publishing_opens_every_form(contest: Contest) -> None:
    contest.end()
    base = "/api/competitions/cup/phases/final"
    assert publish(contest.organiser).status_code == 200

    assert contest.api.anonymous.get(f"{base}/leaderboard").json()["total"] == 1
    assert "0.777123" in contest.api.anonymous.get(f"{base}/leaderboard.csv").text
    assert "rank 1" in contest.api.anonymous.get(f"{base}/badges/ada.svg").text
    assert "ada" in contest.api.anonymous.get(f"{base}/board.svg").text
    assert contest.ada.get(f"/api/submissions/{contest.entries[0].id}").json()["score"]["final_score"] == SCORE
    assert contest.ada.get(f"/api/submissions/{contest.entries[1].id}").status_code == 404
    assert contest.eve.get(f"/api/submissions/{contest.entries[1].id}").json()["failure"]["kind"] == "exception"


def test_a_reference_row_is_still_seen_by_whoever_submitted_it(contest: Contest) -> None:
    made = contest.organiser.post(
        "/api/competitions/cup/phases/final/submissions",
        content=code(9),
        params={"filename": "entry.py", "reference": "retrain"},
    ).json()

    assert contest.organiser.get(f"/api/submissions/{made['id']}").status_code == 200
    with contest.api.database.read() as session:
        assert session.get_one(Submission, UUID(made["id"])).evaluation.seed_key
