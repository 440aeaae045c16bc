"""Whose turn it is: nobody starves, weights hold, and check phases come first, whatever arrives when."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from services.core.models import Competition, Device, Line, PhaseKind, Shard
from services.core.queue import leases
from services.core.queue.leases import Lease, LeaseLost, WorkerOffer
from services.core.queue.lifecycle import cancel, lock_evaluation
from services.core.queue.turns import choice_of_shard
from services.core.store.database import Database, utc_now
from tests.core.queue.contest import Contest, add_phase_to

FEEDBACK, CHECK, FINAL = PhaseKind.FEEDBACK, PhaseKind.CHECK, PhaseKind.FINAL
TEAMS = 4
RANDOM = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def contest(database: Database) -> Contest:
    contest = Contest(database, [1])
    contest.open(TEAMS)
    return contest


def test_a_team_that_queued_much_waits_behind_those_that_queued_little(contest: Contest) -> None:
    for team in (0, 0, 0, 1, 2):
        contest.submit(team)
    assert contest.order(5) == [0, 1, 2, 0, 0]


def test_who_was_served_least_lately_is_next_also_if_it_comes_last(contest: Contest) -> None:
    contest.submit(0, shards=3)
    contest.submit(1, shards=3)
    assert contest.order(3) == [0, 1, 0]
    contest.submit(2)
    assert contest.order(4) == [2, 1, 0, 1]


def test_teams_that_were_never_served_come_in_the_order_of_their_entries(contest: Contest) -> None:
    for team in (3, 1, 2, 0):
        contest.submit(team)
    assert contest.order(4) == [3, 1, 2, 0]


def test_a_team_has_its_entries_run_in_order_of_age(contest: Contest) -> None:
    first, second = contest.submit(0, kind=FINAL, shards=2), contest.submit(0, kind=FEEDBACK)
    third = contest.submit(0, kind=FINAL)
    found = [contest.claim() for _ in range(4)]
    assert [lease.evaluation_id for lease in found if lease] == [first, first, second, third]


def test_phases_of_a_competition_share_a_team_turn(contest: Contest) -> None:
    """Else a team would get twice the share if it enters two phases."""
    contest.submit(0, kind=FEEDBACK, shards=3)
    contest.submit(1, kind=FEEDBACK, shards=4)
    assert contest.order(3) == [0, 1, 0]
    contest.submit(0, kind=FINAL, shards=2)
    assert contest.order(4) == [1, 0, 1, 0]


def test_a_check_comes_first_and_costs_no_turn(contest: Contest) -> None:
    contest.submit(0, shards=2)
    contest.submit(1, shards=2)
    contest.submit(1, kind=CHECK)
    contest.submit(0, kind=CHECK, shards=2)
    assert contest.order(7) == [1, 0, 0, 0, 1, 0, 1]


def test_runs_for_a_rescoring_share_as_one_team(contest: Contest) -> None:
    for _ in range(4):
        contest.submit(None)
    for team in (0, 0, 1, 1):
        contest.submit(team)
    assert contest.order(8) == [None, 0, 1, None, 0, 1, None, None]


def test_work_that_this_worker_cannot_serve_costs_nobody_a_turn(contest: Contest, database: Database) -> None:
    contest.submit(0, shards=2)
    with database.write() as session:
        competition = session.get_one(Competition, contest.competitions[0])
        contest.phases[0, FINAL] = add_phase_to(session, competition, FINAL, Device.GPU).id
    contest.submit(1, kind=FINAL, shards=2)
    contest.submit(2)
    assert contest.order(4) == [0, 2, 0]
    gpu = contest.claim(WorkerOffer("w2", Device.GPU, "gpu-h100", 2**31))
    assert gpu is not None
    assert contest.whose(gpu)[0] == 1


def test_an_evaluation_begun_on_another_class_of_device_is_passed_over(contest: Contest) -> None:
    begun = contest.submit(0, shards=2)
    assert contest.order(1) == [0]
    later = contest.submit(0)
    arm = contest.claim(WorkerOffer("w2", Device.CPU, "cpu-arm64", 2**31))
    assert arm is not None
    assert arm.evaluation_id == later
    rest = contest.claim()
    assert rest is not None
    assert rest.evaluation_id == begun


def test_a_shard_that_was_given_back_waits_and_holds_nobody_up(contest: Contest, database: Database) -> None:
    contest.submit(0, shards=2)
    contest.submit(1)
    held = contest.claim()
    assert held is not None
    with database.write() as session:
        leases.release(session, held, after_s=leases.RETRY_AFTER_S)
    assert contest.order(3) == [1, 0]
    contest.submit(1, shards=2)
    assert contest.order(2) == [1, 1]
    contest.assert_counted()


def test_what_was_cancelled_waits_no_more(contest: Contest, database: Database) -> None:
    cancelled = contest.submit(0, shards=3)
    contest.submit(1)
    assert contest.order(1) == [0]
    with database.write() as session:
        cancel(session, lock_evaluation(session, cancelled))
    contest.assert_counted()
    assert contest.order(2) == [1]


@RANDOM
@given(weights=st.lists(st.integers(1, 4), min_size=2, max_size=4), rounds=st.integers(1, 3))
def test_weights_are_honoured_while_all_wait(database: Database, weights: list[int], rounds: int) -> None:
    contest = Contest(database, weights)
    contest.open(teams=1)
    for competition, weight in enumerate(weights):
        contest.submit(0, competition, shards=rounds * weight + 1)
    served: Counter[int] = Counter()
    for _ in range(rounds * sum(weights)):
        lease = contest.claim()
        assert lease is not None
        served[contest.whose(lease)[1]] += 1
    assert served == {competition: rounds * weight for competition, weight in enumerate(weights)}


Act = tuple[str, int, int, PhaseKind, int]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "claim", "claim", "claim", "release", "lose", "cancel"]),
        st.integers(0, TEAMS - 1),
        st.integers(0, 1),
        st.sampled_from([FEEDBACK, FEEDBACK, FINAL, CHECK]),
        st.integers(1, 4),
    ),
    min_size=5,
    max_size=30,
)


class Watcher:
    """Sees every claim, and knows what waits: for each team in each competition, how often others came before it."""

    def __init__(self, contest: Contest) -> None:
        self.contest = contest
        self.passed: dict[tuple[int, int], Counter[tuple[int, int]]] = {}
        self.held: list[Lease] = []

    def waiting(self, *, check: bool) -> set[tuple[int, int]]:
        with self.contest.database.read() as session:
            queued = select(Shard).where(Shard.state == "queued")
            found = set()
            for shard in session.scalars(queued):
                line = session.get_one(Line, shard.line_id)
                assert line.team_id is not None
                if (line.phase.kind is CHECK) == check:
                    competition = self.contest.competitions.index(line.phase.competition_id)
                    found.add((self.contest.teams.index(line.team_id), competition))
            return found

    def claim(self) -> bool:
        """Claim a shard, if there is one, and check that it was the right team's turn."""
        checks, others = self.waiting(check=True), self.waiting(check=False)
        lease = self.contest.claim()
        if lease is None:
            assert not checks | others
            return False
        self.held.append(lease)
        team, competition, kind = self.contest.whose(lease)
        assert team is not None
        if checks:
            assert kind is CHECK
            return True
        served = team, competition
        self.passed = {one: self.passed.get(one, Counter()) for one in others - {served}}
        for before in self.passed.values():
            before[served] += 1
            assert before[served] <= self.contest.weights[competition], "it had its turn, and others wait"
        return True

    def act(self, what: str, team: int, competition: int, kind: PhaseKind, shards: int) -> None:
        if what == "submit":
            self.contest.submit(team, competition, kind, shards)
        elif what == "claim":
            self.claim()
        elif self.held:
            self._end(self.held.pop(team % len(self.held)), what)

    def _end(self, lease: Lease, what: str) -> None:
        with self.contest.database.write() as session:
            try:
                if what == "release":
                    leases.release(session, lease)
                elif what == "cancel":
                    cancel(session, leases.locked(session, lease)[0])
                else:
                    leases.sweep(session, 30, utc_now() + timedelta(hours=1))
                    self.held.clear()
            except LeaseLost:
                pass
            for shard in session.scalars(select(Shard).where(Shard.state == "queued")):
                shard.available_at = utc_now() - timedelta(hours=1)


