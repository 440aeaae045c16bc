"""The output directory of the process sandbox, which the kernel does not bound."""

import contextlib
import itertools
import os

from services.worker.launcher import SLACK_BYTES
from services.worker.station import Station

__all__ = ["too_full"]

MAX_FILES = 1000


def too_full(station: Station) -> bool:
    """Tell whether more lies there than checkpoints need. Only the top is looked at."""
    try:
        with os.scandir(station.slot.out) as entries:
            files = list(itertools.islice(entries, MAX_FILES + 1))
    except FileNotFoundError:  # the launcher is just replacing it
        return False
    return len(files) > MAX_FILES or sum(map(_size, files)) > 2 * (station.model_bytes + SLACK_BYTES)


def _size(entry: "os.DirEntry[str]") -> int:
    with contextlib.suppress(OSError):
        return entry.stat(follow_symlinks=False).st_size
    return 0
