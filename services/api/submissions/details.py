"""Details of a scored submission: run times, memory, printed output and histograms.

All of these reveal something about the data, so in a phase with hidden data only organisers see them.
"""

from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import undefer

from services.api.kit.auth import Principal
from services.api.submissions.service import find_visible, sees_data
from services.core.errors import NotFound
from services.core.models import MeasurementRow, Score
from services.core.models.stored import HistogramsForm
from services.core.store.database import ReadSession

__all__ = ["DetailsOut", "find_log", "show_details"]


class DetailsOut(BaseModel):
    """Details of the runs of a scored submission, unless the phase hides its data."""

    metric: str
    run_s: list[float] = Field(description="Wall-clock time of each run in seconds, in the order of the seeds.")
    peak_memory_bytes: int | None = Field(
        description="Memory of the largest process of any run, without GPU memory. Null if it was not recorded."
    )
    histograms: HistogramsForm | None = Field(description="Null if they were not recorded.")


def show_details(session: ReadSession, who: Principal, submission_id: UUID) -> DetailsOut:
    """Show run times, memory and histograms of a scored submission. Raises NotFound if there are none to show."""
    submission = find_visible(session, who, submission_id)
    score = session.scalars(
        select(Score)
        .where(Score.evaluation_id == submission.evaluation_id, Score.metric == submission.phase.metric)
        .options(undefer(Score.histograms))
    ).one_or_none()
    if score is None or not sees_data(who, submission):
        raise NotFound("This submission has no details to show: it is not scored, or the phase's data are hidden.")
    runs = session.execute(
        select(MeasurementRow.run_s, MeasurementRow.peak_memory_bytes)
        .where(MeasurementRow.evaluation_id == submission.evaluation_id)
        .order_by(MeasurementRow.seed)
    ).all()
    return DetailsOut(
        metric=score.metric,
        run_s=[run.run_s for run in runs],
        peak_memory_bytes=max(
            (run.peak_memory_bytes for run in runs if run.peak_memory_bytes is not None), default=None
        ),
        histograms=score.histograms,
    )


def find_log(session: ReadSession, who: Principal, submission_id: UUID) -> str:
    """Find the blob with the end of a submission's printed output. Raises NotFound if there is none to show."""
    submission = find_visible(session, who, submission_id)
    blob = submission.evaluation.log_blob
    if blob is None or not sees_data(who, submission):
        raise NotFound("This submission has no log to show: it printed nothing, or the phase's data are hidden.")
    return blob
