"""Become root, the launcher or another seed's user."""

import os


def attempt():
    return [number for number in (0, 65534, os.getuid() + 1) for call in CALLS if _works(call, number)]


CALLS = (
    lambda number: os.setgroups([number]),
    lambda number: os.setresgid(number, number, number),
    lambda number: os.setresuid(number, number, number),
    os.setuid,
    os.setgid,
)


def _works(call, number):
    """Try in a process of its own, so that other attempts keep their user."""
    child = os.fork()
    if not child:
        try:
            call(number)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0
