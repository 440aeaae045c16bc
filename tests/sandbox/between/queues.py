"""Shared memory and queues under one key: whoever comes second finds that the other has made them."""

import ctypes
import errno

from tools import libc

CREATE_NEW = 0o3666


def meet():
    found = []
    for make in (lambda: libc.shmget(4242, 4096, CREATE_NEW), lambda: libc.msgget(4242, CREATE_NEW)):
        ctypes.set_errno(0)
        if make() < 0 and ctypes.get_errno() == errno.EEXIST:
            found.append("made by the other")
    return found
