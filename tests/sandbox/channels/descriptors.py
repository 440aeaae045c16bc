"""Descriptors that a seed inherits beside its streams: their positions could be shared."""

# also: process
# weak: even the weakened launcher closes them
import os


def look():
    mine = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if int(fd) > 2 and _is_open(fd)}
    return sorted(p for p in mine if p.startswith("/lethe") or "pipe" in p or "memfd" in p) or None


def plant():
    """There must be none to begin with."""


def _is_open(fd):
    try:
        os.fstat(int(fd))
    except OSError:
        return False
    return True
