"""What an organiser sees of a whole competition: all submissions, and its part of the queue."""

from typing import Any
from uuid import UUID

import pytest

from services.core.models import Competition, Device, FailureKind, Phase, Role, Team
from services.core.queue import leases
from services.core.queue.lifecycle import cancel, fail, lock_evaluation
from tests.api.harness import Api, Caller, numbered
from tests.api.scores import measure, publish, score

ALL = "/api/competitions/cup/submissions"
CAMPAIGNS = "/api/competitions/cup/phases/feedback/campaigns"
QUEUE = "/api/competitions/cup/queue"
OFFER = leases.WorkerOffer("gpu-1", Device.CPU, "cpu", 2**40)


def submit(caller: Caller, number: int) -> dict[str, Any]:
    answer = caller.submit(numbered(number), f"entry-{number}.py")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def read(organiser: Caller, **query: Any) -> list[str]:
    """Read the names of all pages."""
    names: list[str] = []
    while True:
        answer = organiser.get(ALL, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        names += [item["name"] for item in page["items"]]
        if page["next"] is None:
            return names
        query["after"] = page["next"]


@pytest.fixture
def submitted(api: Api, phase: Phase, participant: Caller) -> list[str]:
    """Six submissions of two teams: one of each state that a module may be in, and the first still queued."""
    with api.database.write() as session:
        session.get_one(Competition, phase.competition_id).weight = 2  # both shards of an entry in one turn
    made = [submit(participant if number < 4 else api.caller(f"bob-{number}"), number) for number in range(6)]
    ids = [UUID(one["evaluation_id"]) for one in made]
    with api.database.write() as session:
        held = leases.claim(session, OFFER, lease_s=60.0)
        assert held is not None
    running = held.evaluation_id
    others = [one for one in ids if one != running]
    with api.database.write() as session:
        score(session, measure(session, others[0]).id, 0.5)
        score(session, measure(session, others[1]).id, 0.5, metric="lethe-1")
        fail(session, lock_evaluation(session, others[2]), FailureKind.PLATFORM, "The disk was full.")
        cancel(session, lock_evaluation(session, others[3]))
    return [one["name"] for one in made]


def test_all_teams_submissions_are_listed_newest_first(organiser: Caller, submitted: list[str]) -> None:
    assert read(organiser) == read(organiser, limit=2) == submitted[::-1]


def test_submissions_are_found_by_state(organiser: Caller, submitted: list[str]) -> None:
    """Each by the state that it is shown in."""
    shown = {item["name"]: item["state"] for item in organiser.get(ALL).json()["items"]}

    assert set(shown.values()) == {"queued", "running", "measured", "scored", "failed", "cancelled"}
    for state in (*set(shown.values()), "checked"):
        assert set(read(organiser, state=state)) == {name for name, found in shown.items() if found == state}


def test_submissions_are_found_by_phase_and_by_part_of_the_teams_name(organiser: Caller, submitted: list[str]) -> None:
    assert read(organiser, phase="feedback") == submitted[::-1]
    assert read(organiser, phase="final") == []
    assert read(organiser, team="bob") == submitted[:3:-1]
    assert read(organiser, team="bob-4", phase="feedback") == [submitted[4]]
    assert read(organiser, team="%") == []


def test_only_submissions_to_the_competition_are_listed(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    submit(participant, 1)
    assert organiser.account is not None
    with api.database.write() as session:
        session.add(Competition(slug="other", title="Other", owner_id=organiser.account.id))

    for path in (ALL, QUEUE):
        assert not any(organiser.get(path.replace("cup", "other")).json().get(key) for key in ("items", "evaluations"))


def test_cursors_of_one_question_answer_no_other(organiser: Caller, submitted: list[str]) -> None:
    cursor = organiser.get(ALL, params={"limit": 1}).json()["next"]

    assert organiser.get(ALL, params={"after": cursor, "team": "bob"}).json()["code"] == "bad_cursor"


def test_an_organiser_cancels_what_is_listed(organiser: Caller, submitted: list[str]) -> None:
    [running] = organiser.get(ALL, params={"state": "running"}).json()["items"]

    assert organiser.post(f"/api/submissions/{running['id']}/cancel").json()["state"] == "cancelled"
    assert read(organiser, state="running") == []


def test_other_organisers_see_neither(api: Api, phase: Phase) -> None:
    other, root = api.caller("other", Role.ORGANISER), api.caller("root", Role.OPERATOR)

    for path in (ALL, QUEUE):
        assert other.get(path).json()["code"] == "not_organiser"
        assert root.get(path).status_code == 200


def test_the_queue_says_what_waits_what_runs_and_where(api: Api, organiser: Caller, submitted: list[str]) -> None:
    with api.database.write() as session:
        held = leases.claim(session, OFFER, lease_s=-1.0)
        assert held is not None
        leases.record(session, held, [leases.MeasuredSeed(held.seed_start, "b" * 64, "c" * 64, 1.0)])

    found = organiser.get(QUEUE).json()

    assert [(one["state"], one["submission"]["name"], one["attempt"]) for one in found["evaluations"]] == [
        ("running", submitted[0], 1),
        ("queued", submitted[5], 0),
    ]
    assert all(one["age_s"] > 0 and not one["is_re_run"] for one in found["evaluations"])
    [row] = found["phases"]
    assert (row["phase"], row["device"], row["queued"], row["running"]) == ("feedback", "cpu", 1, 1)
    assert row["oldest_queued_s"] == found["oldest_queued_s"] > 0
    assert found["shards"]["running"] == 2
    held_ones = [(one["worker"], one["seed_start"], one["seeds_done"]) for one in found["leases"]]
    assert held_ones == [("gpu-1", 0, 0), ("gpu-1", 4, 1)]
    assert found["leases"][0]["expires_in_s"] > 0 > found["leases"][1]["expires_in_s"]
    [failure] = found["platform_failures"]
    assert (failure["message"], failure["submission"]["name"]) == ("The disk was full.", submitted[3])


def test_a_new_run_is_shown_with_the_submission_whose_code_it_runs(api: Api, phase: Phase, organiser: Caller) -> None:
    with api.database.write() as session:
        team = Team(name="a")
        session.add(team)
        session.flush()
        entry = publish(session, session.get_one(Phase, phase.id), team, 0.3)
    started = organiser.post(CAMPAIGNS, json={"metric": "neurips-2023", "re_run": True})

    [row] = organiser.get(QUEUE).json()["evaluations"]

    assert started.status_code == 201
    assert (row["is_re_run"], row["state"], row["submission"]["team"]) == (True, "queued", "a")
    assert row["submission"]["id"] == str(entry.submission_id)


def test_an_operator_sees_the_queue_of_all_competitions(api: Api, organiser: Caller, submitted: list[str]) -> None:
    root = api.caller("root", Role.OPERATOR)
    whole, own = root.get("/api/admin/queue").json(), organiser.get(QUEUE).json()

    for name in ("shards", "platform_failures"):
        assert whole[name] == own[name]
    assert [one["id"] for one in whole["evaluations"]] == [one["id"] for one in own["evaluations"]]
