"""Events on the wire: Server-Sent Events, resumed from `Last-Event-ID`."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from sqlalchemy import func, select

from services.api.submissions.feed import TERMINAL, EventFeed, EventRecord
from services.core.errors import BadInput
from services.core.models import Event
from services.core.store.database import ReadSession

__all__ = ["BadEventId", "EventStream", "has_ended", "resume_after", "stream"]

RECONNECT_MS = 2000
MAX_SEQUENCE = 2**31 - 1


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


class EventStream(StreamingResponse):
    """Server-Sent Events. FastAPI makes them of what an endpoint yields, but such an endpoint cannot answer 204."""

    media_type = "text/event-stream"


async def stream(feed: EventFeed, evaluation_id: UUID, after: int) -> AsyncIterator[bytes]:
    """Write the events of an evaluation as they come, and a comment if none comes for a while."""
    yield format_sse_event(retry=RECONNECT_MS)
    async with aclosing(feed.follow(evaluation_id, after)) as records:
        async for record in records:
            yield _event(record) if record else format_sse_event(comment="still here")


def _event(record: EventRecord) -> bytes:
    data = json.dumps(record.payload | {"at": record.created_at.isoformat()}, separators=(",", ":"))
    return format_sse_event(data_str=data, event=record.kind, id=str(record.sequence))
