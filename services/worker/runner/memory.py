"""How much memory runs used, as the kernel counted it: getrusage(2)."""

import resource

__all__ = ["peak_bytes"]


def peak_bytes(used: resource.struct_rusage) -> int:
    """Say how large the largest process was at its largest: pages in RAM, those shared with others too."""
    return used.ru_maxrss * 1024  # Linux gives KiB
