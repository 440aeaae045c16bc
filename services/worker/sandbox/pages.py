"""Counts the memory of a process, in bytes: proc_pid_smaps(5). A process that has ended has none."""

import contextlib
from pathlib import Path

import psutil

__all__ = ["anonymous", "proportional", "resident"]

KIBIBYTE = 1024


def resident(process: psutil.Process) -> int:
    """Return all pages in RAM, the cheapest of the three and an upper bound of the others."""
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def proportional(process: psutil.Process) -> int:
    """Divide shared pages among their users; count them whole if the kernel refuses (the runner is guarded)."""
    with contextlib.suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return resident(process)


def anonymous(process: psutil.Process) -> int:
    """Leave pages of files out, as the kernel does when it frees memory: CUDA's libraries alone map gigabytes.

    Shared pages are divided among their users; they count whole if the kernel refuses.
    """
    with contextlib.suppress(OSError, ValueError):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        sizes = {name: int(size.split()[0]) for name, _, size in (line.partition(":") for line in lines[1:])}
        if "Pss_Anon" in sizes:
            return (sizes["Pss_Anon"] + sizes["Pss_Shmem"]) * KIBIBYTE
    with contextlib.suppress(psutil.Error):
        told = process.memory_info()
        return int(told.rss - told.shared)
    return 0
