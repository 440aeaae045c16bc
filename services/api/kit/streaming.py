"""Streams wait most of their time, and hold little memory meanwhile.

Within the framework a request holds some thirty frames until it is answered. So a stream is answered there only with
its head, and handed over; `Streaming`, which lies outside, writes the rest.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from anyio import CancelScope
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Streaming", "hand_over"]

HANDED = "lethe.stream"


@dataclass(frozen=True, slots=True)
class _Stream:
    chunks: AsyncGenerator[bytes, None]
    at_end: Callable[[], None]


def hand_over(scope: Scope, chunks: AsyncGenerator[bytes, None], at_end: Callable[[], None]) -> None:
    """Let the rest of an answer, whose head is sent next, be written outside, and call `at_end` afterwards."""
    scope[HANDED].append(_Stream(chunks, at_end))


class Streaming:
    """Writes the streams that were handed over, until they end or their client has gone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        handed: list[_Stream] = []
        scope[HANDED] = handed
        before = set(scope)
        try:
            await self.app(scope, receive, send)
            for stream in handed:
                for noted in scope.keys() - before:  # by the framework, for itself
                    del scope[noted]
                await _write(stream.chunks, receive, send)
        finally:
            for stream in handed:
                stream.at_end()


async def _write(chunks: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    with CancelScope() as writing:
        listening = asyncio.create_task(_end_with_client(receive, writing))
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            listening.cancel()


async def _end_with_client(receive: Receive, writing: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    writing.cancel()
