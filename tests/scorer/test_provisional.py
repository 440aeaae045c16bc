"""Provisional scores: told while an evaluation runs, at most once a step, and only where that gives nothing away."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.models import (
    Account,
    Device,
    Evaluation,
    Event,
    LeaderboardEntry,
    Phase,
    Score,
    Submission,
    SubmissionKind,
    Team,
)
from services.core.queue.leases import Lease, WorkerOffer, claim, finish, record
from services.core.queue.lifecycle import cancel, lock_evaluation, queue_evaluation
from services.core.settings import Settings
from services.core.store.database import Database
from services.scorer.consumer import Scorer
from services.scorer.metrics import METRICS
from services.scorer.provisional import find_due, steps
from services.scorer.scoring import gather
from tests.api.harness import make_settings
from tests.bundles import make_tiny_bundle, oracle_as_measured
from tests.core.conftest import add_phase, database

__all__ = ["database"]

SEEDS = 64
OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)


@pytest.mark.parametrize(
    ("seeds", "expected"), [(512, [64, 128, 256]), (64, [8, 16, 32]), (16, [8]), (15, []), (8, []), (1, [])]
)
def test_steps_have_enough_models_to_mean_something(seeds: int, expected: list[int]) -> None:
    assert steps(seeds) == expected


class Running:
    """A submission under way whose models are the oracle's, and a scorer."""

    def __init__(self, database: Database, settings: Settings, bundle: Bundle) -> None:
        self.database = database
        self.bundle = bundle
        self.scorer = Scorer(settings)
        self.done = 0
        with database.write() as session:
            phase = add_phase(session, seeds=SEEDS, shard_seeds=SEEDS)
            phase.benchmark = bundle_store.publish(session, self.scorer.blobs, bundle)
            session.flush()
            evaluation = queue_evaluation(session, phase, "c" * 64)
            session.add(
                Submission(
                    phase_id=phase.id,
                    team_id=session.scalars(select(Team.id)).one(),
                    account_id=session.scalars(select(Account.id)).one(),
                    evaluation_id=evaluation.id,
                    name="entry",
                    filename="entry.py",
                    kind=SubmissionKind.MODULE,
                    blob="c" * 64,
                    size_bytes=1,
                )
            )
            self.evaluation_id: UUID = evaluation.id
        with database.write() as session:
            held = claim(session, OFFER, 60)
        assert held is not None
        self.held: Lease = held

    def run(self, until: int) -> None:
        """Record the models of the next seeds, as a worker would."""
        found = oracle_as_measured(self.bundle, self.scorer.blobs, range(self.done, until))
        with self.database.write() as session:
            record(session, self.held, found)
        self.done = until

    def told(self) -> list[dict[str, Any]]:
        with self.database.read() as session:
            events = select(Event).where(Event.kind == "provisional").order_by(Event.sequence)
            return [event.payload.model_dump() for event in session.scalars(events)]

    def change(self, table: type[Phase | Evaluation], **values: object) -> None:
        with self.database.write() as session:
            session.execute(update(table).values(**values))


@pytest.fixture
def running(database: Database, database_url: str, tmp_path: Path) -> Iterator[Running]:
    bundle = make_tiny_bundle(tmp_path / "bundle", oracle_seeds=SEEDS)
    running = Running(database, make_settings(tmp_path, database_url), bundle)
    yield running
    running.scorer.database.dispose()


def test_each_step_is_told_once_and_the_last_alone_where_several_were_passed(running: Running) -> None:
    scorer = running.scorer
    running.run(7)
    assert scorer.serve() == 0
    running.run(40)
    scorer.serve()
    scorer.serve()
    (first,) = running.told()

    with running.database.write() as session:
        running_rest = lock_evaluation(session, running.evaluation_id)
        assert running_rest.last_event == 5  # queued, running, twice progress, and this one
    running.run(SEEDS)
    scorer.serve()

    assert first["models"] == 32
    assert running.told() == [first]


def test_what_is_told_is_the_score_of_so_many_models(running: Running) -> None:
    running.run(20)
    running.scorer.serve()

    oracle = running.bundle.oracle()
    card = METRICS["neurips-2023"](gather(oracle.first(16), running.bundle))
    assert running.told() == [
        {
            "metric": "neurips-2023",
            "models": 16,
            "final_score": card.final_score.value,
            "ci_low": card.final_score.low,
            "ci_high": card.final_score.high,
        }
    ]


def test_a_provisional_score_is_no_score(running: Running) -> None:
    running.run(8)
    running.scorer.serve()

    with running.database.read() as session:
        assert session.scalars(select(Score)).all() == []
        assert session.scalars(select(LeaderboardEntry)).all() == []
    running.run(SEEDS)
    with running.database.write() as session:
        finish(session, running.held)
    assert running.scorer.serve() == 1
    with running.database.read() as session:
        kinds = session.scalars(select(Event.kind).order_by(Event.sequence)).all()
    assert kinds == ["queued", "running", "progress", "provisional", "progress", "measured", "scored"]


def test_nothing_is_told_where_data_are_hidden(running: Running) -> None:
    """Every provisional score would be one more query of the hidden data."""
    running.change(Phase, data_hidden=True)
    running.run(40)
    running.scorer.serve()

    assert running.told() == []


def test_nothing_is_told_of_what_was_cancelled_meanwhile(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.run(40)
    compute = METRICS["neurips-2023"]

    def cancelled_meanwhile(evidence: Any) -> Any:
        with running.database.write() as session:
            cancel(session, lock_evaluation(session, running.evaluation_id))
        return compute(evidence)

    monkeypatch.setitem(METRICS, "neurips-2023", cancelled_meanwhile)
    running.scorer.serve()

    with running.database.read() as session:
        kinds = session.scalars(select(Event.kind).order_by(Event.sequence)).all()
    assert kinds[-1] == "cancelled"
    assert running.told() == []


def test_what_cannot_be_scored_is_tried_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.run(8)
    tried = []

    def refuse(_: Any) -> Any:
        tried.append(1)
        raise ValueError("no answer")

    monkeypatch.setitem(METRICS, "neurips-2023", refuse)
    for _ in range(3):
        running.scorer.serve()

    assert (running.told(), len(tried)) == ([], 1)


def test_two_scorers_tell_a_step_once(running: Running) -> None:
    running.run(8)
    with running.database.read() as session:
        assert len(find_due(session)) == 1
    threads = [threading.Thread(target=running.scorer.serve) for _ in range(2)]
    other = Scorer(running.scorer.settings)
    threads.append(threading.Thread(target=other.serve))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.database.dispose()

    assert len(running.told()) == 1
