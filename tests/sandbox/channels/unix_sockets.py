"""Sockets, with an abstract name and with a path, on which a process of an earlier seed listens."""

import os
import socket

from tools import SCRATCH, leave_running

NAMES = ("\0left", f"{SCRATCH}/left.socket")


def look():
    return [name for name in NAMES if _answers(name)] or None


def plant():
    def listen():
        for name in NAMES:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(name)
            listener.listen()
            os.dup(listener.fileno())

    leave_running(listen)


def _answers(name):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(name)
        except OSError:
            return False
    return True
