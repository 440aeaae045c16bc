"""The platform's trainer from claim to score: beside which runs it is timed, what is kept, and what the board shows."""

import pytest

from services.benchmarks.recipes import Recipe
from services.core.bundle.directory import Bundle
from services.core.models import State
from services.core.queue.leases import MeasuredSeed, record
from services.core.references.planning import beside
from services.core.store.database import Database
from services.worker.resources import Resources
from tests.bundles import make_tiny_bundle
from tests.core.conftest import database
from tests.worker.test_attempt import Claim, claim, evaluation_of, resources
from tests.worker.test_placebo_runs import IDENTITY, rows, score

__all__ = ["claim", "database", "resources"]

SEEDS = 6


@pytest.fixture
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A benchmark that says how its models were trained."""
    return make_tiny_bundle(tmp_path_factory.mktemp("trained") / "tiny", recipe=Recipe(2, 64, 0.1))


def test_the_trainer_is_timed_beside_chosen_seeds_and_scores_say_what_a_run_costs(
    claim: Claim, resources: Resources, database: Database
) -> None:
    attempt = claim(IDENTITY, seeds=SEEDS, shard_seeds=SEEDS, references=True)
    attempt.carry_through()
    assert evaluation_of(attempt).state is State.MEASURED
    there = rows(database)
    assert {row.seed for row in there if row.trainer_s is not None} == beside(SEEDS)
    assert all(row.cpu_s is not None and row.cpu_s > 0 for row in there)
    assert all((row.trainer_s is None) == (row.trainer_cpu_s is None) for row in there)
    assert all((row.trainer_s is None) == (row.empty_s is None) == (row.empty_cpu_s is None) for row in there)

    found = score(resources, attempt.lease.evaluation_id)

    assert found.cost is not None
    assert (found.cost.of, found.cost.runs, found.cost.trainer_runs) == ("processor", SEEDS, len(beside(SEEDS)))
    assert 0 <= found.cost.low <= found.cost.ratio <= found.cost.high
    assert 0 < found.cost.empty_s < found.cost.trainer_s


def test_a_phase_without_reference_rows_of_the_platform_times_no_trainer(
    claim: Claim, resources: Resources, database: Database
) -> None:
    attempt = claim(IDENTITY, seeds=SEEDS, shard_seeds=SEEDS, references=False)
    attempt.carry_through()

    assert {row.trainer_s for row in rows(database)} == {None}
    assert score(resources, attempt.lease.evaluation_id).cost is None


def test_another_attempt_keeps_the_times_that_the_first_one_measured(claim: Claim, database: Database) -> None:
    attempt = claim(IDENTITY, seeds=SEEDS, shard_seeds=SEEDS, references=True)
    kept = MeasuredSeed(0, "b" * 64, "c" * 64, run_s=0.5, cpu_s=0.25, trainer_s=3.0, trainer_cpu_s=2.0)
    with database.write() as session:
        record(session, attempt.lease, [kept])

    attempt.carry_through()

    assert evaluation_of(attempt).state is State.MEASURED
    first, *others = rows(database)
    assert (first.run_s, first.cpu_s, first.trainer_s, first.trainer_cpu_s) == (0.5, 0.25, 3.0, 2.0)
    assert {row.seed for row in others if row.trainer_s is not None} == beside(SEEDS) - {0}
