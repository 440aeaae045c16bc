"""The flag O_NONBLOCK and the signals of streams that seeds could share."""

# also: process
# weak: even the weakened launcher makes new streams
import fcntl
import os


def look():
    flags = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in (0, 1, 2)]
    return flags if any(f & (os.O_NONBLOCK | os.O_ASYNC) for f in flags) else None


def plant():
    for fd in (0, 1, 2):
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
