"""The inode numbers of process descriptors count all processes of the host."""

# weak: the profile refuses the calls
import os
import socket

PEER = 77


def look():
    seen = []
    try:
        seen.append(os.fstat(os.pidfd_open(os.getpid())).st_ino)
    except OSError:
        pass
    with socket.socketpair()[0] as one:
        try:
            seen.append(os.fstat(one.getsockopt(socket.SOL_SOCKET, PEER)).st_ino)
        except OSError:
            pass
    return [n for n in seen if n > 100] or None


def plant():
    """Processes are enough."""
