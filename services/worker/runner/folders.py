"""Cells for the process sandbox, which isolates nothing: new directories for every seed."""

import contextlib
import os
import signal
from pathlib import Path

from services.core.processes import end_with_parent
from services.worker.runner.cells import Shelf, Takings

__all__ = ["FolderCells"]


class FolderCells:
    """New directories for every seed, for code that runs with our own rights."""

    def __init__(self, out: Path, shelf: Shelf, *, scratch: Path) -> None:
        self._out, self._shelf, self._scratch = out, shelf, scratch
        self._swept = out.with_name(f"{out.name}.swept")
        self._swept.mkdir(exist_ok=True)
        self._count = 0

    def open(self) -> None:
        """Do nothing, because `close` leaves new directories."""

    def enter(self) -> None:
        """Ask to be ended with the launcher."""
        end_with_parent()

    def end_processes(self) -> None:
        """Kill every descendant; those whose parents have ended are children of this process."""
        while survivors := _children():
            for process in survivors:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            for process in survivors:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, 0)

    def take(self, token: str) -> Takings:
        """Copy from the output directory."""
        opened = os.open(self._out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        checkpoint, bad = self._shelf.take(opened, token)
        os.close(opened)
        return Takings(checkpoint, bad, full=False)

    def close(self) -> None:
        """Put new directories in the place of the used ones, and let `rm` remove these, however deep they are."""
        for directory in (self._out, self._scratch):
            self._count += 1
            directory.rename(self._swept / str(self._count))
            directory.mkdir()
        os.chdir(self._scratch)
        rm = os.posix_spawnp("rm", ["rm", "-rf", *map(str, self._swept.iterdir())], os.environ)
        os.waitpid(rm, 0)


def _children() -> list[int]:
    me = os.getpid()
    listed = Path(f"/proc/{me}/task/{me}/children")
    if listed.exists():
        return [int(process) for process in listed.read_text().split()]
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent_of(path) == me]


def _parent_of(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None
