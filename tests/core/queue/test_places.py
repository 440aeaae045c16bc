"""Places in the queue: what is told agrees with the order in which shards are then claimed."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from services.core.models import Evaluation, MeasurementRow, Phase, PhaseKind, WorkerRow
from services.core.queue import leases, places, workers
from services.core.queue.places import QueuePlace
from services.core.store.database import Database, utc_now
from tests.core.queue.contest import Contest

FEEDBACK, CHECK = PhaseKind.FEEDBACK, PhaseKind.CHECK


@pytest.fixture
def contest(database: Database) -> Contest:
    contest = Contest(database, [1])
    contest.open(4)
    return contest


def place(contest: Contest, evaluation_id: object) -> QueuePlace | None:
    with contest.database.read() as session:
        return places.place_of(session, session.get_one(Evaluation, evaluation_id))


@given(
    served=st.lists(st.integers(0, 3), max_size=3),
    entries=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([FEEDBACK, CHECK]), st.integers(1, 3)), min_size=1),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_many_shards_run_before_as_was_told(
    database: Database, served: list[int], entries: list[tuple[int, PhaseKind, int]]
) -> None:
    contest = Contest(database, [1])
    contest.open(4)
    for team in served:
        contest.submit(team)
        contest.claim()
    ids = [contest.submit(team, kind=kind, shards=shards) for team, kind, shards in entries]
    told = {one: place(contest, one) for one in ids}
    claimed = 0
    while lease := contest.claim():
        waits = told.pop(lease.evaluation_id, None)
        assert waits is None or (waits.ahead, waits.more) == (claimed, False)
        claimed += 1
    assert not told


def test_what_ran_waits_no_more(contest: Contest) -> None:
    only = contest.submit(0)
    assert contest.claim() is not None
    assert place(contest, only) is None


def test_no_more_than_a_thousand_shards_are_told(contest: Contest) -> None:
    contest.submit(0, shards=places.MOST + 5)
    waits = place(contest, contest.submit(0))
    assert waits is not None
    assert (waits.ahead, waits.more) == (places.MOST, True)


def test_times_follow_from_what_ran_lately_and_widen_with_its_spread(contest: Contest, database: Database) -> None:
    told = []
    for run_s in (10.0, 11.0, 9.0):
        waiting = contest.submit(0)
        told.append(place(contest, waiting))
        _run(contest, run_s)
    assert all(one is not None and one.ends is None for one in told), "nothing ran yet, or too little"
    with database.write() as session:
        workers.report(session, _worker())
    for _ in range(6):
        contest.submit(1)
    last = contest.submit(1)
    waits = place(contest, last)
    assert waits is not None and waits.starts is not None and waits.ends is not None
    seconds = (waits.starts.expected - utc_now()) / timedelta(seconds=1)
    assert 25 < seconds < 30.1, "6 shards of 10 s in 2 slots"
    assert waits.starts.low < waits.starts.expected < waits.starts.high
    assert waits.starts.expected < waits.ends.expected
    with database.read() as session:
        phase = session.get_one(Phase, contest.phases[0, FEEDBACK])
        following = places.place_of_next(session, phase, contest.teams[1])
    assert following.ahead == 7
    assert following.starts is not None and following.starts.expected > waits.starts.expected


@given(
    having=st.lists(st.sets(st.sampled_from(["current", "old", "new"])), min_size=1, max_size=3),
    queued=st.lists(st.sampled_from(["current", "old", "new"]), min_size=1, max_size=6),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_what_the_same_workers_can_serve_is_ahead(
    database: Database, having: list[set[str]], queued: list[str]
) -> None:
    """Each environment is that of a competition, and each entry of another team."""
    names = ["current", "old", "new"]
    contest = Contest(database, [1, 1, 1])
    contest.open(len(queued))
    with database.write() as session:
        session.execute(delete(WorkerRow))
        for number, environment in enumerate(names):
            session.get_one(Phase, contest.phases[number, FEEDBACK]).environment = environment
        for number, environments in enumerate(having):
            workers.report(session, _worker(f"w{number}", sandbox="docker", environments=sorted(environments)))
    ids = [contest.submit(team, names.index(name)) for team, name in enumerate(queued)]
    for number, (one, name) in enumerate(zip(ids, queued, strict=True)):
        same = {name}.union(*(environments for environments in having if name in environments))
        waits = place(contest, one)
        assert waits is not None
        assert waits.ahead == sum(other in same for other in queued[:number])


def test_workers_that_lack_the_environment_do_not_shorten_the_wait(contest: Contest, database: Database) -> None:
    """Two workers of two slots serve one environment, and one of them the other environment, too."""
    for _ in range(3):
        contest.submit(0)
        _run(contest, 10.0)
    with database.write() as session:
        workers.report(session, _worker("w1", sandbox="docker", environments=["current", "old"]))
        workers.report(session, _worker("w2", sandbox="docker", environments=["old"]))
    for _ in range(4):
        contest.submit(1)
    last = contest.submit(1)

    def wait_s() -> float:
        waits = place(contest, last)
        assert waits is not None and waits.starts is not None
        return (waits.starts.expected - utc_now()) / timedelta(seconds=1)

    assert 19 < wait_s() < 20.1, "4 shards of 10 s in the 2 slots of the first worker"
    with database.write() as session:
        workers.report(session, _worker("w2", sandbox="docker", environments=["current"]))
    assert 9 < wait_s() < 10.1, "in the 4 slots of both"
    with database.write() as session:
        workers.leave(session, "w1")
        workers.report(session, _worker("w2", sandbox="docker", environments=["old"]))
    waits = place(contest, last)
    assert waits is not None and waits.starts is None, "no worker serves it"


def test_what_other_workers_can_serve_too_is_shared_with_them(contest: Contest, database: Database) -> None:
    """Two workers serve the three entries ahead, and one of them the last."""
    for _ in range(3):
        contest.submit(0)
        _run(contest, 10.0)
    with database.write() as session:
        session.get_one(Phase, contest.phases[0, PhaseKind.FINAL]).environment = "old"
        workers.report(session, _worker("w1", sandbox="docker", environments=["current", "old"]))
        workers.report(session, _worker("w2", sandbox="docker", environments=["old"]))
    for team in (1, 2, 3):
        contest.submit(team, kind=PhaseKind.FINAL)
    waits = place(contest, contest.submit(0))
    assert waits is not None and waits.starts is not None
    assert waits.ahead == 3
    assert 7 < (waits.starts.expected - utc_now()) / timedelta(seconds=1) < 7.6, "half of 3 shards of 10 s in 2 slots"


def _worker(name: str = "w1", *, sandbox: str = "process", environments: Sequence[str] = ()) -> WorkerRow:
    return WorkerRow(
        name=name,
        slots=2,
        slots_busy=0,
        device_classes=["cpu-x86_64"],
        sandbox=sandbox,
        environments=list(environments),
        version="1",
        free_disk_bytes=1,
        started_at=utc_now(),
    )


def _run(contest: Contest, run_s: float) -> None:
    lease = contest.claim()
    assert lease is not None
    with contest.database.write() as session:
        leases.record(session, lease, [leases.MeasuredSeed(0, "b" * 64, "c" * 64, run_s)])
        leases.finish(session, lease)
        assert session.scalars(select(MeasurementRow.run_s)).all()
