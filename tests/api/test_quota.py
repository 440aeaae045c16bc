"""Windows and quotas, also under fire."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from services.api.submissions import quota as quota_rules
from services.api.submissions.quota import next_slot_at
from services.core.board.pointers import publish
from services.core.board.standings import lock_board
from services.core.models import Device, Evaluation, FailureKind, Phase, Role, Submission
from services.core.queue.leases import Lease, WorkerOffer, claim, release
from services.core.queue.lifecycle import fail, lock_evaluation
from services.core.store.database import utc_now
from tests.api.harness import BOARD, SUBMIT, Api, Caller, numbered
from tests.api.scores import measure, score

QUOTA = "/api/competitions/cup/phases/feedback/quota"
OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def hours_ago(*hours: float) -> list[datetime]:
    return [NOW - timedelta(hours=one) for one in hours]


@pytest.mark.parametrize(
    ("submitted", "quota", "free_in_hours"),
    [
        ([], 1, 0),
        ([1], 1, 23),
        ([25], 1, 0),
        ([1, 2, 3], 3, 21),
        ([1, 2, 3], 2, 22),
        ([1, 2], 3, 0),
    ],
)
def test_next_slot_is_when_the_count_falls_below_the_quota(
    submitted: list[float], quota: int, free_in_hours: float
) -> None:
    assert next_slot_at(hours_ago(*submitted), quota, NOW) == NOW + timedelta(hours=free_in_hours)


def test_a_quota_of_zero_has_no_next_slot() -> None:
    assert next_slot_at([], 0, NOW) is None


def set_phase(api: Api, **values: object) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).values(**values))


def left(team: Caller) -> dict[str, object]:
    """Ask for the quota alone, without the place in the queue."""
    return {name: value for name, value in team.get(QUOTA).json().items() if name != "place"}


def _submit(team: Caller) -> int:
    return team.submit().status_code


def test_parallel_uploads_never_pass_the_quota(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=3)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: participant.submit(numbered(number)), range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 5
    with api.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Submission)).one() == 3


def test_parallel_uploads_of_identical_code_share_one_evaluation(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=8)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: participant.submit(), range(8)))

    assert [answer.status_code for answer in answers] == [201] * 8
    with api.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Evaluation)).one() == 1


def test_submitting_and_scoring_at_once_leaves_every_team_on_the_board(api: Api, phase: Phase) -> None:
    """Both lock phase and evaluation in this order: in another, or too strongly, they wait for each other."""
    teams = [api.caller(f"team-{number}") for number in range(6)]
    evaluations = [UUID(team.submit().json()["evaluation_id"]) for team in teams]
    with api.database.write() as session:
        for evaluation_id in evaluations:
            measure(session, evaluation_id)

    def score_one(evaluation_id: UUID) -> int:
        with api.database.write() as session:
            lock_board(session, session.get_one(Phase, phase.id))  # first, as `scorer.publishing` does
            row = score(session, evaluation_id, 0.25)
            for submission in session.scalars(select(Submission).where(Submission.evaluation_id == evaluation_id)):
                publish(session, submission, row)
        return 201

    scoring = [partial(score_one, evaluation_id) for evaluation_id in evaluations]
    uploads = [partial(_submit, team) for team in teams]
    works = [work for pair in zip(uploads, scoring, uploads, strict=True) for work in pair]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda work: work(), works))

    assert answers == [201] * 18
    board = api.anonymous.get(BOARD).json()["items"]
    assert sorted(item["entry"] for item in board) == sorted(f"team-{number}" for number in range(6))


def test_a_used_quota_names_the_next_slot(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=1)
    first = participant.submit(numbered(1)).json()

    answer = participant.submit(numbered(2))

    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
    expected = datetime.fromisoformat(first["submitted_at"]) + timedelta(hours=24)
    assert datetime.fromisoformat(answer.json()["next_slot_at"]) == expected
    assert 0 < int(answer.headers["retry-after"]) <= 86_400


def test_a_quota_of_zero_takes_nothing(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=0)

    answer = participant.submit()

    assert (answer.status_code, answer.json()["next_slot_at"]) == (429, None)


@pytest.mark.parametrize(
    ("kind", "status"), [(FailureKind.PLATFORM, 201), (FailureKind.EXCEPTION, 429), (FailureKind.REJECTED, 429)]
)
def test_only_failures_of_ours_give_the_quota_back(
    api: Api, phase: Phase, participant: Caller, kind: FailureKind, status: int
) -> None:
    set_phase(api, quota_per_day=1)
    first = participant.submit(numbered(1)).json()
    with api.database.write() as session:
        fail(session, lock_evaluation(session, UUID(first["evaluation_id"])), kind, "It broke.")

    assert participant.submit(numbered(2)).status_code == status


def test_yesterdays_submissions_count_no_more(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=1)
    participant.submit(numbered(1))
    with api.database.write() as session:
        session.execute(update(Submission).values(created_at=utc_now() - timedelta(hours=24, seconds=1)))

    assert participant.submit(numbered(2)).status_code == 201


def test_teams_have_quotas_of_their_own(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=1)

    assert participant.submit(numbered(1)).status_code == 201
    assert api.caller("eve").submit(numbered(2)).status_code == 201


def test_phases_have_quotas_of_their_own(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=1)
    with api.database.write() as session:
        columns = {column.key: getattr(phase, column.key) for column in Phase.__mapper__.columns}
        session.add(Phase(**columns | {"id": uuid4(), "slug": "second", "quota_per_day": 1}))

    first = participant.submit(numbered(1))
    second = participant.post(SUBMIT.replace("feedback", "second"), content=numbered(2), params={"filename": "a.py"})
    third = participant.post(SUBMIT.replace("feedback", "second"), content=numbered(3), params={"filename": "a.py"})

    assert [one.status_code for one in (first, second, third)] == [201, 201, 429]


@pytest.mark.parametrize(("opens", "closes"), [(1, 2), (-2, -1)])
def test_a_phase_takes_submissions_only_while_open(
    api: Api, phase: Phase, participant: Caller, organiser: Caller, opens: int, closes: int
) -> None:
    now = utc_now()
    set_phase(api, opens_at=now + timedelta(days=opens), closes_at=now + timedelta(days=closes))

    answer = participant.submit()

    assert (answer.status_code, answer.json()["code"]) == (409, "phase_not_open")
    assert datetime.fromisoformat(answer.json()["opens_at"]) == now + timedelta(days=opens)
    assert organiser.submit(reference="identity").status_code == 201


def test_a_window_within_a_minute_is_told_to_the_second(api: Api, phase: Phase, participant: Caller) -> None:
    opened = datetime(2026, 1, 1, 22, 55, 10, tzinfo=UTC)
    told = []
    for length in (timedelta(seconds=20), timedelta(minutes=20)):
        set_phase(api, opens_at=opened, closes_at=opened + length)
        told.append(participant.submit().json()["detail"])

    assert told == [
        "Phase 'feedback' accepts submissions from 2026-01-01 22:55:10 UTC to 2026-01-01 22:55:30 UTC.",
        "Phase 'feedback' accepts submissions from 2026-01-01 22:55 UTC to 2026-01-01 23:15 UTC.",
    ]


def test_reference_rows_spend_no_quota(api: Api, phase: Phase, organiser: Caller) -> None:
    set_phase(api, quota_per_day=1)

    assert organiser.submit(numbered(1), reference="identity").status_code == 201
    assert organiser.submit(numbered(2), reference="retrain").status_code == 201
    assert organiser.submit(numbered(3)).status_code == 201
    assert organiser.submit(numbered(4)).status_code == 429


def test_what_is_left_is_counted_as_submitting_counts_it(
    api: Api, phase: Phase, participant: Caller, organiser: Caller
) -> None:
    """Whatever happens, the page says what the next upload will meet."""
    set_phase(api, quota_per_day=2)
    api.caller("eve").submit()
    assert left(participant) == {
        "team": "ada",
        "quota_per_day": 2,
        "left": 2,
        "left_in_all": None,
        "next_slot_at": None,
    }

    first = participant.submit(numbered(1)).json()
    assert participant.get(QUOTA).json()["left"] == 1
    participant.submit(numbered(2))

    used = participant.get(QUOTA).json()
    refused = participant.submit(numbered(3)).json()
    expected = datetime.fromisoformat(first["submitted_at"]) + timedelta(hours=24)
    assert (used["left"], refused["code"]) == (0, "quota_exceeded")
    assert [datetime.fromisoformat(answer["next_slot_at"]) for answer in (used, refused)] == [expected] * 2

    with api.database.write() as session:
        fail(session, lock_evaluation(session, UUID(first["evaluation_id"])), FailureKind.PLATFORM, "It broke.")
    assert participant.get(QUOTA).json()["left"] == 1
    organiser.submit(numbered(4), reference="identity")
    assert organiser.get(QUOTA).json()["left"] == 2


def test_a_quota_that_was_lowered_leaves_nothing_until_enough_has_passed(
    api: Api, phase: Phase, participant: Caller
) -> None:
    participant.submit(numbered(1))
    second = participant.submit(numbered(2)).json()
    set_phase(api, quota_per_day=1)

    found = participant.get(QUOTA).json()

    expected = datetime.fromisoformat(second["submitted_at"]) + timedelta(hours=24)
    assert (found["left"], datetime.fromisoformat(found["next_slot_at"])) == (0, expected)
    set_phase(api, quota_per_day=0)
    assert left(participant) | {"team": ""} == {
        "team": "",
        "quota_per_day": 0,
        "left": 0,
        "left_in_all": None,
        "next_slot_at": None,
    }


def test_a_quota_is_shown_to_its_own_team_alone(api: Api, phase: Phase, participant: Caller) -> None:
    root = api.caller("root", Role.OPERATOR)
    root.post("/api/teams", json={"name": "second"})

    assert participant.get(QUOTA, params={"team": "root"}).json()["code"] == "not_in_team"
    assert root.get(QUOTA).json()["code"] == "team_needed"
    assert root.get(QUOTA, params={"team": "second"}).json()["team"] == "second"
    assert participant.get(QUOTA.replace("feedback", "none")).status_code == 404


def cancel_it(team: Caller, submission: dict[str, str]) -> int:
    return team.post(f"/api/submissions/{submission['id']}/cancel").status_code


def claim_next(api: Api) -> Lease | None:
    with api.database.write() as session:
        return claim(session, OFFER, lease_s=60)


def test_cancelling_before_the_first_run_gives_the_slot_back(api: Api, phase: Phase, participant: Caller) -> None:
    set_phase(api, quota_per_day=1)
    for number in range(3):
        submission = participant.submit(numbered(number)).json()
        assert participant.get(QUOTA).json()["left"] == 0
        assert cancel_it(participant, submission) == 200
        assert participant.get(QUOTA).json()["left"] == 1
    assert claim_next(api) is None


@pytest.mark.parametrize("puts_back", [False, True])
def test_cancelling_after_a_run_started_gives_nothing_back(
    api: Api, phase: Phase, participant: Caller, puts_back: bool
) -> None:
    """Not even if its worker has given up every shard since."""
    set_phase(api, quota_per_day=1)
    submission = participant.submit(numbered(1)).json()
    lease = claim_next(api)
    assert lease is not None
    if puts_back:
        with api.database.write() as session:
            release(session, lease)

    assert cancel_it(participant, submission) == 200

    assert participant.get(QUOTA).json()["left"] == 0
    assert participant.submit(numbered(2)).json()["code"] == "quota_exceeded"


def test_identical_code_that_is_cancelled_counts_once_it_runs(api: Api, phase: Phase, participant: Caller) -> None:
    """A team's own repeats share one evaluation, so one cancellation gives both slots back, and a third try is new."""
    set_phase(api, quota_per_day=2)
    first, second = participant.submit().json(), participant.submit().json()
    assert first["evaluation_id"] == second["evaluation_id"]

    assert cancel_it(participant, first) == 200
    assert participant.get(QUOTA).json()["left"] == 2
    third = participant.submit().json()

    assert third["evaluation_id"] != first["evaluation_id"]
    assert participant.get(QUOTA).json()["left"] == 1
    assert cancel_it(participant, second) == 409  # it has ended, and the third goes on
    assert claim_next(api) is not None


