"""All submissions of a competition, by phase, state and team."""

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import joinedload

from services.api.submissions.schemas import SubmissionState
from services.core.models import Competition, Evaluation, Phase, Score, State, Submission, Team

__all__ = ["submissions_to"]


def submissions_to(
    competition: Competition, *, phase: str | None, state: SubmissionState | None, team: str | None
) -> Select[Submission]:
    """Select what anybody submitted to a competition; `team` is part of a team's name."""
    statement = (
        select(Submission)
        .options(
            joinedload(Submission.team),
            joinedload(Submission.evaluation),
            joinedload(Submission.phase).joinedload(Phase.competition),
        )
        .join(Phase, Submission.phase_id == Phase.id)
        .join(Evaluation, Submission.evaluation_id == Evaluation.id)
        .where(Phase.competition_id == competition.id)
    )
    if phase is not None:
        statement = statement.where(Phase.slug == phase)
    if state is not None:
        statement = statement.where(_is(state))
    if team is not None:
        statement = statement.where(Submission.team.has(Team.name.contains(team, autoescape=True)))
    return statement


def _is(state: SubmissionState) -> ColumnElement[bool]:
    """Say as a condition what `SubmissionOut` says of an evaluation and its score by the phase's metric."""
    if state not in (SubmissionState.MEASURED, SubmissionState.SCORED, SubmissionState.CHECKED):
        return Evaluation.state == State(state.value)
    measured = Evaluation.state == State.MEASURED
    if state is SubmissionState.CHECKED:
        return and_(measured, Evaluation.dry_run)
    scored = exists().where(Score.evaluation_id == Evaluation.id, Score.metric == Phase.metric)
    return and_(measured, ~Evaluation.dry_run, scored if state is SubmissionState.SCORED else ~scored)
