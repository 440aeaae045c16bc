"""Rescoring a phase: prepared, looked at, published at once, undone; and what is on record of it."""

import random
import threading
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import event, select

from services.core.board import campaigns, standing
from services.core.models import (
    Campaign,
    Evaluation,
    FailureKind,
    LeaderboardEntry,
    Phase,
    Reference,
    ReRun,
    Role,
    Score,
    Shard,
    Submission,
    Team,
)
from services.core.queue.lifecycle import fail, lock_evaluation
from tests.api.harness import BOARD, MODULE, Api, Caller
from tests.api.scores import measure, publish, score

PHASE = "/api/competitions/cup/phases/feedback"
CAMPAIGNS = f"{PHASE}/campaigns"


def put(api: Api, phase: Phase, team: str, old: float, new: float | None, **options: Any) -> LeaderboardEntry:
    """Put a new team on the board, with a score by the phase's metric and perhaps one by lethe-1."""
    with api.database.write() as session:
        row = Team(name=team)
        session.add(row)
        session.flush()
        entry = publish(session, session.get_one(Phase, phase.id), row, old, **options)
        if new is not None:
            score(session, session.get_one(Submission, entry.submission_id).evaluation_id, new, metric="lethe-1")
        return entry


def add_score(api: Api, entry: LeaderboardEntry, value: float) -> None:
    with api.database.write() as session:
        score(session, session.get_one(Submission, entry.submission_id).evaluation_id, value, metric="lethe-1")
        for campaign in campaigns.open_campaigns(session):
            campaigns.settle(session, campaign)


def set_aside(api: Api, entry: LeaderboardEntry, reason: str) -> None:
    """Give up on an entry's score by the open campaign's metric, as a scorer does."""
    with api.database.write() as session:
        (campaign,) = campaigns.open_campaigns(session)
        evaluation_id = session.get_one(Submission, entry.submission_id).evaluation_id
        campaigns.set_aside(session, campaign.id, evaluation_id, reason)
        campaigns.settle(session, campaign)


def names(api: Api) -> list[str]:
    return [item["entry"] for item in api.anonymous.get(BOARD).json()["items"]]


def standing_scores(api: Api, phase: Phase) -> dict[Any, Any]:
    with api.database.read() as session:
        return {key: entry.score_id for key, entry in standing.current(session, phase).items()}


