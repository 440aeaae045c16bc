"""A System V memory segment."""

# weak: the container has none
from tools import libc


def look():
    return "segment" if libc.shmget(4242, 4096, 0) >= 0 else None


def plant():
    libc.shmget(4242, 4096, 0o1666)
