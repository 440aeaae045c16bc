"""A System V semaphore."""

# weak: the container has none
from tools import libc


def look():
    return "semaphore" if libc.semget(4242, 1, 0) >= 0 else None


def plant():
    libc.semget(4242, 1, 0o1666)
