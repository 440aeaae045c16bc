"""What a run costs beside the platform's full retraining: a stored form, and so under the rules of `stored`."""

from enum import StrEnum

from pydantic import Field

from services.core.models.stored import StoredForm

__all__ = ["CostForm", "CostKind"]


class CostKind(StrEnum):
    """What a cost compares."""

    PROCESSOR = "processor"  # processor time, user and system, of all processes of a run
    CLOCK = "clock"  # wall-clock time: on a GPU, and where the sandbox's kernel does not count for all processes


class CostForm(StoredForm):
    """What a run takes of the time of the platform's full retraining, which ran between the runs, in their sandbox."""

    ratio: float
    low: float = Field(description="Lower end of an approximate 95% interval.")
    high: float = Field(description="Upper end of that interval.")
    of: str = Field(description="`processor` time, or the `clock`: on a GPU, or if nobody counts processor time.")
    run_s: float = Field(description="Seconds of a run: the median, or the mean where that is larger.")
    trainer_s: float = Field(description="Seconds of a run of the platform's full retraining: the median.")
    empty_s: float = Field(
        0.0, description="Seconds of a run that does nothing, which count for neither: the median; 0 if none was timed."
    )
    runs: int = Field(description="Runs that were compared: those in a sandbox in which the trainer ran, too.")
    trainer_runs: int
