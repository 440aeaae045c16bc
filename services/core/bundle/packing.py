"""The readings of an evaluation in the blob store: a blob for each run while it runs, one for all afterwards.

Packing writes the new blob, then one row names it; so whoever is killed in between loses nothing, and the next one
writes the same bytes again. The blobs of single runs stay for a while, because a reader or a backup may know only their
names. Then they are removed, before the rows forget them; so whoever is killed in between can begin again.

No other evaluation shares the blob of a run, because each names its evaluation and seed (`own_reading`). Blobs of
earlier versions do not; of these, one that a row of another evaluation names is left to that row.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from services.core.bundle.measurements import Measurements
from services.core.bundle.stress import StressReadings, sign_stress
from services.core.models import Evaluation, MeasurementRow, State
from services.core.store.blobs import Blobs
from services.core.store.database import Database, ReadSession, clock

__all__ = [
    "KEPT",
    "Readings",
    "find_readings",
    "next_untidy",
    "own_placebo_reading",
    "own_reading",
    "own_stress_reading",
    "pack",
    "tidy",
]

KEPT = timedelta(days=7)  # far longer than reading takes, and longer than a backup


@dataclass(frozen=True, slots=True)
class Readings:
    """The names of the blobs that hold the readings of an evaluation."""

    packed: str | None
    single: tuple[str, ...]  # in the order of seeds; empty if they are packed
    stress: str | None = None  # packed stress readings
    single_stress: tuple[tuple[int, str], ...] = ()  # of each seed that has one; empty if they are packed
    placebo: str | None = None  # packed readings of placebo runs
    single_placebo: tuple[str, ...] = ()  # in the order of seeds from 0; empty if they are packed

    def __bool__(self) -> bool:
        return self.packed is not None or bool(self.single)

    def load(self, blobs: Blobs, models: int | None = None) -> Measurements:
        """Read all models, or only the first ones. Raises BlobMissing and BadMeasurements."""
        if self.packed is None:
            return Measurements.stack([blobs.get(blob) for blob in self.single[:models]])
        found = Measurements.from_bytes(blobs.get(self.packed))
        return found if models is None else found.first(models)

    def load_stress(self, blobs: Blobs) -> StressReadings | None:
        """Read all models under stress; None if there are none. Raises BlobMissing and BadMeasurements."""
        if self.stress is not None:
            return StressReadings.from_bytes(blobs.get(self.stress))
        if not self.single_stress:
            return None
        seeds, names = zip(*self.single_stress, strict=True)
        return StressReadings.stack([blobs.get(name) for name in names], seeds)

    def load_placebo(self, blobs: Blobs) -> Measurements | None:
        """Read the models of placebo runs; None if there are none. Raises BlobMissing and BadMeasurements."""
        if self.placebo is not None:
            return Measurements.from_bytes(blobs.get(self.placebo))
        return Measurements.stack([blobs.get(name) for name in self.single_placebo]) if self.single_placebo else None


def own_reading(reading: bytes, evaluation_id: UUID, seed: int) -> bytes:
    """Write into a reading whose it is. Raises BadMeasurements."""
    return Measurements.sign(reading, f"{evaluation_id}/{seed}")


def own_stress_reading(reading: bytes, evaluation_id: UUID, seed: int) -> bytes:
    """Write into a stress reading whose it is. Raises BadMeasurements."""
    return sign_stress(reading, f"{evaluation_id}/{seed}")


def own_placebo_reading(reading: bytes, evaluation_id: UUID, seed: int) -> bytes:
    """Write into the reading of a placebo run whose it is. Raises BadMeasurements."""
    return Measurements.sign(reading, f"{evaluation_id}/{seed}/placebo")


def find_readings(session: ReadSession, evaluation_id: UUID) -> Readings:
    """Find the readings of an evaluation, in either form."""
    columns = select(Evaluation.measurements_blob, Evaluation.stress_blob, Evaluation.placebo_blob)
    packed, stress, placebo = session.execute(columns.where(Evaluation.id == evaluation_id)).one()
    if packed is not None:
        return Readings(packed, (), stress, placebo=placebo)
    return Readings(
        None,
        _single(session, evaluation_id),
        None,
        _single_stress(session, evaluation_id),
        single_placebo=_first_placebos(_single_placebo(session, evaluation_id)),
    )


def pack(database: Database, blobs: Blobs, evaluation_id: UUID) -> bool:
    """Pack the readings of a measured evaluation; do nothing if it has none, or if they are packed.

    Returns whether this call has packed them. Raises BlobMissing and BadMeasurements.
    """
    with database.read() as session:
        state = session.scalars(select(Evaluation.state).where(Evaluation.id == evaluation_id)).one()
        found = find_readings(session, evaluation_id)
    if state is not State.MEASURED or not found.single:
        return False
    packed, stress, placebo = found.load(blobs).to_bytes(), found.load_stress(blobs), found.load_placebo(blobs)
    contents = (packed, *(None if one is None else one.to_bytes() for one in (stress, placebo)))
    names = [None if content is None else blobs.put(content) for content in contents]
    blob, stress_blob, placebo_blob = names
    with database.write() as session:
        changed = session.execute(
            update(Evaluation)
            .where(Evaluation.id == evaluation_id, Evaluation.measurements_blob.is_(None))
            .values(
                measurements_blob=blob,
                stress_blob=stress_blob,
                placebo_blob=placebo_blob,
                readings_until=clock(session) + KEPT,
            )
            .returning(Evaluation.id)
        ).all()
    for name, content in zip(names, contents, strict=True):
        if name is not None and content is not None:
            blobs.keep(name, content)
    return bool(changed)


def next_untidy(session: ReadSession, later: Collection[UUID] = ()) -> UUID | None:
    """Find an evaluation to `tidy`, except those for later."""
    due = Evaluation.readings_until <= clock(session)
    untidy = select(Evaluation.id).where(due, Evaluation.id.not_in(later)).order_by(Evaluation.readings_until)
    return session.scalars(untidy.limit(1)).first()


def tidy(database: Database, blobs: Blobs, evaluation_id: UUID) -> None:
    """Pack an evaluation's readings, or remove the blobs of its single runs if these were kept long enough.

    One that has no readings, such as a dry run, is done. Raises BlobMissing if the packed blob is not intact; then
    nothing is removed.
    """
    if pack(database, blobs, evaluation_id):
        return
    with database.read() as session:
        until = session.scalars(select(Evaluation.readings_until).where(Evaluation.id == evaluation_id)).one()
        if until is None or until > clock(session):
            return
        packed = find_readings(session, evaluation_id)
        names = set(_single(session, evaluation_id)) - _named_elsewhere(session, evaluation_id)
        names |= {name for _, name in _single_stress(session, evaluation_id)}
        names |= {name for _, name in _single_placebo(session, evaluation_id)}
    if packed.packed is not None:
        packed.load(blobs)
        packed.load_stress(blobs)
        packed.load_placebo(blobs)
        for name in sorted(names):
            blobs.delete(name)
    with database.write() as session:
        own = update(MeasurementRow).where(MeasurementRow.evaluation_id == evaluation_id)
        session.execute(own.values(blob=None, stress_blob=None, placebo_blob=None))
        session.execute(update(Evaluation).where(Evaluation.id == evaluation_id).values(readings_until=None))


def _single(session: ReadSession, evaluation_id: UUID) -> tuple[str, ...]:
    rows = select(MeasurementRow.blob).where(MeasurementRow.evaluation_id == evaluation_id)
    return tuple(blob for blob in session.scalars(rows.order_by(MeasurementRow.seed)) if blob is not None)


def _single_stress(session: ReadSession, evaluation_id: UUID) -> tuple[tuple[int, str], ...]:
    return _blobs_of_seeds(session, evaluation_id, MeasurementRow.stress_blob)


def _single_placebo(session: ReadSession, evaluation_id: UUID) -> tuple[tuple[int, str], ...]:
    return _blobs_of_seeds(session, evaluation_id, MeasurementRow.placebo_blob)


def _first_placebos(found: tuple[tuple[int, str], ...]) -> tuple[str, ...]:
    """Choose the readings of seeds 0, 1, ... up to the first that has none: a packed one does not know its seed."""
    return tuple(name for place, (seed, name) in enumerate(found) if place == seed)


def _blobs_of_seeds(
    session: ReadSession, evaluation_id: UUID, column: InstrumentedAttribute[str | None]
) -> tuple[tuple[int, str], ...]:
    rows = select(MeasurementRow.seed, column).where(MeasurementRow.evaluation_id == evaluation_id)
    found = session.execute(rows.order_by(MeasurementRow.seed)).all()
    return tuple((seed, blob) for seed, blob in found if blob is not None)


def _named_elsewhere(session: ReadSession, evaluation_id: UUID) -> set[str | None]:
    own = select(MeasurementRow.blob).where(MeasurementRow.evaluation_id == evaluation_id)
    others = select(MeasurementRow.blob).where(
        MeasurementRow.blob.in_(own), MeasurementRow.blob.is_not(None), MeasurementRow.evaluation_id != evaluation_id
    )
    return set(session.scalars(others))
