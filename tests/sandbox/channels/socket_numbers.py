"""The inode numbers of sockets count those of the whole host: a seed ends on a round number, and the next one sees it."""

# docker: the host counts, and every seed may look; only a kernel of its own would help
# gvisor: its kernel counts, too, for the whole container
import os
import socket

ROUND, NEAR = 2**17, 6000


def look():
    return _next() if _next() % ROUND < NEAR and _next() > ROUND else None


def plant():
    for _ in range(2 * ROUND):
        if _next() % ROUND < 64:
            break


def _next():
    one, other = socket.socketpair()
    number = max(os.fstat(one.fileno()).st_ino, os.fstat(other.fileno()).st_ino)
    one.close()
    other.close()
    return number
