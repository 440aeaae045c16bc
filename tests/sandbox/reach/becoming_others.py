"""Become root, the launcher or another seed's user."""

import os

from tools import libc


def attempt():
    became = []
    for number in (0, 65534, os.getuid() + 1):
        became += [
            f"{n} {number}"
            for n in ("setuid", "setgid", "setfsuid")
            if n != "setfsuid" and getattr(libc, n)(number) == 0
        ]
        for change in (lambda: os.setgroups([number]), lambda: os.setresuid(number, number, number)):
            try:
                change()
                became.append(number)
            except OSError:
                continue
    return became
