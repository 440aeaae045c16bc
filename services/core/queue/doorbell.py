"""The doorbell: Celery messages that say "look" and carry nothing else.

The database row is the queue. Losing or repeating a ring is harmless, because a woken worker claims until nothing that
it can serve is claimable, and a sweeper rings again while work is waiting. With Redis a ring crosses machines; without
it Celery's in-process transport keeps it inside the process whose sweeper rang.
"""

import threading
import warnings
from collections.abc import Callable
from enum import StrEnum

import structlog
from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError

from services.core.queue.hearing import Hearing, connect_anew
from services.core.settings import Settings

__all__ = ["Bell", "Doorbell"]

log = structlog.get_logger()

REDIS = {"socket_timeout": 5, "socket_connect_timeout": 2}
IN_PROCESS = {"polling_interval": 0.05}  # seconds; Celery's own choice is 1


class Bell(StrEnum):
    """What to look for; also the name of the Celery queue."""

    RUN = "run"
    SCORE = "score"


class Doorbell:
    """Rings bells, and holds the Celery app on which a worker answers them."""

    def __init__(self, settings: Settings) -> None:
        self.embedded = settings.embedded
        self.app = Celery("lethe", broker=settings.resolved_redis_url or "memory://localhost/")
        self.app.conf.update(
            task_serializer="json",
            accept_content=["json"],
            task_ignore_result=True,
            task_create_missing_queues=True,
            worker_prefetch_multiplier=1,
            worker_send_task_events=False,
            worker_enable_remote_control=False,
            worker_hijack_root_logger=False,
            worker_redirect_stdouts=False,
            worker_soft_shutdown_timeout=30,
            broker_connection_retry_on_startup=True,
            broker_transport_options=REDIS if settings.redis_url else IN_PROCESS,
        )

    def ring(self, bell: Bell) -> None:
        """Ring from within the process that answers, or through Redis."""
        try:
            self.app.send_task(f"lethe.{bell}", queue=bell.value, retry=False)
        except OperationalError as error:
            log.warning("doorbell_failed", bell=bell.value, error=str(error), remedy="the sweeper will ring")

    def answer(
        self,
        bell: Bell,
        *,
        look: Callable[[], object],
        sweep: Callable[[], object],
        sweep_every_s: float,
        threads: int,
        stopping: threading.Event,
    ) -> None:
        """Call `look` at every ring, on up to `threads` threads, and `sweep` regularly, until SIGTERM or SIGINT.

        A signal sets `stopping`; running calls must notice it and return.
        """

        hearing = Hearing()

        def begin_to_stop(**_: object) -> None:
            stopping.set()

        def sweep_and_listen() -> None:
            sweep()
            if hearing.lost():
                worker.consumer.call_soon(connect_anew)

        # Celery warns root against pickled messages; ours are JSON, and a worker's code runs in its sandbox as nobody.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        self.app.task(name=f"lethe.{bell}", bind=True)(hearing.noting(look))
        hearing.listen()
        worker_shutting_down.connect(begin_to_stop, weak=False)
        sweeper = threading.Thread(
            target=_sweep_regularly, args=(sweep_and_listen, sweep_every_s, stopping), daemon=True
        )
        worker = self.app.Worker(
            pool="threads",
            concurrency=threads,
            queues=[bell.value],
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        sweeper.start()
        worker.start()
        stopping.set()
        sweeper.join()

    def ring_across(self, bell: Bell) -> None:
        """Ring a worker in another process; without Redis its own sweeper looks twice a second instead."""
        if not self.embedded:
            self.ring(bell)


def _sweep_regularly(sweep: Callable[[], object], every_s: float, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            sweep()
        except Exception:
            log.exception("sweep_failed", remedy="the next sweep tries again")
        stopping.wait(every_s)
