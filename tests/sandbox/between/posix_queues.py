"""A POSIX queue, a named semaphore and POSIX shared memory under one name: whoever comes second finds them."""

import ctypes
import os
import time

from tools import libc

CREATE_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR
NAME = b"/between"


def meet():
    found = []
    for make in ("mq_open", "shm_open", "sem_open"):
        function = getattr(libc, make)
        function.restype = ctypes.c_long
        ctypes.set_errno(0)
        passed = (NAME, CREATE_NEW, 0o666, None) if make != "sem_open" else (NAME, CREATE_NEW, 0o666, 1)
        function(*passed)
        if ctypes.get_errno() == 17:
            found.append(make)
    time.sleep(0.5)
    return found