@RANDOM
@given(weights=st.tuples(st.integers(1, 3), st.integers(1, 3)), acts=ACTS)
def test_nobody_starves_whatever_arrives_when(database: Database, weights: tuple[int, int], acts: list[Act]) -> None:
    """While a team waits, each other team has at most one turn, of as many claims as its competition weighs."""
    contest = Contest(database, list(weights))
    contest.open(TEAMS)
    watcher = Watcher(contest)
    for act in acts:
        watcher.act(*act)
    contest.assert_counted()
    while watcher.claim():
        pass
    contest.assert_counted()


def test_workers_sweepers_and_cancelling_people_do_not_deadlock_and_lose_no_count(
    contest: Contest, database: Database
) -> None:
    queued = [contest.submit(team % TEAMS, kind=(FEEDBACK, FINAL)[team % 2], shards=3) for team in range(12)]
    failures: list[BaseException] = []
    barrier = threading.Barrier(5)

    def work(number: int) -> None:
        try:
            barrier.wait()
            for turn in range(8):
                if number == 0:
                    with database.write() as session:
                        leases.sweep(session, 30, utc_now() + timedelta(hours=1))
                elif number == 1:
                    with database.write() as session:
                        cancel(session, lock_evaluation(session, queued[turn]))
                elif (lease := contest.claim()) and turn % 2:
                    _give_back(database, lease)
        except BaseException as error:  # so that the test sees it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    contest.assert_counted()


def _give_back(database: Database, lease: Lease) -> None:
    try:
        with database.write() as session:
            leases.release(session, lease)
    except LeaseLost:
        pass


def test_the_claim_reads_indexes_and_sorts_no_shards(contest: Contest, database: Database) -> None:
    contest.submit(0)
    values = {"now": utc_now(), "far_ahead": utc_now(), "device_class": "cpu", "device": "cpu", "memory_bytes": 2**31}
    values |= {"worker": "|one|"}
    choice = choice_of_shard(any_environment=True).params(values)
    claim = choice.compile(database.engine, compile_kwargs={"literal_binds": True})
    postgres = database.engine.dialect.name == "postgresql"
    with database.engine.connect() as connection:
        if postgres:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        how = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
        plan = "\n".join(str(tuple(row)) for row in connection.execute(text(f"{how} {claim}")))
    assert "ix_lines_waiting" in plan
    assert "ix_shards_claim" in plan
    if postgres:
        assert plan.count("Sort Key") == 1, plan  # of one row for each phase
        assert "Seq Scan on shards" not in plan, plan
    else:
        assert plan.count("USE TEMP B-TREE") == 1, plan
        assert "SCAN shards" not in plan, plan
