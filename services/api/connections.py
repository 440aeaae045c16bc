"""Connections: how many there may be, and how long one may wait for its client. Uvicorn itself waits for ever.

Bodies have a deadline of their own (`kit.deadlines`), because only the app knows when it waits for one.
"""

import asyncio
import resource
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Connection", "allow_files"]

log = structlog.get_logger()

MAX_CONNECTIONS = 3_000  # most of them idle streams, which cost only memory
OTHER_FILES = 200  # that a process has open: database connections, logs, blobs
REQUEST_S = 20.0  # for the head of a request, and for the rest of one that is answered already
STALLED_S = 30.0  # without a byte that the client takes
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def allow_files() -> None:
    """Let this process open a file for each connection. Usually it may open 1,024 until it asks for more."""
    wanted = MAX_CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if most < wanted:
        log.warning("few_files", allowed=most, wanted=wanted, remedy="raise this service's limit of open files")
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class Connection(H11Protocol):
    """A connection that is closed if its client keeps it waiting."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._request_deadline: asyncio.TimerHandle | None = None
        self._stall_check: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, or refuse the connection if there are too many."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that we hear of every write that has to wait
        if len(self.connections) > MAX_CONNECTIONS:
            transport.write(FULL)
            transport.close()
        self._await_client()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all deadlines."""
        super().connection_lost(exc)
        _cancel(self._request_deadline)
        self._request_deadline = None
        _cancel(self._stall_check)
        self._stall_check = None

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request. Those that do not complete its head move no deadline."""
        if not self.transport.is_closing():
            super().data_received(data)
            self._await_client()

    def pause_writing(self) -> None:
        """Begin to watch whether the client takes what was written."""
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Stop watching: the client has taken everything."""
        super().resume_writing()
        _cancel(self._stall_check)
        self._stall_check = None

    def _await_client(self) -> None:
        state = self.conn.their_state
        if state is h11.IDLE or (state is h11.SEND_BODY and self.conn.our_state is h11.DONE):
            self._request_deadline = self._request_deadline or self.loop.call_later(REQUEST_S, self.transport.abort)
        else:
            _cancel(self._request_deadline)
            self._request_deadline = None

    def _watch(self, waiting_bytes: int) -> None:
        self._stall_check = self.loop.call_later(STALLED_S, self._end_if_stalled, waiting_bytes)

    def _end_if_stalled(self, waiting_bytes: int) -> None:
        still = self.transport.get_write_buffer_size()
        if still >= waiting_bytes:
            self.transport.abort()
        else:
            self._watch(still)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
