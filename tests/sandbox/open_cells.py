"""Takes the place of `services/worker/runner/isolated.py` in an open container: one cell for all, and bait beside it.

Whatever a seed must not reach is there for it to reach: secrets in the environment, a port, sockets, a terminal, a
program with raised rights, an engine's socket. Everything dies with the container.
"""

import contextlib
import os
import shutil
import socket
from pathlib import Path

from services.worker.runner.cells import Takings


class IsolatedCells:
    def __init__(self, out, shelf, *, scratch, **_):
        self._out, self._shelf, self._scratch = out, shelf, scratch
        self._bait = [socket.create_server(("127.0.0.1", 8000)), *map(_listening, ("/run/docker.sock", "\0docker"))]
        self._terminal = os.openpty()
        Path("/dev/tty1").symlink_to(os.ttyname(self._terminal[1]))
        shutil.copy("/bin/true", "/opt/raised")
        Path("/opt/raised").chmod(0o4755)

    def open(self):
        pass

    def enter(self):
        os.environ["LETHE_SECRET_KEY"] = "bait"
        os.chdir(self._scratch[0])

    def end_processes(self):
        pass

    def take(self, token):
        opened = os.open(self._out, os.O_RDONLY | os.O_DIRECTORY)
        checkpoint, bad = self._shelf.take(opened, token)
        for name in (token, f"{token}.note"):
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=opened)
        os.close(opened)
        return Takings(checkpoint, bad, full=False)

    def close(self):
        pass


def _listening(name):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen()
    return listener
