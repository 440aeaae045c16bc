"""Refuses requests when too many are being answered already: each would wait longer than its client does.

A request counts until its answer begins, but not while it waits for its client's body. So neither an open stream nor a
slow upload takes a place.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.kit.problems import problem

__all__ = ["CrowdLimit"]

AT_ONCE = 40  # in one process: as many as it has threads, which is what it answers in about half a second
RETRY_AFTER_S = 2
PROBES = {"/api/health"}  # which ask whether the process lives


class CrowdLimit:
    """Answers 503 to a request that comes while as many as the limit are being answered."""

    def __init__(self, app: ASGIApp, at_once: int = AT_ONCE) -> None:
        self.app = app
        self.at_once = at_once
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        if self._busy >= self.at_once:
            refused = problem(
                503,
                "overloaded",
                f"The server is answering {self.at_once} requests already. Try again in {RETRY_AFTER_S} s.",
                retry_after_s=RETRY_AFTER_S,
            )
            await refused(scope, receive, send)
            return
        begun = False

        async def receive_apart() -> Message:
            if begun:
                return await receive()
            self._busy -= 1
            try:
                return await receive()
            finally:
                self._busy += 1

        async def send_and_leave(message: Message) -> None:
            nonlocal begun
            if not begun:
                begun = True
                self._busy -= 1
            await send(message)

        self._busy += 1
        try:
            await self.app(scope, receive_apart, send_and_leave)
        finally:
            if not begun:
                self._busy -= 1
