"""What is made once for all processes of a run of tests, because it takes long: whoever comes first makes it."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

__all__ = ["made_once"]


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the directory of that name, which `make` has filled; wait while another process makes it."""
    place = _of_all_processes(factory) / name
    with place.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            partial = place.with_suffix(".part")
            shutil.rmtree(partial, ignore_errors=True)  # of a process that failed
            make(partial)
            partial.rename(place)
    return place


def _of_all_processes(factory: pytest.TempPathFactory) -> Path:
    """Find the directory of this run: xdist gives each process a directory in it."""
    own = factory.getbasetemp()
    return own.parent if own.name.startswith("popen-") else own
