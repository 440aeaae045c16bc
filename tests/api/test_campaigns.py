"""Rescoring a phase: prepared, looked at, published at once, undone; and what is on record of it."""

import random
from uuid import UUID

import pytest
from sqlalchemy import event, select

from services.core.board import campaigns, pointers, rescoring
from services.core.models import (
    Campaign,
    Phase,
    Reference,
    Role,
    Score,
    Submission,
)
from tests.api.harness import BOARD, Api, Caller
from tests.api.rescoring import (
    CAMPAIGNS,
    PHASE,
    add_score,
    begin,
    code,
    go_live,
    look_at,
    moves_of,
    names,
    put,
    set_aside,
    standing_scores,
    undo,
)
from tests.api.scores import measure, score


def test_a_board_is_looked_at_published_and_put_back(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    put(api, phase, "b", 0.2, 0.5)
    put(api, phase, "c", 0.1, 0.3)
    before = api.anonymous.get(BOARD).json()

    campaign = begin(organiser)
    assert (campaign["state"], campaign["done"], campaign["total"]) == ("ready", 3, 3)
    moves = moves_of(organiser, campaign)
    assert [(m["team"], m["before"]["rank"], m["after"]["rank"], m["ranks_up"]) for m in moves] == [
        ("b", 2, 1, 1),
        ("c", 3, 2, 1),
        ("a", 1, 3, -2),
    ]
    assert all(move["separated"] for move in moves)
    assert (moves[0]["before"]["final_score"], moves[0]["after"]["final_score"]) == (0.2, 0.5)
    assert api.anonymous.get(BOARD).json() == before

    assert go_live(organiser, campaign).json()["state"] == "publishing"
    assert look_at(organiser, campaign)["state"] == "published"
    after = api.anonymous.get(BOARD).json()
    assert ([item["entry"] for item in after["items"]], after["metric"]) == (["b", "c", "a"], "lethe-1")
    assert api.anonymous.get(BOARD, params={"as_of": before["as_of"]}).json() == before
    assert before["metric"] == "neurips-2023"
    assert [list(item["other_scores"]) for item in before["items"]] == [["lethe-1"]] * 3
    assert moves_of(organiser, campaign) == moves

    assert undo(organiser)["state"] == "undone"
    back = api.anonymous.get(BOARD).json()
    assert back | {"as_of": None} == before | {"as_of": None}


def test_moves_within_noise_are_said_to_be_so(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.30, 0.30, margin=0.2)
    put(api, phase, "b", 0.29, 0.31, margin=0.2)
    moves = moves_of(organiser, begin(organiser))
    assert [(move["team"], move["ranks_up"]) for move in moves] == [("b", 1), ("a", -1)]
    assert moves[0]["before"]["rank_best"] == 1
    assert not moves[0]["separated"]


def test_what_is_not_scored_yet_is_waited_for(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    late = put(api, phase, "b", 0.2, None)
    campaign = begin(organiser)
    assert (campaign["state"], campaign["done"], campaign["total"]) == ("preparing", 1, 2)
    with api.database.read() as session:
        missing = rescoring.unscored(session, session.get_one(Campaign, campaigns.open_campaigns(session)[0].id))
        assert missing == [session.get_one(Submission, late.submission_id).evaluation_id]
    refused = go_live(organiser, campaign)
    assert (refused.status_code, refused.json()["code"]) == (409, "campaign_not_ready")
    add_score(api, late, 0.4)
    assert go_live(organiser, campaign).status_code == 200
    assert names(api) == ["b", "a"]


def test_a_submission_that_came_meanwhile_is_waited_for_too(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    campaign = begin(organiser)
    late = put(api, phase, "b", 0.2, None)
    assert go_live(organiser, campaign).status_code == 200
    assert (look_at(organiser, campaign)["state"], names(api)) == ("publishing", ["a", "b"])
    refused = go_live(organiser, campaign)
    assert (refused.status_code, refused.json()["code"]) == (409, "campaign_not_ready")
    add_score(api, late, 0.4)
    organiser.keep_boards()
    assert (look_at(organiser, campaign)["state"], names(api)) == ("published", ["b", "a"])


def test_what_is_being_published_can_be_cancelled_as_long_as_it_waits(
    api: Api, phase: Phase, organiser: Caller
) -> None:
    put(api, phase, "a", 0.3, 0.1)
    campaign = begin(organiser)
    put(api, phase, "b", 0.2, None)
    go_live(organiser, campaign)
    assert organiser.post(f"{CAMPAIGNS}/{campaign['id']}/cancel").status_code == 200
    assert (look_at(organiser, campaign)["state"], names(api)) == ("cancelled", ["a", "b"])


def test_while_one_is_undone_no_other_begins_nor_is_undone(api: Api, phase: Phase, organiser: Caller) -> None:
    """Without a scorer, which would have undone it."""
    put(api, phase, "a", 0.3, 0.1)
    put(api, phase, "b", 0.2, 0.5)
    go_live(organiser, begin(organiser))
    assert organiser.request("POST", f"{PHASE}/undo").json()["state"] == "undoing"
    for path, body in ((f"{PHASE}/undo", None), (CAMPAIGNS, {"metric": "lethe-1"})):
        refused = organiser.request("POST", path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "campaign_open")
    assert shown_now(api) == ["b", "a"]
    organiser.keep_boards()
    assert shown_now(api) == ["a", "b"]


def shown_now(api: Api) -> list[str]:
    return [item["entry"] for item in api.anonymous.request("GET", BOARD).json()["items"]]


def test_what_cannot_be_scored_is_named_and_leaves_the_board(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    lost = put(api, phase, "b", 0.4, None)
    campaign = begin(organiser)
    set_aside(api, lost, "Blob 0 is missing from the store.")

    shown = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()
    assert (shown["state"], shown["done"], shown["total"]) == ("ready", 1, 1)
    assert shown["unscorable"] == [
        {
            "team": "b",
            "submission": "by b",
            "submission_id": str(lost.submission_id),
            "reason": "Blob 0 is missing from the store.",
        }
    ]
    assert [(move["team"], move["after"] is None) for move in moves_of(organiser, campaign)] == [
        ("a", False),
        ("b", True),
    ]
    assert go_live(organiser, campaign).status_code == 200
    assert names(api) == ["a"]
    organiser.post(f"{PHASE}/undo")
    assert names(api) == ["b", "a"]


def test_looking_at_a_campaign_asks_the_database_as_often_for_many_teams_as_for_one(
    api: Api, phase: Phase, organiser: Caller
) -> None:
    asked: list[str] = []
    event.listen(api.state.database.engine, "before_cursor_execute", lambda *arguments: asked.append(str(arguments[2])))

    def statements() -> int:
        organiser.keep_boards()
        asked.clear()
        for path in ("", "/moves"):
            assert organiser.request("GET", f"{CAMPAIGNS}/{campaign['id']}{path}").status_code == 200
        return len(asked)

    put(api, phase, "first", 0.3, 0.1)
    campaign = begin(organiser)
    statements()
    few = statements()
    for number in range(10):
        put(api, phase, f"t{number}", 0.2, 0.1)
    assert statements() == few


@pytest.mark.parametrize("reference", [Reference.NONE, Reference.RETRAIN])
def test_entries_scored_out_of_order_stand_as_if_in_order(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, reference: Reference
) -> None:
    """Of equals the one submitted first, of references the newest; so that undoing puts back what stood."""
    submissions = [UUID(participant.submit(code(number)).json()["id"]) for number in range(2)]
    with api.database.write() as session:
        for submission_id in reversed(submissions):
            own = session.get_one(Submission, submission_id)
            own.reference = reference
            measure(session, own.evaluation_id)
            score(session, own.evaluation_id, 0.0, metric="lethe-1")
            pointers.publish(session, own, score(session, own.evaluation_id, 0.0))

    def shown() -> list[str]:
        return [item["submission_id"] for item in api.anonymous.get(BOARD).json()["items"]]

    expected = [str(submissions[0] if reference is Reference.NONE else submissions[1])]
    assert shown() == expected
    campaign = begin(organiser)
    (move,) = moves_of(organiser, campaign)
    assert [move["before"]["submission_id"]] == expected
    go_live(organiser, campaign)
    organiser.post(f"{PHASE}/undo")
    assert shown() == expected


def test_whoever_came_after_publishing_stays_when_it_is_undone(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    campaign = begin(organiser)
    go_live(organiser, campaign)
    put(api, phase, "b", 0.2, 0.5)  # the pointer is to neurips-2023's score, as of a scorer that was late
    organiser.post(f"{PHASE}/undo")
    assert names(api) == ["a", "b"]


def test_a_phase_has_one_campaign_at_a_time(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    campaign = begin(organiser)
    refused = organiser.post(CAMPAIGNS, json={"metric": "lethe-1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "campaign_open")
    assert organiser.post(f"{CAMPAIGNS}/{campaign['id']}/cancel").json()["state"] == "cancelled"
    assert go_live(organiser, campaign).status_code == 409
    assert begin(organiser)["state"] == "ready"
    assert len(organiser.get(CAMPAIGNS).json()["items"]) == 2


def test_nothing_is_undone_beneath_a_campaign_under_way(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    assert organiser.post(f"{PHASE}/undo").json()["code"] == "nothing_to_undo"
    go_live(organiser, begin(organiser))
    begin(organiser, metric="neurips-2023")
    assert organiser.post(f"{PHASE}/undo").json()["code"] == "campaign_open"


@pytest.mark.parametrize("seed", range(3))
def test_any_number_of_campaigns_undone_leaves_the_board_as_it_was(
    api: Api, phase: Phase, organiser: Caller, seed: int
) -> None:
    source = random.Random(seed)
    for number in range(8):
        put(api, phase, f"t{number}", source.choice([0.1, 0.2, 0.3]), source.choice([0.1, 0.2, 0.3]))
    boards = [standing_scores(api, phase)]
    for _ in range(3):
        campaign = begin(organiser, metric=source.choice(["lethe-1", "neurips-2023"]))
        go_live(organiser, campaign)
        boards.append(standing_scores(api, phase))
    for expected in reversed(boards[:-1]):
        organiser.post(f"{PHASE}/undo")
        assert standing_scores(api, phase) == expected


def test_every_act_is_on_record(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    first = begin(organiser)
    organiser.post(f"{CAMPAIGNS}/{first['id']}/cancel")
    second = begin(organiser)
    go_live(organiser, second)
    organiser.post(f"{PHASE}/undo")
    acts = organiser.get("/api/competitions/cup/audit").json()["items"]
    assert [(act["act"], act["by"], act["details"]["campaign"]) for act in acts] == [
        ("campaign_undone", "organiser", second["id"]),
        ("campaign_published", "organiser", second["id"]),
        ("campaign_started", "organiser", second["id"]),
        ("campaign_cancelled", "organiser", first["id"]),
        ("campaign_started", "organiser", first["id"]),
    ]
    assert acts[1]["details"]["moved"] == 1


def test_organisers_of_other_competitions_may_not(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    campaign = begin(organiser)
    other = api.caller("other", Role.ORGANISER)
    for method, path in (
        ("POST", CAMPAIGNS),
        ("GET", CAMPAIGNS),
        ("GET", f"{CAMPAIGNS}/{campaign['id']}"),
        ("POST", f"{CAMPAIGNS}/{campaign['id']}/publish"),
        ("POST", f"{CAMPAIGNS}/{campaign['id']}/cancel"),
        ("POST", f"{PHASE}/undo"),
        ("GET", "/api/competitions/cup/audit"),
    ):
        body = {"json": {"metric": "lethe-1"}} if path == CAMPAIGNS and method == "POST" else {}
        assert other.request(method, path, **body).status_code == 403


def test_metrics_that_there_are_not_are_refused(phase: Phase, organiser: Caller) -> None:
    assert organiser.post(CAMPAIGNS, json={"metric": "no-such"}).status_code == 422


def test_scores_are_added_and_never_changed(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    with api.database.read() as session:
        stored = {row.id: row.final_score for row in session.scalars(select(Score))}
    go_live(organiser, begin(organiser))
    organiser.post(f"{PHASE}/undo")
    with api.database.read() as session:
        assert {row.id: row.final_score for row in session.scalars(select(Score))} == stored
