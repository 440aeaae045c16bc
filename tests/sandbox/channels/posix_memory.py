"""POSIX shared memory and a named semaphore."""

import os

from tools import libc


def look():
    return "memory" if libc.shm_open(b"/left-memory", os.O_RDONLY, 0) >= 0 else None


def plant():
    libc.shm_open(b"/left-memory", os.O_CREAT | os.O_RDWR, 0o666)
    libc.sem_open(b"/left-semaphore", os.O_CREAT, 0o666, 1)
