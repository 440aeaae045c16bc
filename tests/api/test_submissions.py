"""Seeing, listing and cancelling submissions."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
import redis
from sqlalchemy import select

from services.core.board.pointers import publish as publish_score
from services.core.models import Device, Evaluation, FailureKind, Phase, Role, Shard, State, Submission
from services.core.queue.leases import MeasuredSeed, WorkerOffer, claim, fail_claim, finish, record
from services.core.queue.lifecycle import cancel, fail, lock_evaluation
from services.core.settings import Settings
from tests.api.harness import MODULE, Api, Caller, make_settings, numbered, prepare, running
from tests.api.scores import measure, score

OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)


def test_progress_is_shown(api: Api, phase: Phase, participant: Caller) -> None:
    path = f"/api/submissions/{participant.submit().json()['id']}"
    with api.database.write() as session:
        held = claim(session, OFFER, 60)
        assert held is not None
        record(session, held, [MeasuredSeed(0, "b" * 64, "c" * 64, 0.5), MeasuredSeed(1, "b" * 64, "c" * 64, 0.5)])

    shown = participant.get(path).json()

    assert (shown["state"], shown["seeds_done"], shown["seeds"]) == ("running", 2, 8)
    assert shown["started_at"] and not shown["finished_at"]
    assert shown["failure"] is None and shown["score"] is None


def test_failure_is_shown(api: Api, phase: Phase, participant: Caller) -> None:
    path = f"/api/submissions/{participant.submit().json()['id']}"
    with api.database.write() as session:
        held = claim(session, OFFER, 60)
        assert held is not None
        fail_claim(session, held, FailureKind.TIMEOUT, "Seed 0 ran longer than 10 s. Do less work.")

    shown = participant.get(path).json()

    assert shown["state"] == "failed"
    assert shown["failure"] == {"kind": "timeout", "message": "Seed 0 ran longer than 10 s. Do less work."}


def test_score_is_shown_once_it_is_there(api: Api, phase: Phase, participant: Caller) -> None:
    submission = participant.submit().json()
    path = f"/api/submissions/{submission['id']}"
    with api.database.write() as session:
        measure(session, UUID(submission["evaluation_id"]))
    assert participant.get(path).json()["state"] == "measured"

    with api.database.write() as session:
        score(session, UUID(submission["evaluation_id"]), 0.125)
    shown = participant.get(path).json()

    assert (shown["state"], shown["score"]["final_score"], shown["score"]["seeds"]) == ("scored", 0.125, 8)
    assert "epsilons" not in shown["score"]


def test_scores_by_another_metric_are_not_shown(api: Api, phase: Phase, participant: Caller) -> None:
    submission = participant.submit().json()
    with api.database.write() as session:
        measure(session, UUID(submission["evaluation_id"]))
        score(session, UUID(submission["evaluation_id"]), 0.125, metric="other")

    assert participant.get(f"/api/submissions/{submission['id']}").json()["state"] == "measured"


@pytest.mark.parametrize("route", ["", "/events", "/cancel"])
def test_others_cannot_tell_a_submission_from_none(
    api: Api, phase: Phase, participant: Caller, organiser: Caller, route: str
) -> None:
    submission_id = participant.submit().json()["id"]
    method = "POST" if route == "/cancel" else "GET"
    strangers = [api.caller("eve"), api.caller("other", Role.ORGANISER)]

    for stranger in strangers:
        real = stranger.request(method, f"/api/submissions/{submission_id}{route}")
        made_up_id = str(uuid4())
        made_up = stranger.request(method, f"/api/submissions/{made_up_id}{route}")
        assert real.status_code == made_up.status_code == 404
        assert real.text.replace(submission_id, made_up_id) == made_up.text


def test_organiser_and_operator_see_submissions(api: Api, phase: Phase, participant: Caller, organiser: Caller) -> None:
    path = f"/api/submissions/{participant.submit().json()['id']}"

    for caller in (participant, organiser, api.caller("root", Role.OPERATOR)):
        assert caller.get(path).status_code == 200


def test_own_submissions_are_listed_newest_first(api: Api, phase: Phase, participant: Caller) -> None:
    ids = [participant.submit(numbered(number)).json()["id"] for number in range(5)]
    api.caller("eve").submit()

    first = participant.get("/api/submissions", params={"limit": 3}).json()
    second = participant.get("/api/submissions", params={"limit": 3, "after": first["next"]}).json()

    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    for query, count in (
        ({"competition": "cup"}, 5),
        ({"competition": "cup", "phase": "feedback"}, 5),
        ({"competition": "none"}, 0),
        ({"phase": "none"}, 0),
    ):
        assert len(participant.get("/api/submissions", params=query).json()["items"]) == count
    other = participant.get("/api/submissions", params={"competition": "cup", "after": first["next"]})
    assert other.json()["code"] == "bad_cursor"


def test_what_is_under_way_is_told_from_what_has_ended(api: Api, phase: Phase, participant: Caller) -> None:
    """Measured is not ended: the score is still to come, and so it is while only another metric's is there."""
    shown = [participant.submit(numbered(number)).json() for number in range(5)]
    waiting, failed, measured, scored, cancelled = (UUID(one["evaluation_id"]) for one in shown)
    with api.database.write() as session:
        fail(session, lock_evaluation(session, failed), FailureKind.TIMEOUT, "Too long.")
        cancel(session, lock_evaluation(session, cancelled))
        for one in (measured, scored):
            measure(session, one)
        score(session, measured, 0.5, metric="other")
        score(session, scored, 0.25)

    def listed(ended: bool) -> list[UUID]:
        items = participant.get("/api/submissions", params={"ended": ended}).json()["items"]
        return [UUID(item["evaluation_id"]) for item in items]

    assert listed(ended=False) == [measured, waiting]
    assert listed(ended=True) == [cancelled, scored, failed]


