"""Request and response bodies for phases."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.api.kit.schemas import Input, Label, Moment, Slug
from services.core.bundle.manifest import PLACEBO_RUNS, Robustness
from services.core.catalogue import DEFAULT_METRIC, UnknownColumn, UnknownMetric, find_metric, require_column
from services.core.finals.sealed import is_sealed
from services.core.models import BenchmarkRow, Device, EnteredBy, Phase, PhaseKind
from services.core.store.database import utc_now

__all__ = ["BenchmarkRef", "MetricName", "NewPhase", "PhaseChange", "PhaseOut"]

GIBIBYTE = 1024**3
MOST_COLUMNS = 12  # that a board shows at once

Quota = Annotated[int, Field(ge=0, le=1000, description="Submissions per team in any 24 hours.")]


def _known_metric(name: str) -> str:
    try:
        return find_metric(name).name
    except UnknownMetric as unknown:
        raise ValueError(unknown.message) from unknown


MetricName = Annotated[
    str, AfterValidator(_known_metric), Field(max_length=63, description="A name that `GET /api/metrics` lists.")
]


def _known_column(name: str) -> str:
    try:
        require_column(name)
    except UnknownColumn as unknown:
        raise ValueError(unknown.message) from unknown
    return name


ColumnName = Annotated[str, Field(max_length=100), AfterValidator(_known_column)]


def _once(names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is named twice: name it once")
    return names


class NewPhase(Input):
    slug: Slug = Field(description="The phase's short name, which is part of its address.")
    title: Label | None = Field(None, description="Its name for readers, if the short one does not do.")
    kind: PhaseKind = Field(description="`check`, `feedback` or `final`.")
    benchmark: str = Field(
        max_length=64, description="Digest of a benchmark, or a name, for the newest with that name."
    )
    opens_at: Moment = Field(default_factory=utc_now, description="When it opens, with a time zone; default: now.")
    closes_at: Moment = Field(description="When it closes, with a time zone.")
    seeds: int = Field(512, ge=1, le=10_000, description="Number of unlearning runs in one evaluation.")
    shard_seeds: int = Field(64, ge=1, le=10_000, description="Number of runs that a worker takes at once.")
    quota_per_day: Quota = 5
    quota_total: int | None = Field(
        None, ge=0, le=100_000, description="Submissions per team in all; none: only the daily quota."
    )
    seed_timeout_s: float = Field(60.0, gt=0, le=86_400, description="Time limit of one unlearning run, in seconds.")
    memory_bytes: int = Field(
        2 * GIBIBYTE, ge=GIBIBYTE // 16, le=1024 * GIBIBYTE, description="Memory of one unlearning run."
    )
    device: Device = Field(Device.CPU, description="What submissions run on: `cpu` or `gpu`.")
    environment: str | None = Field(
        None,
        max_length=63,
        description="What code finds in the sandbox: a name that `GET /api/environments` lists. "
        "If not set, the workers' own.",
    )
    metric: MetricName = DEFAULT_METRIC
    max_time_ratio: float = Field(
        0.2,
        gt=0,
        le=1000,
        description="Cost of a run over that of retraining; an entry above this ratio is not ranked.",
    )
    data_hidden: bool | None = Field(
        None,
        description="Keep this phase's data hidden: participants see no exception messages, printed output, histograms "
        "or provisional scores. If not set, the data are hidden in every phase except check phases.",
    )

    notebooks: bool = Field(False, description="Accept notebooks in the layout of the 2023 competition.")
    notebook_timeout_s: float = Field(
        8 * 3600.0, gt=0, le=7 * 86_400, description="Time limit of a whole notebook, in seconds."
    )
    cuda_stand_in: bool = Field(
        False, description="Let notebooks use CUDA on a machine without a GPU; everything is computed on the CPU."
    )
    take_first: bool = Field(
        False, description="If a notebook writes more checkpoints than `seeds`, such as 512, use only the first ones."
    )
    rehearse: bool = Field(
        True,
        description="In a check phase, let notebooks unlearn on stand-in data and judge the checkpoints. If not, give "
        "them a dry run.",
    )
    robustness: bool = Field(
        False,
        description="Also read every model under stress: rounded weights, perturbed images, relearning. It costs time "
        "of the workers, and the benchmark must be built for it.",
    )
    placebo_audit: bool = Field(
        False,
        description="Also start up to 64 runs of each entry from models that never saw the forget set, to see what it "
        "does if there is nothing to forget. They cost time of the workers, and rank nothing.",
    )
    columns: Annotated[list[ColumnName], AfterValidator(_once)] = Field(
        default_factory=list,
        max_length=MOST_COLUMNS,
        description="Secondary columns that its leaderboard shows at first, in this order, such as `ssd.zrf`: a suite, "
        "a dot, a column, as `GET /api/metrics` lists them. They rank nothing. If there are none, the parts of the "
        "score.",
    )
    references: bool = Field(
        True,
        description="Let the platform make reference rows: doing nothing, and retraining for 5, 10, 20, 50 and 100% of "
        "the epochs. They run if no entry waits, and cost no quota. A full retraining is also timed beside 1 in 128 "
        "runs of each entry, at least 2: what they cost is compared with it.",
    )

    entered_by: EnteredBy | None = Field(
        None,
        description="`selection`: the phase is a sealed final, into which teams select scored submissions to other "
        "phases. If not set, finals are, and other phases take uploads.",
    )
    selects: int = Field(1, ge=1, le=20, description="In a sealed final, the most submissions of one team.")
    draws_from: list[Slug] | None = Field(
        None,
        min_length=1,
        max_length=50,
        description="In a sealed final, the phases whose submissions can enter. If not set, all feedback phases.",
    )
    further_benchmarks: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list,
        max_length=7,
        description="In a sealed final, more benchmarks to run its entries on. Each gets a phase of its own, whose "
        "slug ends in -2, -3 and so on.",
    )

    @property
    def is_sealed_final(self) -> bool:
        """Whether teams select into it."""
        default = EnteredBy.SELECTION if self.kind is PhaseKind.FINAL else EnteredBy.UPLOAD
        return (self.entered_by or default) is EnteredBy.SELECTION

    @model_validator(mode="after")
    def _check_final(self) -> Self:
        if self.is_sealed_final:
            if self.kind is not PhaseKind.FINAL:
                raise ValueError("only a final is entered by selection: leave entered_by out, or set kind to final")
        elif self.selects != 1 or self.draws_from or self.further_benchmarks:
            raise ValueError("selects, draws_from and further_benchmarks belong to a sealed final: leave them out")
        return self

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.closes_at <= self.opens_at:
            raise ValueError("closes_at must be later than opens_at")
        return self


class PhaseChange(Input):
    """The fields of a phase that may change later. A field that is left out keeps its value."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None
    quota_per_day: Quota | None = None
    confirm: bool = Field(False, description="Also take from participants of an open phase; it is announced to them.")


