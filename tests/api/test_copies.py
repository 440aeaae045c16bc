"""A team's own code shares runs, whatever its comments; nothing is shared between teams, and copies are listed."""

from pathlib import Path
from uuid import UUID

from services.core.models import Phase, Role
from tests.api.harness import MODULE, Api, Caller
from tests.api.rescoring import names, shown_scores, submit_scored

COPIES = "/api/competitions/cup/copies"
SCRUB = (Path(__file__).parents[2] / "baselines" / "scrub.py").read_bytes()


def test_another_teams_very_bytes_run_anew_and_are_listed(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    own = submit_scored(api, participant, MODULE, 0.5)

    copied = api.caller("eve").submit().json()

    assert (copied["state"], names(api)) == ("queued", ["ada"])
    (listed,) = organiser.get(COPIES).json()["items"]
    assert (listed["same_code"], listed["likeness"]) == (True, 1.0)
    assert (listed["later"]["submission_id"], listed["later"]["team"]) == (copied["id"], "eve")
    assert (listed["earlier"]["submission_id"], listed["earlier"]["team"]) == (str(own), "ada")


def test_near_identical_code_is_listed_once_and_for_organisers_only(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    participant.submit(SCRUB)
    rival = api.caller("eve")
    changed = SCRUB.replace(b"retain_loader", b"rows").replace(b"1", b"3")
    for data in (changed, b"# Mine.\n" + changed):
        assert rival.submit(data).status_code == 201
    assert rival.submit(SCRUB.replace(b"retain_loader", b"rows")).status_code == 201

    listed = organiser.get(COPIES).json()["items"]

    assert [(one["later"]["team"], one["earlier"]["team"], one["same_code"]) for one in listed] == [
        ("eve", "ada", False)
    ] * 2
    assert all(one["likeness"] > 0.9 for one in listed)
    for caller in (participant, rival, api.caller("mallory", Role.ORGANISER)):
        assert caller.get(COPIES).status_code == 403


def test_a_comment_draws_no_new_runs(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    first = participant.submit(SCRUB).json()
    again = participant.submit(SCRUB + b"# again\n").json()
    other = participant.submit(SCRUB.replace(b"1", b"3")).json()

    assert again["evaluation_id"] == first["evaluation_id"] != other["evaluation_id"]
    assert again["sha256"] != first["sha256"]
    checked = participant.post(
        "/api/competitions/cup/phases/feedback/submissions/check", content=SCRUB + b"\n", params={"filename": "b.py"}
    )
    assert checked.json()["submitted_as"] == again["id"]
    assert organiser.get(COPIES).json()["items"] == []


def test_disqualified_code_stays_off_with_another_comment(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    first = submit_scored(api, participant, MODULE, 0.5)
    body = {"submission_id": str(first), "reason": "It reads the clock."}
    assert organiser.post("/api/competitions/cup/disqualifications", json=body).status_code == 201

    participant.submit(MODULE + b"# more\n")

    assert names(api) == []


def test_two_teams_with_the_same_code_have_a_place_each(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    submit_scored(api, participant, MODULE, 0.5)
    submit_scored(api, api.caller("eve"), MODULE, 0.4)
    assert (names(api), shown_scores(api)) == (["ada", "eve"], [0.5, 0.4])
    queue = organiser.get("/api/competitions/cup/queue").json()
    assert queue["evaluations"] == []


def test_the_queue_names_the_team_whose_code_waits(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    own = [participant.submit().json(), api.caller("eve").submit().json()]
    queue = organiser.get("/api/competitions/cup/queue").json()
    found = {UUID(one["id"]): one["submission"]["team"] for one in queue["evaluations"]}
    assert found == {UUID(one["evaluation_id"]): one["team"] for one in own}
