"""Signs of life of a sandbox: how long it stood still, because somebody outside paused, froze or stopped it.

What runs first in a sandbox is ours, and tells every second that it lives. A pause ends these signs, whichever way and
whichever backend. What stood still is not held against the run. But nobody knows for sure how long a run took that was
paused, and a participant who could starve our process would look the same. So a run that is too long only because it
stood still failed through the platform, which is tried again; if that keeps happening beside a control entry that
passes, the entry is at fault.
"""

import time
from dataclasses import dataclass, field

from services.worker.failures import RunFailed, platform

__all__ = ["STILL_S", "Signs", "stood_still"]

STILL_S = 5.0  # without a sign, from which on a sandbox stands still; a busy machine delays signs by less
LONGEST_STILL_S = 30.0  # after which a run is given up, to begin anew in another sandbox


@dataclass(slots=True)
class Signs:
    """The signs of one run."""

    longest_s: float = LONGEST_STILL_S
    _stood_s: float = 0.0
    _heard: float = field(default_factory=time.monotonic)

    def hear(self) -> None:
        """Note that it lives."""
        silent_s = self._silent_s()
        if silent_s > STILL_S:
            self._stood_s += silent_s
        self._heard = time.monotonic()

    def skip(self) -> None:
        """Begin anew to wait for a sign, because nobody listened meanwhile."""
        self._heard = time.monotonic()

    def still_s(self) -> float:
        """Return how many seconds it stood still, until now."""
        silent_s = self._silent_s()
        return self._stood_s + (silent_s if silent_s > STILL_S else 0.0)

    def credit_s(self, limit_s: float) -> float:
        """Return by how much that extends a limit: at most twofold, so that no run lasts for ever."""
        return min(self.still_s(), limit_s)

    def raise_if_gone(self) -> None:
        """Raise a failure of the platform if it has stood still for so long that another sandbox is the better bet."""
        if self._silent_s() > self.longest_s:
            raise stood_still("")

    def _silent_s(self) -> float:
        return time.monotonic() - self._heard


def stood_still(said: str) -> RunFailed:
    """Explain a run of which nobody knows how long it took; `said` is the end of what was printed."""
    return platform("The sandbox stood still.", said)
