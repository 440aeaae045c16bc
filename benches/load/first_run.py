"""From upload to running, by the events' own times, while a slot is free."""

import time
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select

from benches.load.site import SUBMIT, Site, User
from services.cli.client import Client
from services.core.models import Evaluation, Event, EventKind, Submission

__all__ = ["FirstRun", "first_runs"]

ENTRY = b"RUN = %d\n\ndef unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"
PATIENCE_S = 120


@dataclass
class FirstRun:
    """How long entries took from the end of their upload until a worker had begun with them."""

    doorbell: str
    entries: int
    p50_s: float
    p95_s: float


def first_runs(running: Site, user: User, entries: int) -> FirstRun:
    """Submit entries one after another, each once the one before has ended."""
    client = Client(running.urls[0], user.token)
    waits = [_wait(running, client, number) for number in range(entries + 1)][1:]  # the first one loads everything
    client.close()
    p50, p95 = np.percentile(waits, [50, 95])
    return FirstRun("inside the worker" if running.settings.embedded else "Redis", entries, float(p50), float(p95))


def _wait(running: Site, client: Client, number: int) -> float:
    file = running.logs / "entry.py"
    file.write_bytes(ENTRY % number)
    submission = UUID(str(client.upload(SUBMIT, file, filename=file.name)["id"]))
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if (waited_s := _measured(running, submission)) is not None:
            return waited_s
        time.sleep(0.2)
    raise RuntimeError(f"The entry had not ended after {PATIENCE_S} s. The logs are in {running.logs}.")


def _measured(running: Site, submission: UUID) -> float | None:
    """Return the seconds from the queue to the worker; None if the evaluation has not ended."""
    of = select(Submission.evaluation_id).where(Submission.id == submission).scalar_subquery()
    with running.database.read() as session:
        if not session.scalar(select(Evaluation.id).where(Evaluation.id == of, Evaluation.has_ended)):
            return None
        times = dict(session.execute(select(Event.kind, Event.created_at).where(Event.evaluation_id == of)).all())
    return float((times[EventKind.RUNNING] - times[EventKind.QUEUED]).total_seconds())
