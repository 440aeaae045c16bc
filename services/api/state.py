"""What every request of one API process shares."""

from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from services.api.kit.cursors import Cursors
from services.api.kit.rates import Rates
from services.api.submissions.feed import EventFeed
from services.core.blobs import Blobs
from services.core.database import Database
from services.core.doorbell import Doorbell
from services.core.settings import Settings

__all__ = ["ApiState", "State", "make_state", "state_of"]

WRITERS = 8  # few, since writers wait for each other in the database and hold a thread meanwhile


@dataclass(frozen=True, slots=True)
class ApiState:
    settings: Settings
    key: bytes
    database: Database
    blobs: Blobs
    doorbell: Doorbell
    cursors: Cursors
    rates: Rates
    feed: EventFeed
    writers: CapacityLimiter


def make_state(settings: Settings) -> ApiState:
    """Open everything that the settings name."""
    database = Database(settings.resolved_database_url)
    key = settings.key()
    return ApiState(
        settings=settings,
        key=key,
        database=database,
        blobs=Blobs.from_settings(settings),
        doorbell=Doorbell(settings),
        cursors=Cursors(key),
        rates=Rates(settings.redis_url),
        feed=EventFeed(database),
        writers=CapacityLimiter(WRITERS),
    )


def state_of(request: Request) -> ApiState:
    state: ApiState = request.app.state.lethe
    return state


State = Annotated[ApiState, Depends(state_of)]