def test_slots_come_back_only_so_often(
    api: Api, phase: Phase, participant: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every upload is stored, so uploads are bounded even if none of them ever runs."""
    monkeypatch.setattr(quota_rules, "MAX_GIVEN_BACK", 2)
    set_phase(api, quota_per_day=1)

    answers = []
    for number in range(4):
        answers.append(participant.submit(numbered(number)))
        if answers[-1].is_success:
            cancel_it(participant, answers[-1].json())

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]


def test_submitting_cancelling_and_claiming_at_once_starts_no_more_than_the_quota(
    api: Api, phase: Phase, participant: Caller
) -> None:
    set_phase(api, quota_per_day=2)

    def submit_and_cancel(number: int) -> None:
        answer = participant.submit(numbered(number))
        if answer.is_success:
            cancel_it(participant, answer.json())

    works: list[Callable[[], object]] = [
        work for number in range(16) for work in (partial(submit_and_cancel, number), partial(claim_next, api))
    ]
    with ThreadPoolExecutor(8) as pool:
        for done in pool.map(lambda work: work(), works):
            assert not isinstance(done, Exception)

    with api.database.read() as session:
        started = select(func.count()).select_from(Evaluation).where(Evaluation.started_at.is_not(None))
        assert session.scalars(started).one() <= 2


def test_a_place_in_the_queue_is_told_before_and_after_an_upload(api: Api, phase: Phase, participant: Caller) -> None:
    other = api.caller("other")
    other.submit(numbered(1))

    before = participant.get(QUOTA).json()["place"]
    submitted = participant.submit(numbered(2)).json()
    place = participant.get(f"/api/submissions/{submitted['id']}").json()["place"]

    assert (before["ahead"], before["more"], before["starts"], before["ends"]) == (1, False, None, None)
    assert place == before
    assert participant.get("/api/submissions").json()["items"][0]["place"] is None


def test_a_quota_in_all_ends_a_team_and_gives_back_what_never_started(
    api: Api, phase: Phase, participant: Caller
) -> None:
    set_phase(api, quota_per_day=5, quota_total=2)
    participant.submit(numbered(1))
    second = participant.submit(numbered(2)).json()
    found = participant.get(QUOTA).json()
    assert (found["left"], found["left_in_all"], found["next_slot_at"]) == (0, 0, None)
    refused = participant.submit(numbered(3)).json()
    assert (refused["code"], refused["next_slot_at"]) == ("quota_exceeded", None)
    assert api.caller("eve").submit(numbered(1)).status_code == 201

    participant.post(f"/api/submissions/{second['id']}/cancel")

    assert left(participant)["left_in_all"] == 1
    assert participant.submit(numbered(3)).status_code == 201
