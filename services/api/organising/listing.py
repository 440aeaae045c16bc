"""Selects the submissions to a competition by phase, state and team."""

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from services.core.models import Competition, Evaluation, Phase, Submission, SubmissionState, Team

__all__ = ["WITH_ALL_SHOWN", "submissions_to"]

WITH_ALL_SHOWN = (
    joinedload(Submission.team),
    joinedload(Submission.evaluation).selectinload(Evaluation.scores),
    joinedload(Submission.phase).joinedload(Phase.competition),
)


def submissions_to(
    competition: Competition, *, phase: str | None, state: SubmissionState | None, team: str | None
) -> Select[Submission]:
    """Select all submissions to a competition; `team` matches part of a team's name."""
    statement = (
        select(Submission)
        .join(Phase, Submission.phase_id == Phase.id)
        .join(Evaluation, Submission.evaluation_id == Evaluation.id)
        .where(Phase.competition_id == competition.id)
    )
    if phase is not None:
        statement = statement.where(Phase.slug == phase)
    if state is not None:
        statement = statement.where(Evaluation.shown_state == state)
    if team is not None:
        statement = statement.where(Submission.team.has(Team.name.contains(team, autoescape=True)))
    return statement
