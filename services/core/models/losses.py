"""The typed form of what an evaluation loses on each forget example, in a phase whose data are public."""

from pydantic import Field

from services.core.models.stored import StoredForm

__all__ = ["ExampleLoss", "LabelLoss", "LossesForm"]


class ExampleLoss(StoredForm):
    """How well one forget example is forgotten, beside retraining."""

    example: int = Field(description="Its index in the forget set.")
    label: int
    subject: int | None = Field(description="Whose data it is; null if the dataset names no subjects.")
    epsilon: float = Field(description="How far its outputs are from retrained models', in nats: 0 to 50.")
    quality: float = Field(description="Its points, 0 to 1, by the formula of 2023.")
    retrained_epsilon: float | None = Field(
        description="The epsilon of a second oracle, of as many retrained models; null if the benchmark has none."
    )
    retrained_quality: float | None = Field(description="The points of the second oracle.")
    picture: str | None = Field(description="SHA-256 of its picture, if the benchmark is of images.")


class LabelLoss(StoredForm):
    """Means over the forget examples of one label."""

    label: int
    examples: int
    quality: float
    retrained_quality: float | None


class LossesForm(StoredForm):
    """Where an evaluation loses forgetting quality."""

    examples: list[ExampleLoss] = Field(description="Those that are told apart most, the worst first.")
    total: int = Field(description="Forget examples in all.")
    quality: float = Field(description="Mean of the points of all examples.")
    retrained_quality: float | None = Field(description="The same of the second oracle.")
    labels: list[LabelLoss] = Field(description="By label, the greatest loss first.")
