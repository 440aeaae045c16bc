"""The scorer packs readings: before it scores an evaluation, and those of earlier versions while nothing else waits."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from services.core.models import Evaluation, MeasurementRow, Score
from services.core.settings import Settings
from services.core.store.database import Database, utc_now
from services.scorer.judging import Judged, judge
from tests.core.conftest import database
from tests.scorer.test_preparing_campaigns import SEEDS, Rescoring, settings

__all__ = ["database", "settings"]


@pytest.fixture(params=[False, True], ids=["not scored", "scored by an earlier version"])
def measured(
    request: pytest.FixtureRequest, database: Database, settings: Settings, tmp_path: Path
) -> Iterator[Rescoring]:
    made = Rescoring(database, settings, tmp_path, scored=request.param)
    yield made
    made.scorer.database.dispose()


def packed(database: Database) -> set[UUID]:
    with database.read() as session:
        return set(session.scalars(select(Evaluation.id).where(Evaluation.measurements_blob.is_not(None))))


def single(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.count(MeasurementRow.blob))).one()


def test_everything_measured_is_packed_and_tidied_a_week_later(measured: Rescoring, database: Database) -> None:
    measured.serve()
    assert packed(database) == set(measured.evaluation_ids)
    assert single(database) == SEEDS * len(measured.evaluation_ids)
    measured.serve()
    assert single(database) == SEEDS * len(measured.evaluation_ids)
    with database.write() as session:
        session.execute(update(Evaluation).values(readings_until=utc_now() - timedelta(seconds=1)))
    measured.serve()
    assert single(database) == 0
    measured.begin()
    measured.serve()
    assert measured.scored() == set(measured.evaluation_ids)


def test_one_whose_reading_is_missing_holds_up_no_other(measured: Rescoring, database: Database) -> None:
    broken, *whole = measured.evaluation_ids
    measured.blob_file(broken).unlink()
    measured.serve(2)
    assert packed(database) == set(whole)


def test_an_evaluation_is_packed_before_it_is_scored(
    measured: Rescoring, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that every reading is fetched once, also from a store that is far away."""
    seen = []

    def seeing(*given: Any, **named: Any) -> Judged:
        seen.append(given[3] in packed(database))
        return judge(*given, **named)

    monkeypatch.setattr("services.scorer.evaluations.judge", seeing)
    with database.write() as session:
        session.execute(delete(Score))
    measured.serve()
    assert seen == [True] * len(measured.evaluation_ids)
