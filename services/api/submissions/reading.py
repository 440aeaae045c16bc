"""Reading what a team uploaded, or what its notebook printed. If somebody else reads it, that is on record."""

from collections.abc import Sequence
from uuid import UUID

from services.api.kit.auth import Principal
from services.api.submissions.service import find_visible
from services.api.teams.seats import is_member
from services.core.models import Act, Submission
from services.core.record.acts import record
from services.core.retention.deleting import require_code
from services.core.store.database import Database

__all__ = ["find_to_read"]

OF_CODE = (Act.CODE_READ, Act.CODE_COMPARED, Act.UPLOAD_DOWNLOADED)


def find_to_read(database: Database, who: Principal, submission_ids: Sequence[UUID], act: Act) -> list[Submission]:
    """Find submissions that the caller is about to read, and record it unless they are of the caller's teams.

    The record is committed before anything is read. Raises NotFound for one that the caller may not see.
    """
    with database.write() as session:
        found = [find_visible(session, who, submission_id) for submission_id in submission_ids]
        for submission in found:
            if act in OF_CODE:
                require_code(submission)
            if not is_member(session, who, submission.team_id):
                record(
                    session,
                    act,
                    competition_id=submission.phase.competition_id,
                    account_id=who.account_id,
                    details={
                        "phase": submission.phase.slug,
                        "submission": str(submission.id),
                        "team": str(submission.team_id),
                    },
                )
    return found
