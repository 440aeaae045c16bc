"""What the state of the installation looks like from outside."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.core.models import Device, State
from services.core.settings import SandboxKind

__all__ = [
    "HealthOut",
    "InstallationOut",
    "LeaseOut",
    "OpenEvaluationOut",
    "PhaseQueueOut",
    "PlatformFailureOut",
    "QueueOut",
    "SubmittedOut",
    "SystemOut",
]


class HealthOut(BaseModel):
    status: Literal["ok"] = "ok"
    version: str


class InstallationOut(BaseModel):
    """What everybody may know of an installation's settings."""

    version: str
    sandbox: SandboxKind
    sign_up_open: bool = Field(description="Whether strangers may make accounts.")
    max_upload_bytes: int


class SystemOut(BaseModel):
    """The machine that the API runs on, and what it is connected to."""

    database: str = Field(description="sqlite or postgresql.")
    doorbell: Literal["redis", "in process"]
    blobs: Literal["s3", "directory"]
    data_dir: str
    disk_free_bytes: int = Field(description="Of the disk under the data directory.")
    disk_total_bytes: int


class PhaseQueueOut(BaseModel):
    competition: str
    phase: str
    device: Device
    queued: int = Field(description="Evaluations that no worker has begun.")
    running: int
    oldest_queued_s: float | None


class SubmittedOut(BaseModel):
    """The first submission of some code."""

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
    age_s: float = Field(description="Since it was queued.")
    running_s: float | None
    attempt: int = Field(description="The most tries that one of its shards has had.")
    is_re_run: bool
    submission: SubmittedOut | None


class LeaseOut(BaseModel):
    """A shard in a worker's hands: seeds seed_start to seed_stop - 1."""

    worker: str
    device_class: str | None
    evaluation_id: UUID
    competition: str
    phase: str
    seed_start: int
    seed_stop: int
    seeds_done: int
    attempt: int
    expires_in_s: float = Field(description="Negative where the worker has stopped answering.")


class PlatformFailureOut(BaseModel):
    """An evaluation that ended by our fault, after every retry."""

    evaluation_id: UUID
    competition: str
    phase: str
    message: str
    failed_at: datetime | None
    submission: SubmittedOut | None


class QueueOut(BaseModel):
    shards: dict[State, int]
    oldest_queued_s: float | None = Field(description="Age of the oldest evaluation with a shard that waits.")
    phases: list[PhaseQueueOut] = Field(description="With anything that waits or runs.")
    evaluations: list[OpenEvaluationOut] = Field(description="The next 100, in the order in which they are served.")
    leases: list[LeaseOut] = Field(description="By worker. An idle worker holds none, so it is not seen.")
    platform_failures: list[PlatformFailureOut] = Field(description="The newest 20.")