def test_a_submission_says_whether_it_stands_on_the_board(api: Api, phase: Phase, participant: Caller) -> None:
    shown = [participant.submit(numbered(number)).json() for number in range(2)]
    for one, value in zip(shown, (0.25, 0.125), strict=True):
        with api.database.write() as session:
            measure(session, UUID(one["evaluation_id"]))
            row = score(session, UUID(one["evaluation_id"]), value)
            publish_score(session, session.get_one(Submission, UUID(one["id"])), row)

    listed = participant.get("/api/submissions").json()["items"]

    assert {item["id"]: item["on_board"] for item in listed} == {shown[0]["id"]: True, shown[1]["id"]: False}


def test_cancelling_ends_evaluation_and_shards(api: Api, phase: Phase, participant: Caller) -> None:
    path = f"/api/submissions/{participant.submit().json()['id']}"
    with api.database.write() as session:
        held = claim(session, OFFER, 60)

    assert held is not None
    assert participant.post(f"{path}/cancel").json()["state"] == "cancelled"

    with api.database.read() as session:
        assert set(session.scalars(select(Shard.state))) == {State.CANCELLED}
    again = participant.post(f"{path}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "already_ended")


def test_an_ended_evaluation_is_not_cancelled(api: Api, phase: Phase, participant: Caller) -> None:
    submission = participant.submit().json()
    with api.database.write() as session:
        measure(session, UUID(submission["evaluation_id"]))

    answer = participant.post(f"/api/submissions/{submission['id']}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "already_ended")


def test_code_whose_evaluation_was_cancelled_runs_again(api: Api, phase: Phase, participant: Caller) -> None:
    first = participant.submit().json()
    participant.post(f"/api/submissions/{first['id']}/cancel")

    assert participant.submit().json()["evaluation_id"] != first["evaluation_id"]


def test_cancel_and_finish_leave_one_outcome(api: Api, phase: Phase, participant: Caller) -> None:
    submission = participant.submit().json()
    with api.database.write() as session:
        held = claim(session, OFFER, 60)
        assert held is not None
        finish(session, held)
    assert participant.post(f"/api/submissions/{submission['id']}/cancel").status_code == 200
    with api.database.read() as session:
        shards = session.scalars(select(Shard).order_by(Shard.seed_start)).all()
        assert [shard.state for shard in shards] == [State.MEASURED, State.CANCELLED]
        assert session.scalars(select(Evaluation.state)).one() is State.CANCELLED


def test_the_doorbell_rings_across_after_the_commit(settings: Settings, fresh_redis_url: str) -> None:
    with running(settings.model_copy(update={"redis_url": fresh_redis_url})) as api:
        prepare(api).submit()
        with redis.Redis.from_url(fresh_redis_url) as server:
            assert server.llen("run") == 1


def test_a_team_has_its_score_at_once_for_code_that_was_scored_before(
    api: Api, phase: Phase, participant: Caller
) -> None:
    """The scorer was there already, so nobody else would put the second submission up."""
    evaluation_id = UUID(participant.submit().json()["evaluation_id"])
    with api.database.write() as session:
        measure(session, evaluation_id)
        row = score(session, evaluation_id, 0.25)
        publish_score(session, session.scalars(select(Submission)).one(), row)

    shown = participant.submit(b"# The same, explained.\n" + MODULE.replace(b"    ", b"\t")).json()

    assert (shown["state"], shown["score"]["final_score"]) == ("scored", 0.25)
    assert UUID(shown["evaluation_id"]) == evaluation_id


def test_an_installation_whose_redis_is_gone_still_accepts(tmp_path: Path, sqlite_url: str) -> None:
    """The row is the queue: the sweeper finds what no bell announced."""
    with running(make_settings(tmp_path, sqlite_url, redis_url="redis://127.0.0.1:1/0")) as api:
        assert prepare(api).submit().status_code == 201


def test_queue_is_counted(api: Api, phase: Phase, participant: Caller) -> None:
    root = api.caller("root", Role.OPERATOR)
    empty = root.get("/api/admin/queue").json()
    evaluation_id = UUID(participant.submit().json()["evaluation_id"])
    with api.database.write() as session:
        claim(session, OFFER, 60)
        lock_evaluation(session, evaluation_id)

    queue = root.get("/api/admin/queue").json()

    assert empty["oldest_queued_s"] is None and set(empty["shards"].values()) == {0}
    assert queue["shards"] == {"queued": 1, "running": 1}
    assert queue["oldest_queued_s"] > 0
