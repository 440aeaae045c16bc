"""The preview of a rescoring, as the scorer computed it, page by page; and what it was prepared without."""

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from services.api.campaigns.schemas import MoveOut, UnscorableOut
from services.core.models import Campaign, CampaignMove, Evaluation, ReRun, Submission, Team
from services.core.store.database import ReadSession

__all__ = ["moves_of", "unscorable_in"]


def moves_of(session: ReadSession, campaign: Campaign, *, after: int, limit: int) -> list[MoveOut]:
    """Read the moves behind position `after`."""
    statement = (
        select(CampaignMove)
        .options(joinedload(CampaignMove.team))
        .where(CampaignMove.campaign_id == campaign.id, CampaignMove.position.between(after + 1, after + limit))
        .order_by(CampaignMove.position)
    )
    return [MoveOut.of(move) for move in session.scalars(statement)]


def unscorable_in(session: ReadSession, campaign: Campaign) -> list[UnscorableOut]:
    """List the submissions that a rescoring was prepared without, with the reasons."""
    own = func.coalesce(ReRun.replaced_id, Evaluation.id)
    statement = (
        select(Evaluation.id, Team.name, Submission.name, Submission.id)
        .outerjoin(ReRun, ReRun.evaluation_id == Evaluation.id)
        .join(Submission, Submission.evaluation_id == own)
        .join(Team, Team.id == Submission.team_id)
        .where(Evaluation.id.in_(campaign.set_aside))
        .order_by(Team.name, Submission.created_at)
    )
    return [
        UnscorableOut(
            team=team, submission=name, submission_id=submission_id, reason=campaign.unscorable[evaluation_id]
        )
        for evaluation_id, team, name, submission_id in session.execute(statement)
    ]
