"""A worker's notes under a lease, beside measurements: the progress of a notebook, its output, where it ran."""

from sqlalchemy import delete

from services.core.models import EventKind, MeasurementRow
from services.core.queue.leases import Lease, locked, tell_progress
from services.core.queue.lifecycle import add_event
from services.core.store.database import WriteSession

__all__ = ["describe", "discard", "keep_log", "note_written"]


def note_written(session: WriteSession, lease: Lease, checkpoints: int) -> None:
    """Note how many checkpoints a notebook has written; none is measured before it ends. Raises LeaseLost."""
    evaluation, _ = locked(session, lease)
    evaluation.checkpoints_written = checkpoints
    tell_progress(session, evaluation)


def discard(session: WriteSession, lease: Lease) -> None:
    """Delete an earlier attempt's progress on a notebook, because its checkpoints belong together. Raises LeaseLost."""
    evaluation, _ = locked(session, lease)
    if evaluation.seeds_done:
        add_event(session, evaluation, EventKind.DISCARDED, seeds=evaluation.seeds_done)
    session.execute(delete(MeasurementRow).where(MeasurementRow.evaluation_id == evaluation.id))
    evaluation.seeds_done = evaluation.checkpoints_written = 0


def describe(session: WriteSession, lease: Lease, provenance: dict[str, str], executed_blob: str | None = None) -> None:
    """Keep the provenance of an evaluation, and a notebook with its outputs. Raises LeaseLost."""
    evaluation, _ = locked(session, lease)
    evaluation.provenance = provenance
    if executed_blob is not None:
        evaluation.executed_blob = executed_blob


def keep_log(session: WriteSession, lease: Lease, log_blob: str) -> None:
    """Keep the end of the output of a shard's runs, in place of an earlier shard's. Raises LeaseLost."""
    evaluation, _ = locked(session, lease)
    evaluation.log_blob = log_blob
