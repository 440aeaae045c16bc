"""How far a phase's numbers can be trusted: asked for by an organiser, computed by the scorer, shown to everybody."""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, ForeignKey, Text, or_
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.stored import StoredForm, StoredJson
from services.core.store.database import Base

__all__ = [
    "Agreement",
    "AlarmCard",
    "ColumnCard",
    "MetricCard",
    "OrderOf",
    "PairOf",
    "ReliabilityForm",
    "ReliabilityRow",
    "Share",
]


class Agreement(StoredForm):
    """Kendall's tau-b between two orders of the same entries: 1 if they are equal, -1 if opposite."""

    value: float
    low: float
    high: float


class Share(StoredForm):
    """A share of draws with its 95% interval (Clopper and Pearson)."""

    value: float
    low: float
    high: float


class ColumnCard(StoredForm):
    """How a number behaves on models that were retrained, and on models that kept some of what they should forget."""

    suite: str | None = Field(description="Null for the forgetting quality of a metric.")
    name: str
    low: float | None = Field(description="At most 5% of retrained models lie below it; null if low is good.")
    high: float | None = Field(description="At most 5% of retrained models lie above it; null if high is good.")
    false_alarms: Share = Field(description="Share of retrained sets of models, held out, beyond the limits.")
    power: dict[str, Share] = Field(
        description="Share of planted sets beyond the limits, by the share of the original's forget logits in theirs."
    )


class AlarmCard(StoredForm):
    """How often an alarm is raised on retrained models, and on planted ones."""

    kind: str
    false_alarms: Share
    power: dict[str, Share]


class MetricCard(StoredForm):
    """How the numbers of a benchmark behave if the truth is known."""

    models: int = Field(description="Models on each side of a draw.")
    draws: int
    planted: tuple[float, ...]
    columns: tuple[ColumnCard, ...]
    alarms: tuple[AlarmCard, ...]


class OrderOf(StoredForm):
    """How well fewer runs, or other bins, give the order of all runs and the published bins."""

    metric: str
    models: int = Field(description="Runs of each entry.")
    bins: float | None = Field(None, description="Width of the bins of epsilon in nats; 0: none. Null: the metric's.")
    tau: Agreement | None = Field(description="Over draws of runs, or for bins over entries. Null for under 6 entries.")
    leader_stays: Share | None = Field(None, description="Share of draws in which the same entry leads.")


class PairOf(StoredForm):
    """How far two numbers agree about the order of the entries, each turned so that higher is better."""

    first: str
    second: str
    entries: int
    tau: Agreement


class ReliabilityForm(StoredForm):
    """What is known of a phase's numbers."""

    metric: str
    entries: int = Field(description="The best of the leaderboard, that were compared.")
    models: int
    draws: int
    orders: tuple[OrderOf, ...]
    pairs: tuple[PairOf, ...]
    card: MetricCard | None = Field(description="Null if the benchmark has too few retrained models.")


class ReliabilityRow(Base):
    __tablename__ = "reliability"

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"), primary_key=True)
    asked_at: Mapped[datetime]
    done: Mapped[int] = mapped_column(default=0)  # steps of `total`, of the computation under way
    total: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime | None]  # when the newest computation ended
    problem: Mapped[str | None] = mapped_column(Text)  # why it gave nothing
    form: Mapped[ReliabilityForm | None] = mapped_column(StoredJson(ReliabilityForm))

    @hybrid_property
    def waits(self) -> bool:
        """Whether it was asked for since it was last computed."""
        return self.made_at is None or self.made_at < self.asked_at

    @waits.inplace.expression
    @classmethod
    def _waits(cls) -> ColumnElement[bool]:
        return or_(cls.made_at.is_(None), cls.made_at < cls.asked_at)
