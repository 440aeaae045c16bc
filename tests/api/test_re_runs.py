"""Rescoring from new runs: which draw counts, that no better of two is kept, and what ends with a campaign."""

import random
import threading
from uuid import UUID

import pytest
from sqlalchemy import select

from services.core.board import campaigns, counting, pointers
from services.core.models import (
    Evaluation,
    Phase,
    Reference,
    ReRun,
    Shard,
    Submission,
)
from services.core.queue.lifecycle import lock_evaluation
from tests.api.harness import BOARD, Api, Caller
from tests.api.rescoring import (
    CAMPAIGNS,
    PHASE,
    begin,
    code,
    go_live,
    moves_of,
    names,
    prepare_re_run,
    put,
    run_again,
    run_all_again,
    score_submitted,
    shown_scores,
    standing_scores,
    submit_scored,
)
from tests.api.scores import measure, score


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
    assert [(m["team"], m["after"]["final_score"], m["re_run_failed"]) for m in moves_of(organiser, campaign)] == [
        ("lost", 0.1, True),
        ("retrain", 0.8, False),
        ("b", 0.25, False),
        ("a", 0.15, False),
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
        pointers.publish(session, own, score(session, own.evaluation_id, 0.5))
    campaign = begin(organiser, metric="neurips-2023", re_run=True)
    run_again(api, phase, {"ada": 0.2})
    go_live(organiser, campaign)
    participant.submit()
    assert [item["final_score"] for item in api.anonymous.get(BOARD).json()["items"]] == [0.2]


def test_an_old_draw_does_not_take_the_place_of_a_worse_new_run(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    """Or the better of two draws would count after all: that of the entry that was not run again."""
    submit_scored(api, participant, code(1), 0.30)
    best = submit_scored(api, participant, code(2), 0.32)

    campaign = prepare_re_run(api, organiser, 0.1)
    [move] = moves_of(organiser, campaign)
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
        pointers.publish(session, own, score(session, own.evaluation_id, 0.2))
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
    organiser.keep_boards()

    assert go_live(organiser, campaign).status_code == 200
    shown = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()
    assert [(move["after"]["final_score"], move["re_run_failed"]) for move in moves_of(organiser, campaign)] == [
        (0.2, True)
    ]
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
            wanted = counting.best_entries(session, here, here.metric, counting.runs_of(session, here))
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
