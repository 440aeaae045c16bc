"""Reads from the kernel how much memory runs took, and whether it ran out: getrusage(2), cgroups(7)."""

import contextlib
import os
import resource
from pathlib import Path

__all__ = ["MemoryEvents", "peak_bytes"]

_MEMORY_EVENTS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


def peak_bytes(used: resource.struct_rusage) -> int:
    """Return the peak size of the largest process in bytes: its pages in RAM, including shared ones."""
    return used.ru_maxrss * 1024  # Linux counts in KiB


class MemoryEvents:
    """Counts the processes that the kernel killed in this container for lack of memory (cgroup v2, then v1)."""

    def __init__(self) -> None:
        self._events: int | None = None
        for path in _MEMORY_EVENTS:
            if self._events is None:
                with contextlib.suppress(OSError):
                    self._events = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a seed cannot see this path
        self._at_start = self._kills()

    def ran_out(self, *, anew: bool = False) -> bool:
        """Tell whether it happened since the launcher started, or since somebody asked to count `anew`."""
        now, before = self._kills(), self._at_start
        if anew:
            self._at_start = now
        return now > before

    def _kills(self) -> int:
        if self._events is None:
            return 0
        lines = os.pread(self._events, 4096, 0).decode().splitlines()
        return int(dict(line.split() for line in lines).get("oom_kill", 0))
