"""Cookies of sockets count all that were asked for on the host."""

# weak: the profile refuses the request
import socket

COOKIE = 57


def look():
    one, _ = socket.socketpair()
    try:
        return one.getsockopt(socket.SOL_SOCKET, COOKIE, 8)
    except OSError:
        return None


def plant():
    """Asking is enough."""
