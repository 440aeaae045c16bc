"""Retries with back-off: an evaluation that could not be scored does not block the others."""

import time
from uuid import UUID

__all__ = ["Retries"]

RETRY_AFTER_S = 15.0  # and twice as long after each further failure, up to an hour
MAX_DOUBLINGS = 8


class Retries:
    """The evaluations that failed in this process: how often, and the time of the next try."""

    def __init__(self) -> None:
        self._failing: dict[UUID, tuple[int, float]] = {}  # tries, and the time of the next one by the monotonic clock

    def put_off(self, evaluation_id: UUID) -> int:
        """Put an evaluation off, longer each time; return how often it has failed."""
        tries, _ = self._failing.get(evaluation_id, (0, 0.0))
        wait_s = RETRY_AFTER_S * 2 ** min(tries, MAX_DOUBLINGS)
        self._failing[evaluation_id] = tries + 1, time.monotonic() + wait_s
        return tries + 1

    def forget(self, evaluation_id: UUID) -> None:
        """Forget that an evaluation failed, because it has been scored."""
        self._failing.pop(evaluation_id, None)

    def later(self) -> set[UUID]:
        """Return the evaluations that must not be tried yet."""
        now = time.monotonic()
        return {evaluation_id for evaluation_id, (_, again_at) in self._failing.items() if again_at > now}
