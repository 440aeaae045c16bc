"""What was measured of a submission, to work with elsewhere: a table of its runs, and the measurements themselves.

Both tell how the runs treated the data, so in a phase with hidden data only those see them who run or review it.
"""

import csv
import io
from uuid import UUID

from sqlalchemy import select

from services.api.kit.auth import Principal
from services.api.submissions.service import find_visible, sees_data
from services.core.errors import NotFound
from services.core.models import MeasurementRow
from services.core.store.database import ReadSession

__all__ = ["find_measurements", "table_of_runs"]

COLUMNS = ("run", "run_s", "cpu_s", "peak_memory_bytes", "checkpoint_sha256")


def table_of_runs(session: ReadSession, who: Principal, submission_id: UUID) -> str:
    """Return a CSV table with a line for each run that was measured. Raises NotFound if it may not be seen."""
    submission = find_visible(session, who, submission_id)
    if not sees_data(who, submission):
        raise NotFound("The phase hides its data, so the runs of a submission are not shown. Use a check phase.")
    of = MeasurementRow
    rows = session.execute(
        select(of.seed, of.run_s, of.cpu_s, of.peak_memory_bytes, of.checkpoint_sha256)
        .where(of.evaluation_id == submission.evaluation_id)
        .order_by(of.seed)
    )
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    return out.getvalue()


def find_measurements(session: ReadSession, who: Principal, submission_id: UUID) -> str:
    """Find the blob with a submission's measurements. Raises NotFound if there is none to show."""
    submission = find_visible(session, who, submission_id)
    blob = submission.evaluation.measurements_blob
    if blob is None or not sees_data(who, submission):
        raise NotFound(
            "This submission has no measurements to download: it is not measured, they are packed within minutes, "
            "or the phase's data are hidden."
        )
    return blob
