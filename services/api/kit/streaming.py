"""Streams wait most of their time, and hold little memory meanwhile.

Within the framework a request holds some thirty frames until it is answered. So a stream is answered there only with
its head, and handed over; `Streaming`, which lies outside, writes the rest.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, ExitStack, aclosing
from dataclasses import dataclass

from anyio import CancelScope
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Streaming", "hand_over"]

HANDED = "lethe.stream"


@dataclass(frozen=True, slots=True)
class _Stream:
    chunks: AsyncGenerator[bytes, None]
    held: ExitStack


def hand_over(scope: Scope, chunks: AsyncGenerator[bytes, None], held: AbstractContextManager[None]) -> None:
    """Let the rest of an answer, whose head is sent next, be written outside; `held` is held until its end.

    Raises what entering `held` raises.
    """
    holding = ExitStack()
    holding.enter_context(held)
    scope[HANDED].append(_Stream(chunks, holding))


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
        try:
            await self.app(scope, receive, send)
            for stream in handed:
                await _write(stream.chunks, receive, send)
        finally:
            for stream in handed:
                stream.held.close()


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
