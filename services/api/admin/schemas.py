"""Response bodies for the state of the installation."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.core.models import Device, State, WorkerRow
from services.core.models.stored import SelfTestForm
from services.core.queue.workers import is_gone
from services.core.settings import SandboxKind

__all__ = [
    "FirstSubmissionOut",
    "HealthOut",
    "InstallationOut",
    "LeaseOut",
    "OpenEvaluationOut",
    "PhaseQueueOut",
    "PlatformFailureOut",
    "QueueOut",
    "SystemOut",
    "WorkerOut",
]


class HealthOut(BaseModel):
    status: Literal["ok"] = "ok"
    version: str


class ProviderOut(BaseModel):
    """An OpenID Connect provider."""

    name: str
    title: str


class InstallationOut(BaseModel):
    """The public settings of an installation."""

    version: str
    sandbox: SandboxKind
    sign_up_open: bool = Field(description="Whether anyone may create an account.")
    sends_mail: bool = Field(description="Whether it sends mail, such as links that set a new password.")
    sign_in_with: list[ProviderOut] = Field(description="Providers with which one can sign in.")
    max_upload_bytes: int
    max_benchmark_bytes: int = Field(description="Largest benchmark that can be uploaded; 0 for none.")
    benchmark_part_bytes: int = Field(description="The size of each part of an uploaded benchmark but the last.")


class SystemOut(BaseModel):
    """The database and stores of this API process, and its disk."""

    database: str = Field(description="Either sqlite or postgresql.")
    doorbell: Literal["redis", "in process"]
    blobs: Literal["s3", "directory"]
    data_dir: str
    disk_free_bytes: int = Field(description="Free space on the data directory's disk.")
    disk_total_bytes: int = Field(description="Size of the data directory's disk.")


class WorkerOut(BaseModel):
    """A worker as it last described itself."""

    name: str
    gone: bool = Field(description="Whether it has not been seen for a minute: it died, hangs, or lost the database.")
    slots: int
    slots_busy: int
    device_classes: list[str]
    sandbox: str = Field(description="Either docker or process, with the OCI runtime if one is set.")
    environments: list[str] = Field(description="Environments whose image it has.")
    version: str = Field(description="Version of Lethe.")
    free_disk_bytes: int
    self_test: SelfTestForm | None = Field(description="Last test of its sandbox, if it made one.")
    started_at: datetime
    seen_at: datetime

    @classmethod
    def of(cls, worker: WorkerRow) -> Self:
        """Make the JSON form of a worker."""
        fields = {name: getattr(worker, name) for name in cls.model_fields if name != "gone"}
        return cls(gone=is_gone(worker), **fields)


class PhaseQueueOut(BaseModel):
    competition: str
    phase: str
    device: Device
    queued: int = Field(description="Evaluations that no worker has started.")
    running: int
    oldest_queued_s: float | None


class FirstSubmissionOut(BaseModel):
    """The first submission of an evaluation's code."""

    id: UUID
    name: str
    team: str


class OpenEvaluationOut(BaseModel):
    id: UUID
    competition: str
    phase: str
    state: State
    seeds: int
    seeds_done: int
    age_s: float = Field(description="Seconds since the evaluation was queued.")
    running_s: float | None
    attempt: int = Field(description="Highest number of attempts at one of its shards.")
    is_re_run: bool
    submission: FirstSubmissionOut | None


class LeaseOut(BaseModel):
    """A shard that a worker holds: the seeds from seed_start to seed_stop - 1."""

    worker: str
    device_class: str | None
    evaluation_id: UUID
    competition: str
    phase: str
    seed_start: int
    seed_stop: int
    seeds_done: int
    attempt: int
    expires_in_s: float = Field(
        description="Seconds until the lease expires; negative if the worker has stopped answering."
    )


class PlatformFailureOut(BaseModel):
    """An evaluation that failed through the platform after every retry."""

    evaluation_id: UUID
    competition: str
    phase: str
    message: str
    failed_at: datetime | None
    submission: FirstSubmissionOut | None


class QueueOut(BaseModel):
    shards: dict[State, int] = Field(description="How many wait and how many run.")
    oldest_queued_s: float | None = Field(description="Age in seconds of the oldest evaluation with a waiting shard.")
    phases: list[PhaseQueueOut] = Field(description="Phases with evaluations that wait or run.")
    evaluations: list[OpenEvaluationOut] = Field(
        description="The next 100 evaluations, in the order in which workers take them."
    )
    leases: list[LeaseOut] = Field(description="Leases by worker. Idle workers are not listed.")
    platform_failures: list[PlatformFailureOut] = Field(description="The newest 20 platform failures.")
