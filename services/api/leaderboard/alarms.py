"""The scorer's alarms about submissions, shown only to organisers. An alarm changes no score."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select
from sqlalchemy.orm import joinedload

from services.core.models import Phase, Score, Submission
from services.core.models.stored import AlarmForm
from services.core.store.database import ReadSession

# As in the index of these: no parameter, so that the database takes it.
NOTHING: ColumnElement[int] = literal_column("0")

__all__ = ["AlarmedOut", "alarmed", "show_alarms"]


class AlarmedOut(BaseModel):
    """A submission with its alarms."""

    submission_id: UUID
    team: str
    submission: str
    final_score: float
    alarms: list[AlarmForm] = Field(description="Observations that honest unlearning rarely produces.")

    @classmethod
    def of(cls, submission: Submission, score: Score) -> Self:
        """Make the JSON form of a submission and its alarms."""
        return cls(
            submission_id=submission.id,
            team=submission.team.name,
            submission=submission.name,
            final_score=score.final_score,
            alarms=score.alarms,
        )


def alarmed(phase: Phase) -> Select[Submission]:
    """Select the submissions of a phase whose score raised an alarm."""
    return (
        select(Submission)
        .options(joinedload(Submission.team))
        .join(Score, and_(Score.evaluation_id == Submission.evaluation_id, Score.metric == phase.metric))
        .where(Submission.phase_id == phase.id, func.json_array_length(Score.alarms) > NOTHING)
    )


def show_alarms(session: ReadSession, phase: Phase, submissions: list[Submission]) -> list[AlarmedOut]:
    """Return submissions with the alarms of their scores."""
    wanted = {submission.evaluation_id for submission in submissions}
    scores = session.scalars(select(Score).where(Score.evaluation_id.in_(wanted), Score.metric == phase.metric))
    of = {score.evaluation_id: score for score in scores}
    return [AlarmedOut.of(submission, of[submission.evaluation_id]) for submission in submissions]
