"""Reads the peak memory of runs from the kernel: getrusage(2)."""

import resource

__all__ = ["peak_bytes"]


def peak_bytes(used: resource.struct_rusage) -> int:
    """Return the peak size of the largest process in bytes: its pages in RAM, including shared ones."""
    return used.ru_maxrss * 1024  # Linux counts in KiB
