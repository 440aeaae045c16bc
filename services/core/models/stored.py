"""Typed forms of the JSON columns. Rows are kept for years, so a form reads the rows of every earlier version.

Rules for changing a form:
- a new field has a default;
- a renamed field reads its old name too: `Field(validation_alias=AliasChoices("new", "old"))`;
- a retired field is dropped: a form ignores fields that it does not know;
- names of metrics, flags, alarms and columns are text, never an enum: the catalogue may lack one that a row has;
- a change beyond these raises VERSION, which is written beside the fields, and makes `from_version` turn the fields of
  an older version into the new ones; an object without a version has version 1.
"""

from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, TypeAdapter, model_serializer
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

__all__ = [
    "AlarmForm",
    "AuditForm",
    "CertificateForm",
    "ConfidencesForm",
    "EventPayload",
    "ExampleForm",
    "FinalPreview",
    "FinalProgress",
    "HistogramsForm",
    "JointPlace",
    "MatrixPlace",
    "MatrixResult",
    "MatrixRow",
    "PlaceForm",
    "PreviewForm",
    "SelfTestForm",
    "StoredForm",
    "StoredJson",
    "SuiteValues",
    "VarianceForm",
]

SuiteValues = dict[str, dict[str, float | None]]  # by suite, then by column

Form = TypeVar("Form")


class StoredForm(BaseModel):
    """An object in a JSON column."""

    model_config = ConfigDict(frozen=True, from_attributes=True, populate_by_name=True, extra="ignore")

    VERSION: ClassVar[int] = 1

    @classmethod
    def from_version(cls, version: int, written: dict[str, Any]) -> dict[str, Any]:
        """Turn the fields of an earlier version into the fields of this one."""
        return written


class StoredJson(TypeDecorator[Form]):
    """A JSON column of one form, or of a list or dict of plain values: checked when written, tolerant when read."""

    impl = JSON
    cache_ok = True

    def __init__(self, form: Any) -> None:
        super().__init__(none_as_null=True)
        self.form = form
        self._adapter: TypeAdapter[Form] = TypeAdapter(form)
        self._versioned = form if isinstance(form, type) and issubclass(form, StoredForm) else None

    def process_bind_param(self, value: Form | None, dialect: Dialect) -> Any:
        """Make JSON of a form, or of anything that the form can be read from."""
        if value is None:
            return None
        written = self._adapter.dump_python(self._adapter.validate_python(value), mode="json")
        return written | {"version": self._versioned.VERSION} if self._versioned else written

    def process_result_value(self, value: Any, dialect: Dialect) -> Form | None:
        """Read a form of any version."""
        if value is None:
            return None
        fields = self._versioned.from_version(value.get("version", 1), value) if self._versioned else value
        return self._adapter.validate_python(fields, extra="ignore")

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Compare as JSON does, so that a query can look into it."""
        return self.impl_instance.coerce_compared_value(op, value)


class AlarmForm(StoredForm):
    """An observation that an organiser should check: its kind, and the figure that raised it."""

    kind: str
    message: str


class PlaceForm(StoredForm):
    """The place of a team on one leaderboard."""

    rank: int | None
    rank_best: int | None = Field(description="The best rank that its noise allows; 95% together with `rank_worst`.")
    rank_worst: int | None = Field(description="The worst rank that its noise allows.")
    final_score: float
    ci_low: float
    ci_high: float
    submission_id: UUID


class PreviewForm(StoredForm):
    """What the preview of a rescoring shows in all, and what it was computed from."""

    entries: int
    moved: int
    separated: int
    inputs: int  # `Campaign.inputs` then
    moment: datetime | None  # of the last move of a pointer then


class FinalPreview(StoredForm):
    """What would enter a final if it was started now."""

    at: datetime
    teams: int = Field(description="Teams with at least one entry.")
    by_default: int = Field(description="Teams that marked none, so that their best ranked entry enters.")
    left_out: int = Field(description="Teams that submitted, and have no entry that can enter.")
    entries: int
    runs: int = Field(description="Unlearning runs of all entries on all benchmarks.")
    run_hours: float = Field(description="Hours of one slot, if each run takes as long as it took before.")
    hours: float | None = Field(description="Expected hours on the slots that serve now; null if there are none.")


class FinalProgress(StoredForm):
    """How far the runs of a started final are."""

    at: datetime
    entries: int = Field(description="Entries, counted once for each benchmark.")
    states: dict[str, int] = Field(description="How many of them are in each state.")
    ended: int = Field(description="Entries that are scored, failed or cancelled.")
    complete: bool = Field(description="Whether all teams have been entered and all entries have ended.")


class JointPlace(StoredForm):
    """The place of a team on one benchmark of a final."""

    phase: str
    rank: int | None
    rank_best: int | None
    rank_worst: int | None
    final_score: float
    submission_id: UUID


class MatrixPlace(StoredForm):
    """The place of an entry on one benchmark of a matrix."""

    column: int = Field(description="The benchmark, from 0.")
    rank: int | None = Field(description="Among the entries of the matrix; null if a flag takes the rank.")
    rank_best: int | None
    rank_worst: int | None


class MatrixRow(StoredForm):
    """The place of an entry over all benchmarks of a matrix."""

    row: int = Field(description="The entry, from 0.")
    position: int = Field(description="Its place in the table, from 1.")
    rank: int | None = Field(description="By mean rank; equal means share it. Null without a rank on every benchmark.")
    mean_rank: float | None
    mean_low: float | None = Field(description="Lower end of the 95% interval of the mean rank.")
    mean_high: float | None
    places: list[MatrixPlace]


class MatrixResult(StoredForm):
    """The ranks in a matrix, of what is scored so far."""

    at: datetime
    metric: str
    scored: list[UUID] = Field(description="The evaluations that it was computed from.")
    rows: list[MatrixRow]


class CertificateForm(StoredForm):
    """A claimed certificate beside the accountant's epsilon and the one that the runs prove; epsilons in nats."""

    epsilon: float = Field(description="The claimed epsilon.")
    delta: float
    accountant_epsilon: float | None = Field(
        None, description="Computed for the method, with the steps that the submission claims to take."
    )
    audited_epsilon: float | None = Field(
        None,
        description="Lower bound that the runs prove with 95% confidence. If it exceeds the claim, the claim is false.",
    )
    largest_auditable: float | None = Field(
        None, description="The bound that a perfect attack on this number of runs would prove."
    )
    notes: tuple[str, ...] = Field((), description="Reasons why a number is missing.")


