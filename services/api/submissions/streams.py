"""Events on the wire: Server-Sent Events, resumed from `Last-Event-ID`."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from uuid import UUID

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from sqlalchemy import func, select
from starlette.types import Receive, Scope, Send

from services.api.kit.streaming import hand_over
from services.api.submissions.feed import TERMINAL, EventFeed, EventRecord
from services.core.errors import BadInput, LetheError
from services.core.models import Event
from services.core.store.database import ReadSession

__all__ = ["BadEventId", "EventStream", "Seats", "TooManyStreams", "has_ended", "resume_after", "stream"]

RECONNECT_MS = 2000
MAX_SEQUENCE = 2**31 - 1
PER_ACCOUNT = 20
PER_ADDRESS = 100
RETRY_AFTER_S = 15


class BadEventId(BadInput):
    code = "bad_event_id"


def resume_after(last_event_id: str | None) -> int:
    """Read the header with which a client resumes; 0 if it is missing. Raises BadEventId."""
    if not last_event_id:
        return 0
    if not (last_event_id.isascii() and last_event_id.isdecimal() and int(last_event_id[:11]) <= MAX_SEQUENCE):
        raise BadEventId(
            "Last-Event-ID is not the id of an event. Send the id of the last event you saw, or leave the header out."
        )
    return int(last_event_id)


def has_ended(session: ReadSession, evaluation_id: UUID, after: int) -> bool:
    """Whether the terminal event is among those already seen."""
    newest = session.scalars(
        select(func.max(Event.sequence)).where(Event.evaluation_id == evaluation_id, Event.kind.in_(TERMINAL))
    ).one()
    return newest is not None and after >= newest


class TooManyStreams(LetheError):
    code = "too_many_streams"
    status = 429


class Seats:
    """Counts the open streams of one API process, by account and by address. All calls come from its event loop."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, str]] = Counter()

    def take(self, account: str, address: str) -> Callable[[], None]:
        """Take a seat for one stream, and return what gives it back.

        Raises TooManyStreams if the account or the address has none left.
        """
        seats = {("account", account): PER_ACCOUNT, ("address", address): PER_ADDRESS}
        for (what, who), limit in seats.items():
            if self._taken[what, who] >= limit:
                raise TooManyStreams(
                    f"Your {what} has {limit} event streams open, which is the limit. Close one, then try again.",
                    retry_after_s=RETRY_AFTER_S,
                )
        self._taken.update(seats.keys())
        return partial(self._give_back, tuple(seats))

    def _give_back(self, seats: tuple[tuple[str, str], ...]) -> None:
        self._taken -= Counter(seats)


class EventStream(StreamingResponse):
    """Server-Sent Events. FastAPI makes them of what an endpoint yields, but such an endpoint cannot answer 204."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes, None], take_seat: Callable[[], Callable[[], None]], status_code: int = 200
    ) -> None:
        super().__init__(events, status_code, headers={"X-Accel-Buffering": "no"})
        self._events = events
        self._take_seat = take_seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a seat and send the head; the events are written elsewhere. Raises TooManyStreams."""
        hand_over(scope, self._events, self._take_seat())
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


async def stream(feed: EventFeed, evaluation_id: UUID, after: int) -> AsyncGenerator[bytes, None]:
    """Write the events of an evaluation as they come, and a comment if none comes for a while."""
    yield format_sse_event(retry=RECONNECT_MS)
    async with aclosing(feed.follow(evaluation_id, after)) as records:
        async for record in records:
            yield _event(record) if record else format_sse_event(comment="still here")


def _event(record: EventRecord) -> bytes:
    data = json.dumps(record.payload | {"at": record.created_at.isoformat()}, separators=(",", ":"))
    return format_sse_event(data_str=data, event=record.kind, id=str(record.sequence))
