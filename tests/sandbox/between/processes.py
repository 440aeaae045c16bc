"""Processes of the other one."""

import os
import time

from tools import libc

SET_NAME = 15


def meet():
    libc.prctl(SET_NAME, b"between", 0, 0, 0)  # its file under /proc may be root's
    time.sleep(1)
    names = [
        open(f"/proc/{p}/comm").read().strip() for p in os.listdir("/proc") if p.isdigit() and p != str(os.getpid())
    ]
    return [name for name in names if name == "between"]
