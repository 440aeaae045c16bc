"""Where a submission loses: forgetting or utility, and on which forget examples. Only in phases whose data are public.

Labels, indexes and pictures are the data themselves, so nobody sees them here if the phase hides its data.
"""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select

from services.api.kit.auth import Principal
from services.api.submissions.comparison import score_of
from services.api.submissions.service import find_visible
from services.api.submissions.understanding import loss_in_words
from services.core.board.perfect import perfect_of
from services.core.errors import NotFound
from services.core.models import Evaluation, Submission
from services.core.models.losses import ExampleLoss, LabelLoss, LossesForm
from services.core.store.database import ReadSession

__all__ = ["LossesOut", "find_picture", "show_losses"]


class ExampleLossOut(BaseModel):
    """How well one forget example is forgotten, beside retraining."""

    example: int = Field(description="Its index in the forget set.")
    label: int
    subject: int | None = Field(description="Whose data it is; null if the dataset names no subjects.")
    epsilon: float = Field(description="How far its outputs are from retrained models', in nats: 0 to 50.")
    quality: float = Field(description="Its points, 0 to 1, by the formula of 2023.")
    retrained_epsilon: float | None = Field(description="What a second oracle has there; null if there is none.")
    retrained_quality: float | None = Field(description="The points of the second oracle.")
    has_picture: bool = Field(description="Whether its picture can be fetched.")

    @classmethod
    def of(cls, loss: ExampleLoss) -> Self:
        """Make the JSON form of an example."""
        return cls(**loss.model_dump(exclude={"picture"}), has_picture=loss.picture is not None)


class LossesOut(BaseModel):
    """Where a submission loses."""

    sentence: str | None = Field(description="Whether most is lost in forgetting or utility; null if nothing tells.")
    total: int = Field(description="Forget examples in all.")
    quality: float = Field(description="Mean of the points of all examples, by the formula of 2023.")
    retrained_quality: float | None = Field(description="The same of a second oracle; null if there is none.")
    examples: list[ExampleLossOut] = Field(description="Those that are told apart most, the worst first.")
    labels: list[LabelLoss] = Field(description="By label, the greatest loss first.")


def show_losses(session: ReadSession, who: Principal, submission_id: UUID) -> LossesOut:
    """Show where a submission loses. Raises NotFound if it is not known, or the phase hides its data."""
    submission = find_visible(session, who, submission_id)
    losses = _losses(session, submission)
    perfect, score = perfect_of(session, submission.phase), score_of(session, submission)
    return LossesOut(
        sentence=loss_in_words(score, perfect) if perfect and perfect.score > 0 else None,
        total=losses.total,
        quality=losses.quality,
        retrained_quality=losses.retrained_quality,
        examples=[ExampleLossOut.of(one) for one in losses.examples],
        labels=losses.labels,
    )


def find_picture(session: ReadSession, who: Principal, submission_id: UUID, example: int) -> str:
    """Find the blob with the picture of an example that is listed. Raises NotFound."""
    losses = _losses(session, find_visible(session, who, submission_id))
    found = next((one.picture for one in losses.examples if one.example == example), None)
    if found is None:
        raise NotFound(f"There is no picture of example {example} here. The list of losses names those that there are.")
    return found


def _losses(session: ReadSession, submission: Submission) -> LossesForm:
    losses = None
    if not submission.phase.data_hidden:
        losses = session.scalar(select(Evaluation.losses).where(Evaluation.id == submission.evaluation_id))
    if losses is None:
        raise NotFound(
            "Losses by example are not known of this submission: it is not scored, it was scored before they were "
            "kept, or the phase hides its data."
        )
    return losses
