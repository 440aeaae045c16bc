"""Shared memory and queues under one key."""

from tools import libc


def meet():
    made = libc.shmget(4242, 4096, 0o3666), libc.msgget(4242, 0o3666)
    return [m for m in made if m >= 0]
