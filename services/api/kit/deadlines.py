"""A deadline for bodies: a client that sends too slowly keeps no request waiting."""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.kit.problems import problem

__all__ = ["BodyDeadline"]

GRACE_S = 20.0
LEAST_BYTES_PER_S = 4096


class BodyDeadline:
    """Answers 408 if a body takes longer than a grace period and the time that its bytes need at the least rate.

    Only the time counts in which the app waits for the client, so a slow app refuses nobody.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        left_s = GRACE_S
        complete = answered = late = False

        async def receive_in_time() -> Message:
            nonlocal left_s, complete, late
            if complete:
                return await receive()
            if late:
                return {"type": "http.disconnect"}
            began = time.monotonic()
            try:
                async with asyncio.timeout(left_s):
                    message = await receive()
            except TimeoutError:
                late = True
                if not answered:
                    await _too_slow(scope, receive, send)
                return {"type": "http.disconnect"}
            left_s += len(message.get("body", b"")) / LEAST_BYTES_PER_S - (time.monotonic() - began)
            complete = not message.get("more_body", False)
            return message

        async def send_unless_late(message: Message) -> None:
            nonlocal answered
            if late and not answered:
                return  # the client has its answer
            answered = True
            await send(message)

        await self.app(scope, receive_in_time, send_unless_late)


async def _too_slow(scope: Scope, receive: Receive, send: Send) -> None:
    refused = problem(
        408,
        "too_slow",
        f"The body came more slowly than {LEAST_BYTES_PER_S:,} bytes in a second. Send it over a faster connection.",
    )
    refused.headers["Connection"] = "close"
    await refused(scope, receive, send)
