"""A claimed shard before it runs: its benchmark, its code in the slot, and the seeds still to run."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from services.benchmarks.references import trainer
from services.core.bundle.directory import Bundle
from services.core.bundle.store import materialise
from services.core.environments import python_of
from services.core.models import EnvironmentRow, Evaluation, MeasurementRow
from services.core.queue import notes
from services.core.queue.leases import Lease
from services.core.queue.lifecycle import submissions_of
from services.core.references import platform
from services.core.references.planning import PATIENCE
from services.core.store.blobs import Blobs
from services.core.store.database import Database, ReadSession
from services.core.submission.file import unpack
from services.worker.environments import place_of
from services.worker.kinds import Kind, kind_of
from services.worker.slots import Slot
from services.worker.station import Place

__all__ = ["prepare"]


def prepare(database: Database, blobs: Blobs, lease: Lease, slot: Slot, cache: Path) -> tuple[Bundle, Kind, Place]:
    """Fetch the benchmark, put the code into the slot, and choose how and where to run the seeds not yet measured.

    A notebook runs as a whole, so the measurements of an earlier attempt are discarded.
    """
    with database.read() as session:
        evaluation = session.get_one(Evaluation, lease.evaluation_id)
        bundle = materialise(session, blobs, evaluation.benchmark.digest, cache)
        submission = session.scalars(submissions_of(evaluation).limit(1)).one()
        beside = trainer(evaluation.benchmark.manifest) if evaluation.phase.references else ""
        patience = PATIENCE if submission.team_id == platform.TEAM else 1.0
        missing = _missing(session, lease)
        kind = kind_of(evaluation, submission.kind, missing, cache, patience=patience, trainer=beside)
        place = place_of(session, evaluation.phase)
        python = python_of(session.get(EnvironmentRow, evaluation.phase.environment))
    if kind.whole:
        with database.write() as session:
            notes.discard(session, lease)
    slot.clear()
    unpack(submission.filename, blobs.get(submission.blob), slot.submission, python)
    return bundle, kind, place


def _missing(session: ReadSession, lease: Lease) -> Sequence[int]:
    measured = select(MeasurementRow.seed).where(MeasurementRow.evaluation_id == lease.evaluation_id)
    done = set(session.scalars(measured))
    return [seed for seed in range(lease.seed_start, lease.seed_stop) if seed not in done]