def begin(organiser: Caller, **body: Any) -> dict[str, Any]:
    answer = organiser.post(CAMPAIGNS, json={"metric": "lethe-1", **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def go_live(organiser: Caller, campaign: dict[str, Any]) -> httpx2.Response:
    return organiser.post(f"{CAMPAIGNS}/{campaign['id']}/publish")


def test_a_board_is_looked_at_published_and_put_back(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    put(api, phase, "b", 0.2, 0.5)
    put(api, phase, "c", 0.1, 0.3)
    before = api.anonymous.get(BOARD).json()

    campaign = begin(organiser)
    assert (campaign["state"], campaign["done"], campaign["total"]) == ("ready", 3, 3)
    moves = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()["moves"]
    assert [(m["team"], m["before"]["rank"], m["after"]["rank"], m["ranks_up"]) for m in moves] == [
        ("b", 2, 1, 1),
        ("c", 3, 2, 1),
        ("a", 1, 3, -2),
    ]
    assert all(move["separated"] for move in moves)
    assert (moves[0]["before"]["final_score"], moves[0]["after"]["final_score"]) == (0.2, 0.5)
    assert api.anonymous.get(BOARD).json() == before

    published = go_live(organiser, campaign).json()
    assert published["state"] == "published"
    after = api.anonymous.get(BOARD).json()
    assert ([item["entry"] for item in after["items"]], after["metric"]) == (["b", "c", "a"], "lethe-1")
    assert api.anonymous.get(BOARD, params={"as_of": before["as_of"]}).json() == before
    assert before["metric"] == "neurips-2023"
    assert [list(item["other_scores"]) for item in before["items"]] == [["lethe-1"]] * 3
    assert organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()["moves"] == moves

    assert organiser.post(f"{PHASE}/undo").json()["state"] == "undone"
    back = api.anonymous.get(BOARD).json()
    assert back | {"as_of": None} == before | {"as_of": None}


def test_moves_within_noise_are_said_to_be_so(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.30, 0.30, margin=0.2)
    put(api, phase, "b", 0.29, 0.31, margin=0.2)
    moves = organiser.get(f"{CAMPAIGNS}/{begin(organiser)['id']}").json()["moves"]
    assert [(move["team"], move["ranks_up"]) for move in moves] == [("b", 1), ("a", -1)]
    assert moves[0]["before"]["rank_best"] == 1
    assert not moves[0]["separated"]


def test_what_is_not_scored_yet_is_waited_for(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    late = put(api, phase, "b", 0.2, None)
    campaign = begin(organiser)
    assert (campaign["state"], campaign["done"], campaign["total"]) == ("preparing", 1, 2)
    with api.database.read() as session:
        missing = campaigns.unscored(session, session.get_one(Campaign, campaigns.open_campaigns(session)[0].id))
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
    assert go_live(organiser, campaign).status_code == 409
    add_score(api, late, 0.4)
    assert go_live(organiser, campaign).status_code == 200


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
    assert [(move["team"], move["after"] is None) for move in shown["moves"]] == [("a", False), ("b", True)]
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
        asked.clear()
        assert organiser.get(f"{CAMPAIGNS}/{campaign['id']}").status_code == 200
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
            standing.publish(session, own, score(session, own.evaluation_id, 0.0))

    def shown() -> list[str]:
        return [item["submission_id"] for item in api.anonymous.get(BOARD).json()["items"]]

    expected = [str(submissions[0] if reference is Reference.NONE else submissions[1])]
    assert shown() == expected
    campaign = begin(organiser)
    (move,) = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()["moves"]
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


def run_again(api: Api, phase: Phase, values: dict[str, float | None]) -> None:
    """End the new runs of the open campaign: by team, the new score, or None for a failure."""
    with api.database.write() as session:
        for run in session.scalars(select(ReRun)):
            submission = session.scalars(select(Submission).where(Submission.evaluation_id == run.replaced_id)).one()
            value = values[session.get_one(Team, submission.team_id).name]
            if value is None:
                fail(session, lock_evaluation(session, run.evaluation_id), FailureKind.EXCEPTION, "boom")
            else:
                measure(session, run.evaluation_id)
                score(session, run.evaluation_id, value)
        for campaign in campaigns.open_campaigns(session):
            campaigns.settle(session, campaign)


def test_a_new_run_counts_be_it_better_or_worse(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, None)
    put(api, phase, "b", 0.2, None)
    put(api, phase, "lost", 0.1, None)
    put(api, phase, "retrain", 0.9, None, reference=Reference.RETRAIN)
    stood = standing_scores(api, phase)

    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    with api.database.read() as session:
        evaluations = session.scalars(select(Evaluation)).all()
        assert len(evaluations) == 8
        assert len({one.seed_key for one in evaluations}) == 8
        assert len(set(session.scalars(select(Shard.evaluation_id)))) == 8
    assert (campaign["state"], campaign["total"]) == ("preparing", 8)
    run_again(api, phase, {"a": 0.15, "b": 0.25, "lost": None, "retrain": 0.8})

    shown = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()
    assert shown["state"] == "ready"
    assert [(m["team"], m["after"]["final_score"], m["re_run_failed"]) for m in shown["moves"]] == [
        ("retrain", 0.8, False),
        ("b", 0.25, False),
        ("a", 0.15, False),
        ("lost", 0.1, True),
    ]
    assert standing_scores(api, phase) == stood
    go_live(organiser, campaign)
    assert names(api) == ["retrain", "b", "a", "lost"]
    organiser.post(f"{PHASE}/undo")
    assert standing_scores(api, phase) == stood


def test_identical_code_that_is_submitted_again_gets_the_new_run(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    """Or a team could take the better of two after all."""
    submission = participant.submit().json()
    with api.database.write() as session:
        own = session.get_one(Submission, UUID(submission["id"]))
        measure(session, own.evaluation_id)
        standing.publish(session, own, score(session, own.evaluation_id, 0.5))
    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    run_again(api, phase, {"ada": 0.2})
    go_live(organiser, campaign)
    participant.submit()
    assert [item["final_score"] for item in api.anonymous.get(BOARD).json()["items"]] == [0.2]


def submit_scored(api: Api, caller: Caller, code: bytes, value: float, **others: float) -> UUID:
    """Submit, score by the phase's metric and others, and move the pointer, as worker and scorer would."""
    made = caller.submit(code)
    assert made.status_code == 201, made.text
    return score_submitted(api, UUID(made.json()["id"]), value, **others)


def score_submitted(api: Api, submission_id: UUID, value: float, **others: float) -> UUID:
    with api.database.write() as session:
        own = session.get_one(Submission, submission_id)
        measure(session, own.evaluation_id)
        rows = [score(session, own.evaluation_id, number, metric=name) for name, number in others.items()]
        assert len(rows) == len(others)
        standing.publish(session, own, score(session, own.evaluation_id, value))
        return own.id


def code(number: int) -> bytes:
    return MODULE + f"# {number}\n".encode()


def end_runs(api: Api, campaign: dict[str, Any], value: float | None) -> None:
    """End the runs of one campaign, all with the same score or all as failures."""
    with api.database.write() as session:
        for run in session.scalars(select(ReRun).where(ReRun.campaign_id == UUID(campaign["id"]))):
            if value is None:
                fail(session, lock_evaluation(session, run.evaluation_id), FailureKind.EXCEPTION, "boom")
            else:
                measure(session, run.evaluation_id)
                score(session, run.evaluation_id, value)
        for open_one in campaigns.open_campaigns(session):
            campaigns.settle(session, open_one)


def shown_scores(api: Api) -> list[float]:
    return [item["final_score"] for item in api.anonymous.get(BOARD).json()["items"]]


def prepare_re_run(api: Api, organiser: Caller, value: float | None) -> dict[str, Any]:
    """Begin a campaign of new runs and end them, so that it can be published."""
    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    end_runs(api, campaign, value)
    return campaign


def run_all_again(api: Api, organiser: Caller, value: float | None) -> dict[str, Any]:
    campaign = prepare_re_run(api, organiser, value)
    assert go_live(organiser, campaign).status_code == 200
    return campaign


def test_an_old_draw_does_not_take_the_place_of_a_worse_new_run(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    """Or the better of two draws would count after all: that of the entry that was not run again."""
    submit_scored(api, participant, code(1), 0.30)
    best = submit_scored(api, participant, code(2), 0.32)

    campaign = prepare_re_run(api, organiser, 0.1)
    [move] = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()["moves"]
    assert (move["after"]["submission_id"], move["after"]["final_score"]) == (str(best), 0.1)
    go_live(organiser, campaign)
    assert shown_scores(api) == [0.1]

    participant.submit(code(1))  # identical code shares the evaluation of before, and its old draw
    assert shown_scores(api) == [0.1]
    organiser.post(f"{PHASE}/undo")
    assert shown_scores(api) == [0.32]


def test_what_is_scored_after_a_re_run_began_competes(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    """Be it submitted before: it had no score that anybody could have picked it by."""
    submit_scored(api, participant, code(1), 0.3)
    waiting = participant.submit(code(2)).json()
    campaign = prepare_re_run(api, organiser, 0.1)
    with api.database.write() as session:
        own = session.get_one(Submission, UUID(waiting["id"]))
        measure(session, own.evaluation_id)
        standing.publish(session, own, score(session, own.evaluation_id, 0.2))
    assert go_live(organiser, campaign).status_code == 200
    assert shown_scores(api) == [0.2]
    submit_scored(api, participant, code(3), 0.25)
    assert shown_scores(api) == [0.25]


def test_the_last_re_run_draws_the_line(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    submit_scored(api, participant, code(1), 0.3)
    run_all_again(api, organiser, 0.2)
    submit_scored(api, participant, code(2), 0.4)
    run_all_again(api, organiser, 0.05)
    assert shown_scores(api) == [0.05]
    organiser.post(f"{PHASE}/undo")
    assert shown_scores(api) == [0.4]
    organiser.post(f"{PHASE}/undo")
    assert shown_scores(api) == [0.4]


def test_where_a_second_new_run_fails_the_first_one_counts(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    """Not the old draw, which the first new run replaced."""
    submit_scored(api, participant, code(1), 0.3)
    run_all_again(api, organiser, 0.2)
    run_all_again(api, organiser, None)
    assert shown_scores(api) == [0.2]


def test_where_a_second_new_run_cannot_be_scored_the_first_one_counts(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    """Not the old draw either; and the preview says so."""
    submit_scored(api, participant, code(1), 0.3)
    run_all_again(api, organiser, 0.2)
    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    with api.database.write() as session:
        run = session.scalars(select(ReRun).where(ReRun.campaign_id == UUID(campaign["id"]))).one()
        measure(session, run.evaluation_id)
        campaigns.set_aside(session, run.campaign_id, run.evaluation_id, "Blob 0 is damaged.")

    assert go_live(organiser, campaign).status_code == 200
    shown = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()
    assert [(move["after"]["final_score"], move["re_run_failed"]) for move in shown["moves"]] == [(0.2, True)]
    assert [(one["team"], one["reason"]) for one in shown["unscorable"]] == [("ada", "Blob 0 is damaged.")]
    assert shown_scores(api) == [0.2]


def test_a_re_run_by_another_metric_runs_what_stands_by_that_too(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    by_old = submit_scored(api, participant, code(1), 0.3, **{"lethe-1": 0.1})
    by_new = submit_scored(api, participant, code(2), 0.2, **{"lethe-1": 0.5})
    submit_scored(api, participant, code(3), 0.1, **{"lethe-1": 0.05})
    begin(organiser, re_run=True)
    with api.database.read() as session:
        replaced = set(session.scalars(select(ReRun.replaced_id)))
        assert replaced == {session.get_one(Submission, one).evaluation_id for one in (by_old, by_new)}


@pytest.mark.parametrize("seed", range(4))
def test_moving_one_pointer_at_a_time_gives_the_board_that_is_computed(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, seed: int
) -> None:
    """The scorer's step and the function of what is stored agree, whatever was run again, published or undone."""
    source = random.Random(seed)
    with api.database.write() as session:
        session.get_one(Phase, phase.id).quota_per_day = 1000
    callers = [participant, api.caller("bob")]
    waiting: list[UUID] = []
    for number in range(14):
        act = source.choice(["submit", "submit", "score", "again", "undo"])
        if act == "submit":
            waiting.append(UUID(source.choice(callers).submit(code(number)).json()["id"]))
        elif act == "score" or (act == "again" and waiting):  # a campaign waits for all of them
            source.shuffle(waiting)
            for submission_id in waiting:
                score_submitted(api, submission_id, source.choice([0.0, 0.2]))
            waiting.clear()
        elif act == "again":
            run_all_again(api, organiser, source.choice([0.05, 0.25, None]))
        else:
            organiser.post(f"{PHASE}/undo")
        with api.database.read() as session:
            here = session.get_one(Phase, phase.id)
            wanted = standing.best_entries(session, here, here.metric, standing.runs_of(session, here))
            assert standing_scores(api, here) == {key: one.score.id for key, one in wanted.items()}


def test_giving_up_while_leases_are_swept_deadlocks_nobody(api: Api, phase: Phase, organiser: Caller) -> None:
    """The sweep locks evaluations in the order of their ids; here they were queued in the opposite one."""
    for team in ("a", "b"):
        put(api, phase, team, 0.3, None)
    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    with api.database.write() as session:
        rows = session.scalars(select(ReRun)).all()
        first, second = sorted(row.evaluation_id for row in rows)
        replaced = sorted(row.replaced_id for row in rows)
        for row in rows:
            session.delete(row)
        session.flush()
        for old, new in zip(replaced, (second, first), strict=True):
            session.add(ReRun(campaign_id=UUID(campaign["id"]), replaced_id=old, evaluation_id=new))
            session.flush()
    answers: list[int] = []

    def give_up() -> None:
        answers.append(organiser.post(f"{CAMPAIGNS}/{campaign['id']}/cancel").status_code)

    other = threading.Thread(target=give_up)
    with api.database.write() as session:
        lock_evaluation(session, first)
        other.start()
        other.join(timeout=1.0)
        lock_evaluation(session, second)
    other.join(timeout=30)
    assert answers == [200]


def test_giving_up_ends_the_new_runs(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, None)
    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    organiser.post(f"{CAMPAIGNS}/{campaign['id']}/cancel")
    with api.database.read() as session:
        run = session.scalars(select(ReRun)).one()
        assert session.get_one(Evaluation, run.evaluation_id).state == "cancelled"


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
