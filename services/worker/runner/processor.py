"""Reads how much processor time a cell takes, all its processes together: cgroups(7), getrusage(2).

In a container the kernel counts for the cgroup, which no process of a cell can leave, however it starts others and
whether or not anybody waits for them. Beside the cell only this launcher runs there. Without a cgroup of its own a
launcher has the kernel's sum over the children that were waited for; a process can keep its own children out of that
sum, so it is believed only where code runs with our own rights anyway. gVisor has neither.
"""

import contextlib
import os
import resource
from pathlib import Path

__all__ = ["ProcessorTime"]

_USAGE = (  # the file, and how many of its units make a second
    (Path("/sys/fs/cgroup/cpu.stat"), 1e6),
    (Path("/sys/fs/cgroup/cpuacct/cpuacct.usage"), 1e9),
)


class ProcessorTime:
    """A counter of user and system time. Make it before the cells are, because they hide the kernel's files."""

    def __init__(self, *, in_container: bool) -> None:
        self._usage: int | None = None
        self._in_container, self._units = in_container, 1.0
        for path, units in _USAGE if in_container else ():
            if self._usage is None:
                with contextlib.suppress(OSError):
                    self._usage = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a seed cannot see this path
                    self._units = units

    def now_s(self) -> float | None:
        """Return the seconds so far; None if nobody counts them in a way that a cell cannot evade."""
        if self._usage is not None:
            return _first_number(os.pread(self._usage, 4096, 0)) / self._units
        if self._in_container:
            return None
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime


def _first_number(text: bytes) -> int:
    """Return the only number of cgroup v1's file, or the first of v2's, which is `usage_usec`."""
    return int(text.split(b"\n", 1)[0].split()[-1])
