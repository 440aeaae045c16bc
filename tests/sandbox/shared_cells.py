"""Takes the place of `services/worker/runner/isolated.py` in containers that share all: seeds of all are one user."""

import contextlib
import os
from pathlib import Path

from services.worker.runner.cells import Takings

NOBODY = 65534


class IsolatedCells:
    def __init__(self, out, shelf, *, scratch, **_):
        self._out, self._shelf, self._scratch = out, shelf, scratch

    def open(self):
        pass

    def enter(self):
        os.chdir(self._scratch[0])
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)

    def end_processes(self):
        pass

    def take(self, token):
        opened = os.open(self._out, os.O_RDONLY | os.O_DIRECTORY)
        checkpoint, bad = self._shelf.take(opened, token)
        with contextlib.suppress(OSError):
            Path(self._out, token).unlink()
        os.close(opened)
        return Takings(checkpoint, bad, full=False)

    def close(self):
        pass