class BenchmarkRef(BaseModel):
    name: str
    digest: str
    accepted_unfit: str | None = Field(
        description="Why the operator published it although its build judged it unfit; null if it is fit."
    )

    @classmethod
    def of(cls, row: BenchmarkRow) -> Self:
        return cls(name=row.name, digest=row.digest, accepted_unfit=row.manifest.get("accepted_unfit"))


class PhaseOut(BaseModel):
    competition: str
    slug: str
    title: str | None
    kind: PhaseKind
    benchmark: BenchmarkRef
    opens_at: datetime
    closes_at: datetime
    is_open: bool = Field(description="Whether it takes uploads now.")
    seeds: int
    shard_seeds: int
    quota_per_day: int
    quota_total: int | None
    seed_timeout_s: float
    memory_bytes: int
    device: Device
    environment: str
    metric: str
    max_time_ratio: float
    data_hidden: bool
    notebooks: bool
    notebook_timeout_s: float
    cuda_stand_in: bool
    take_first: bool
    rehearse: bool
    columns: list[str] = Field(description="Secondary columns that its leaderboard shows at first, in order.")
    references: bool = Field(description="Whether the platform makes reference rows.")
    robustness: bool
    robustness_s: float | None = Field(
        description="Seconds that reading models under stress adds to an evaluation, on one core of the machine that "
        "built the benchmark; null if the stage is off."
    )
    placebo_audit: bool
    placebo_runs: int = Field(
        description="Runs of each entry that start from models which never saw the forget set, beside `seeds`; 0 if "
        "the audit is off."
    )
    entered_by: EnteredBy = Field(description="Uploads, or in a sealed final selections.")
    final: str | None = Field(description="The final that it belongs to, by the phase that names it.")
    sealed: bool = Field(description="Whether its board and entries are hidden until the organiser publishes them.")

    @classmethod
    def of(cls, phase: Phase) -> Self:
        part = phase.final_part
        return cls(
            competition=phase.competition.slug,
            slug=phase.slug,
            title=phase.title,
            kind=phase.kind,
            benchmark=BenchmarkRef.of(phase.benchmark),
            opens_at=phase.opens_at,
            closes_at=phase.closes_at,
            is_open=part is None and phase.opens_at <= utc_now() < phase.closes_at,
            seeds=phase.seeds,
            shard_seeds=phase.shard_seeds,
            quota_per_day=phase.quota_per_day,
            quota_total=phase.quota_total,
            seed_timeout_s=phase.seed_timeout_s,
            memory_bytes=phase.memory_bytes,
            device=phase.device,
            environment=phase.environment,
            metric=phase.metric,
            max_time_ratio=phase.max_time_ratio,
            data_hidden=phase.data_hidden,
            notebooks=phase.notebooks,
            notebook_timeout_s=phase.notebook_timeout_s,
            cuda_stand_in=phase.cuda_stand_in,
            take_first=phase.take_first,
            rehearse=phase.rehearse,
            columns=phase.columns,
            references=phase.references,
            robustness=phase.robustness,
            robustness_s=_robustness_s(phase),
            placebo_audit=phase.placebo_audit,
            placebo_runs=min(phase.seeds, PLACEBO_RUNS) if phase.placebo_audit else 0,
            entered_by=EnteredBy.SELECTION if part else EnteredBy.UPLOAD,
            final=part.final.phase.slug if part else None,
            sealed=is_sealed(phase),
        )


def _robustness_s(phase: Phase) -> float | None:
    described = phase.benchmark.manifest.get("robustness") if phase.robustness else None
    return None if described is None else round(Robustness.model_validate(described).extra_s(phase.seeds), 1)
