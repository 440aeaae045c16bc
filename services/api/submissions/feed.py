"""Events of evaluations as they are written: one poller per API process serves every stream.

A stream holds neither a thread nor a connection, only a follower with a small buffer. Sequence numbers are gapless
within an evaluation and assigned under its lock, so reading all above the last one seen misses nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select

from services.core.models import Evaluation, Event, EventKind
from services.core.store.database import Database, ReadSession

__all__ = ["TERMINAL", "EventFeed", "EventRecord"]

log = structlog.get_logger()

TERMINAL = frozenset(kind for kind in EventKind if kind.leads_to and kind.leads_to.ended)
POLL_EVERY_S = 0.25
GATHER_S = 0.02  # streams that begin together are served by one query
HEARTBEAT_S = 15.0
BATCH_EVENTS = 200
BATCH_EVALUATIONS = 500


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of an evaluation."""

    sequence: int
    kind: EventKind
    payload: dict[str, Any]
    created_at: datetime


@dataclass(eq=False, slots=True)
class _Follower:
    """One stream: the last event it was given, the events that wait for it, and a signal that some do."""

    evaluation_id: UUID
    given: int
    waiting: deque[EventRecord] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


class EventFeed:
    """Polls the events of followed evaluations and hands them to their followers."""

    def __init__(self, database: Database, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._database = database
        self._heartbeat_s = heartbeat_s
        self._followers: set[_Follower] = set()
        self._newcomer = asyncio.Event()
        self._closed = False

    @property
    def streams(self) -> int:
        """Count the open streams."""
        return len(self._followers)

    def close(self) -> None:
        """End every stream; their clients reconnect elsewhere or stop."""
        self._closed = True
        self._newcomer.set()
        for follower in self._followers:
            follower.arrived.set()

    async def follow(self, evaluation_id: UUID, after: int) -> AsyncGenerator[EventRecord | None, None]:
        """Yield the events above a sequence number up to a terminal one; None if nothing came for a while."""
        follower = _Follower(evaluation_id, after)
        self._followers.add(follower)
        self._newcomer.set()
        try:
            while not self._closed:
                if not follower.waiting and not await self._something(follower):
                    yield None
                while follower.waiting:
                    record = follower.waiting.popleft()
                    yield record
                    if record.kind in TERMINAL:
                        return
        finally:
            self._followers.discard(follower)

    async def poll(self) -> None:
        """Poll until the feed is closed. One task of the API process runs this."""
        while not self._closed:
            try:
                await self._poll_once()
            except Exception:
                log.exception("event_poll_failed", remedy="the next poll tries again")
            try:
                timeout = POLL_EVERY_S if self._followers else None
                await asyncio.wait_for(self._newcomer.wait(), timeout)
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                pass
            self._newcomer.clear()

    async def _something(self, follower: _Follower) -> bool:
        follower.arrived.clear()
        if self._closed:
            return True
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await follower.arrived.wait()
        except TimeoutError:
            return False
        return True

    async def _poll_once(self) -> None:
        """Read for followers whose buffers are empty, so that a slow client costs one batch of memory at most."""
        hungry = [follower for follower in self._followers if not follower.waiting]
        if not hungry:
            return
        wanted: dict[UUID, int] = {}
        for follower in hungry:
            given = wanted.get(follower.evaluation_id, follower.given)
            wanted[follower.evaluation_id] = min(given, follower.given)
        found = await asyncio.to_thread(self._read, wanted)
        for follower in hungry:
            records = [one for one in found.get(follower.evaluation_id, []) if one.sequence > follower.given]
            if records:
                follower.given = records[-1].sequence
                follower.waiting.extend(records)
                follower.arrived.set()

    def _read(self, wanted: dict[UUID, int]) -> dict[UUID, list[EventRecord]]:
        found = {}
        ids = list(wanted)
        with self._database.read() as session:
            for start in range(0, len(ids), BATCH_EVALUATIONS):
                some = ids[start : start + BATCH_EVALUATIONS]
                heads = session.execute(select(Evaluation.id, Evaluation.last_event).where(Evaluation.id.in_(some)))
                for evaluation_id, last in heads.all():
                    if last > wanted[evaluation_id]:
                        found[evaluation_id] = _events(session, evaluation_id, wanted[evaluation_id])
        return found


def _events(session: ReadSession, evaluation_id: UUID, after: int) -> list[EventRecord]:
    rows = session.scalars(
        select(Event)
        .where(Event.evaluation_id == evaluation_id, Event.sequence > after)
        .order_by(Event.sequence)
        .limit(BATCH_EVENTS)
    )
    return [
        EventRecord(row.sequence, row.kind, row.payload.model_dump() | _told(row.kind), row.created_at) for row in rows
    ]


def _told(kind: EventKind) -> dict[str, Any]:
    """Return the state that begins with an event, so that a client needs no list of states."""
    state = kind.leads_to
    return {"state": state, "ended": state.ended, "cancellable": state.cancellable} if state else {}
