"""The scorer computes reliability for the phases that were asked about, a step at a time."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from services.core.models import Evaluation, Phase, ReliabilityRow
from services.core.settings import Settings
from services.core.store.database import Database, clock
from services.scorer.metrics import METRICS
from services.scorer.reliability import task
from tests.core.conftest import database
from tests.scorer.test_preparing_campaigns import SEEDS, Rescoring, settings

__all__ = ["database", "settings"]


@pytest.fixture
def scored(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rescoring]:
    monkeypatch.setattr(task, "NOTED_EVERY", 1)
    made = Rescoring(database, settings, tmp_path, scored=False)
    made.serve()
    yield made
    made.scorer.database.dispose()


def ask(database: Database) -> UUID:
    with database.write() as session:
        phase_id = session.scalars(select(Phase.id)).one()
        session.execute(delete(ReliabilityRow))
        session.add(ReliabilityRow(phase_id=phase_id, asked_at=clock(session), done=0, total=0))
    return phase_id


def row(database: Database) -> ReliabilityRow:
    with database.read() as session:
        return session.scalars(select(ReliabilityRow)).one()


def test_nothing_is_computed_unless_it_was_asked_for(scored: Rescoring) -> None:
    assert not scored.scorer.reliability.due()
    assert not scored.scorer.reliability.step()


def test_what_was_asked_for_is_computed_and_kept(scored: Rescoring, database: Database) -> None:
    ask(database)
    assert scored.scorer.reliability.due()
    scored.serve(3)
    assert not scored.scorer.reliability.due()
    found = row(database)
    assert (found.problem, found.done) == (None, found.total)
    assert found.made_at is not None and found.made_at >= found.asked_at
    assert found.form is not None
    assert (found.form.entries, found.form.models) == (1, SEEDS)  # one team, whose best counts
    assert found.form.card is None  # a tiny oracle cannot play three sides
    assert {one.metric for one in found.form.orders} <= set(METRICS)


def test_progress_is_told_between_steps(scored: Rescoring, database: Database) -> None:
    ask(database)
    assert scored.scorer.reliability.step()
    under_way = row(database)
    assert 0 < under_way.done < under_way.total
    assert under_way.made_at is None


def test_a_failure_is_told_and_not_tried_for_ever(scored: Rescoring, database: Database) -> None:
    ask(database)
    with database.read() as session:
        packed = session.scalars(select(Evaluation.measurements_blob)).all()
    for blob in packed:
        assert blob is not None
        (scored.scorer.settings.data_dir / "blobs" / "sha256" / blob[:2] / blob[2:]).unlink()
    scored.serve(2)
    assert not scored.scorer.reliability.due()
    found = row(database)
    assert found.problem == task.FAILED  # and no word of the error, because everybody may read it
    assert found.form is None
