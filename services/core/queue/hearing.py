"""Noticing that a broker has stopped to deliver rings, and connecting anew.

Celery acknowledges a ring when it begins to answer it. If the broker does not take that in time, because Redis stood
still for some seconds, Celery only logs it: the ring counts as unanswered for ever, and once as many rings as threads
do, the broker delivers nothing any more.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from celery import Task
from celery.signals import task_received

__all__ = ["Hearing", "connect_anew"]

log = structlog.get_logger()

PATIENCE_S = 10.0  # for the acknowledgement of a ring that is being answered; a broker that stands still takes 5


@dataclass(slots=True)
class Hearing:
    """The rings that one Celery worker answers, and whether the broker knows."""

    patience_s: float = PATIENCE_S
    _messages: dict[str, Any] = field(default_factory=dict)  # kombu's, by the id of their request
    _begun_at: dict[str, float] = field(default_factory=dict)  # by the monotonic clock

    def listen(self) -> None:
        """Keep the message of every ring from now on."""
        task_received.connect(self._on_received, weak=False)

    def noting(self, look: Callable[[], object]) -> Callable[[Task], None]:
        """Return a task that notes that a ring is being answered, and looks."""

        def answer(task: Task) -> None:
            if task.request.id in self._messages:
                self._begun_at[task.request.id] = time.monotonic()
            look()

        return answer

    def lost(self) -> bool:
        """Tell whether the broker has not taken an acknowledgement. Then forget all rings, as a new connection does."""
        for ring, begun_at in list(self._begun_at.items()):
            if self._messages[ring].acknowledged:
                del self._begun_at[ring], self._messages[ring]
            elif time.monotonic() - begun_at > self.patience_s:
                self._begun_at.clear()
                self._messages.clear()
                return True
        return False

    def _on_received(self, request: Any, **_: object) -> None:
        self._messages[request.id] = request.message


def connect_anew() -> None:
    """Break the loop in which Celery reads from the broker, so that it connects anew.

    Called there. Raises ConnectionError.
    """
    log.warning("doorbell_deaf", remedy="connecting anew")
    raise ConnectionError("The broker did not take an acknowledgement.")
