"""What the state of the installation looks like from outside."""

from typing import Literal

from pydantic import BaseModel

from services.core.models import State

__all__ = ["HealthOut", "QueueOut"]


class HealthOut(BaseModel):
    status: Literal["ok"] = "ok"
    version: str


class QueueOut(BaseModel):
    shards: dict[State, int]
    oldest_queued_s: float | None
