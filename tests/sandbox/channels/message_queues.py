"""A System V queue and a POSIX queue."""

# weak: the container has none
import os

from tools import libc


def look():
    return "queue" if libc.msgget(4242, 0) >= 0 or libc.mq_open(b"/left", os.O_RDONLY) >= 0 else None


def plant():
    libc.msgget(4242, 0o1666)
    libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o666, None)
