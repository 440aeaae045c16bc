"""The objects that all requests of one API process share."""

from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from services.api.admin.metrics import DatabaseMetrics
from services.api.kit.cursors import Cursors
from services.api.kit.loops import Loop
from services.api.kit.observing import Latencies
from services.api.kit.rates import Rates
from services.api.kit.sending import Sending
from services.api.leaderboard.kept import KeptPages
from services.api.mail.delivery import mail_sending
from services.api.notices.heralding import Herald
from services.api.openid.providers import Providers
from services.api.submissions.feed import EventFeed
from services.api.submissions.streams import Seats
from services.api.webhooks.calling import hook_sending
from services.core.queue.doorbell import Doorbell
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database

__all__ = ["ApiState", "State", "make_state", "state_of"]

HOOKS_AT_ONCE = 4  # so that a slow one holds up few others
WRITERS = 8  # few, because writers wait for each other in the database and hold a thread meanwhile


@dataclass(frozen=True, slots=True)
class ApiState:
    """The objects of one API process."""

    settings: Settings
    key: bytes
    database: Database
    blobs: Blobs
    doorbell: Doorbell
    cursors: Cursors
    rates: Rates
    feed: EventFeed
    seats: Seats
    mail: Sending
    hooks: Sending
    herald: Herald
    loops: tuple[Loop, ...]  # what goes on beside requests
    providers: Providers
    writers: CapacityLimiter
    registry: CollectorRegistry  # of metrics
    latencies: Latencies
    pages: KeptPages


def make_state(settings: Settings) -> ApiState:
    """Open the database, the stores and the doorbell that the settings name."""
    database = Database(settings.resolved_database_url)
    key = settings.key()
    registry = CollectorRegistry()
    registry.register(DatabaseMetrics(database))
    mail, hooks = mail_sending(settings, key, database), hook_sending(settings, key, database)
    herald = Herald(settings, database)
    return ApiState(
        settings=settings,
        key=key,
        database=database,
        blobs=Blobs.from_settings(settings),
        doorbell=Doorbell(settings),
        cursors=Cursors(key),
        rates=Rates(settings.resolved_redis_url),
        feed=EventFeed(database),
        seats=Seats(),
        mail=mail,
        hooks=hooks,
        herald=herald,
        loops=(
            Loop("mail", mail.step),
            Loop("webhooks", hooks.step, threads=HOOKS_AT_ONCE),
            Loop("notices", herald.step),
        ),
        providers=Providers(settings.oidc),
        writers=CapacityLimiter(WRITERS),
        registry=registry,
        latencies=Latencies(registry),
        pages=KeptPages(),
    )


async def state_of(request: Request) -> ApiState:
    """Return the state of the app that a request came to."""
    state: ApiState = request.app.state.lethe
    return state


State = Annotated[ApiState, Depends(state_of)]
