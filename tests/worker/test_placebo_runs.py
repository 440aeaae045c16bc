"""Placebo runs from claim to score: stored beside a seed's own run, read into columns, and never into the score."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from services.core.bundle.directory import Bundle
from services.core.bundle.packing import find_readings
from services.core.models import Evaluation, MeasurementRow, Score, State
from services.core.store.database import Database
from services.scorer.evaluations import Evaluations
from services.scorer.retries import Retries
from services.scorer.stores import Stores
from services.worker.resources import Resources
from tests.bundles import make_tiny_bundle
from tests.core.conftest import database
from tests.worker.test_attempt import Claim, claim, evaluation_of, resources

__all__ = ["claim", "database", "resources"]

SEEDS = 8
IDENTITY = "def unlearning(net, retain_loader, forget_loader, val_loader): ...\n"
ONLY_ONE_START = """
def unlearning(net, retain_loader, forget_loader, val_loader):
    if abs(float(net.weight.detach().sum()) - {known}) > 1e-3:
        raise ValueError("I was not made for this model")
"""


@pytest.fixture
def bundle(request: pytest.FixtureRequest, tmp_path: Path) -> Bundle:
    return make_tiny_bundle(tmp_path / "tiny", placebos=getattr(request, "param", 4))


def score(resources: Resources, evaluation_id: UUID) -> Score:
    evaluations = Evaluations(Stores(resources.database, resources.blobs, resources.settings), Retries())
    assert evaluations.score(evaluation_id)
    with resources.database.read() as session:
        return session.scalars(select(Score).where(Score.metric == "neurips-2023")).one()


def rows(database: Database) -> list[MeasurementRow]:
    with database.read() as session:
        return list(session.scalars(select(MeasurementRow).order_by(MeasurementRow.seed)))


def test_each_seed_is_recorded_with_its_placebo_run_and_columns_follow(
    claim: Claim, resources: Resources, database: Database, bundle: Bundle
) -> None:
    attempt = claim(IDENTITY, seeds=SEEDS, shard_seeds=SEEDS, placebo_audit=True)
    attempt.carry_through()
    assert evaluation_of(attempt).state is State.MEASURED
    assert all(row.placebo_blob and row.placebo_blob != row.blob and row.run_s > 0 for row in rows(database))

    found = score(resources, attempt.lease.evaluation_id)

    assert found.suites["placebo"]["placebo_runs"] == SEEDS
    assert found.suites["placebo"]["follows_test"] == pytest.approx(1)
    with database.read() as session:
        stored = find_readings(session, attempt.lease.evaluation_id)
        assert session.scalars(select(Evaluation.placebo_blob)).one() == stored.placebo
    own, audited = stored.load(resources.blobs), stored.load_placebo(resources.blobs)
    originals, placebos = bundle.measurements_of("original"), bundle.measurements_of("placebo")
    assert audited is not None and originals is not None and placebos is not None
    for seed in range(SEEDS):
        np.testing.assert_array_equal(own.checkpoint_sha256[seed], originals.checkpoint_sha256[seed % 4])
        np.testing.assert_array_equal(audited.checkpoint_sha256[seed], placebos.checkpoint_sha256[seed % 4])


@pytest.mark.parametrize("audit", [False, True])
def test_without_the_audit_nothing_is_stored_and_with_it_a_failure_from_a_placebo_counts(
    claim: Claim, database: Database, bundle: Bundle, audit: bool
) -> None:
    """Otherwise an entry that recognises a placebo would fail there on purpose."""
    weight: Any = bundle.arrays("public/original.safetensors")["weight"]
    source = ONLY_ONE_START.format(known=float(weight.sum()))
    attempt = claim(source, seeds=1, shard_seeds=1, placebo_audit=audit)
    attempt.carry_through()
    ended = evaluation_of(attempt)
    if audit:
        assert (ended.state, ended.failure_kind) == (State.FAILED, "exception")
        assert rows(database) == []
    else:
        assert ended.state is State.MEASURED
        assert [row.placebo_blob for row in rows(database)] == [None]


@pytest.mark.parametrize("bundle", [0, 3], indirect=True)
def test_a_benchmark_without_enough_placebos_gets_no_placebo_runs(
    claim: Claim, resources: Resources, database: Database
) -> None:
    """A phase on one is refused, but its entries may be verified on another benchmark."""
    attempt = claim(IDENTITY, seeds=2, shard_seeds=2, placebo_audit=True)
    attempt.carry_through()
    assert [row.placebo_blob for row in rows(database)] == [None, None]
    assert "placebo" not in score(resources, attempt.lease.evaluation_id).suites