class VarianceForm(StoredForm):
    """Standard errors of a final score by where they come from. They add as squares."""

    runs: float = Field(description="For fresh runs and fresh oracle models.")
    originals: float | None = Field(
        None,
        description="In addition, for other original models; null if all runs started from one, or each from its own.",
    )
    subjects: float | None = Field(
        None, description="In addition, for other subjects to forget, or other examples if no subjects are known."
    )
    starts: int | None = Field(None, description="The number of original models that runs started from.")


class AuditForm(StoredForm):
    """Per forget example, a proven bound and an estimate of the true epsilon, in nats."""

    bounds: list[float]
    largest_certifiable: float
    claims: int
    gaussian: list[float]
    gaussian_fits: list[bool]


class ConfidencesForm(StoredForm):
    """Histograms of the confidences of both sides, in nats, in the same bins of equal width."""

    low: float = Field(description="Lower edge of the first bin, in nats.")
    high: float = Field(
        description="Upper edge of the last bin, in nats. Values beyond an edge are counted in the bin next to it."
    )
    unlearned: list[int]
    oracle: list[int]


class ExampleForm(StoredForm):
    """One forget example among the best, the median or the worst; all if there are few."""

    place: str = Field(description="Its group: best, median, worst or all.")
    example: int
    epsilon: float
    confidences: ConfidencesForm


class HistogramsForm(StoredForm):
    """Histograms behind a score, by its own metric."""

    bucket: float = Field(description="Width of a bucket of epsilon, in nats.")
    epsilons: list[int] = Field(
        description="Examples in each bucket. The last buckets lie above every epsilon that earns points."
    )
    confidences: ConfidencesForm = Field(description="Over all models and all forget examples.")
    examples: list[ExampleForm]


class SelfTestForm(StoredForm):
    """The last self-test of a worker's sandbox."""

    result: str = Field(description="Either passed, or what failed.")
    digest: str | None = Field(None, description="Digest of the sandbox image that was tested.")
    runtime: str | None = Field(None, description="OCI runtime that was tested.")
    profile: str | None = Field(None, description="Security profile of the sandbox.")
    at: datetime


class EventPayload(StoredForm):
    """The data of an event; each kind has some of these fields."""

    seeds: int | None = None  # of the evaluation; in `discarded`, those that are deleted
    seeds_done: int | None = None
    checkpoints_written: int | None = None
    attempt: int | None = None
    seed_start: int | None = None
    cause: str | None = None  # why a shard was put back
    failure: str | None = None
    message: str | None = None
    metric: str | None = None
    models: int | None = None  # of a provisional score
    final_score: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None

    @model_serializer(mode="wrap")
    def _given(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value is not None}
