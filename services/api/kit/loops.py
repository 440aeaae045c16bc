"""Loops beside the requests of an API process, such as those that send mail."""

import asyncio
from collections.abc import Callable

import structlog
from anyio import CapacityLimiter, to_thread

__all__ = ["LOOK_EVERY_S", "Loop"]

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
LOOK_AGAIN_S = 10.0  # after a failure of ours, such as a database that does not answer


class Loop:
    """Takes steps in threads until closed, and pauses if there was nothing to do."""

    def __init__(self, name: str, step: Callable[[], bool], *, threads: int = 1) -> None:
        """`step` does one thing that waits, and tells whether there was one. Several threads may take steps at once."""
        self._name, self._step, self._threads = name, step, threads
        self._closing = asyncio.Event()
        self._limiter = CapacityLimiter(threads)

    def close(self) -> None:
        """Let the loop end after the steps that it is taking."""
        self._closing.set()

    async def run(self, look_every_s: float) -> None:
        """Take steps until closed, and look so often whether there is something to do."""
        await asyncio.gather(*(self._run(look_every_s) for _ in range(self._threads)))

    async def _run(self, look_every_s: float) -> None:
        pause_s = look_every_s
        while not await self._closes_within(pause_s):
            try:
                while not self._closing.is_set() and await to_thread.run_sync(self._step, limiter=self._limiter):
                    pass
                pause_s = look_every_s
            except Exception:
                pause_s = LOOK_AGAIN_S
                log.exception("loop_failed", loop=self._name, remedy="the next look tries again")

    async def _closes_within(self, pause_s: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), pause_s)
        except TimeoutError:
            return False
        return True
