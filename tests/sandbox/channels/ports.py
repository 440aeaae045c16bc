"""Ports of the loopback interface, bound by a process of an earlier seed or waiting after a connection."""

# weak: the profile refuses the sockets
import os
import socket

from tools import leave_running

FAMILIES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def look():
    taken = []
    for family, host in FAMILIES:
        with socket.socket(family) as probe:
            try:
                probe.bind((host, 4242))
            except OSError as error:
                taken += [host] if error.errno == 98 else []
    return taken or None


def plant():
    def listen():
        for family, host in FAMILIES:
            listener = socket.socket(family)
            listener.bind((host, 4242))
            listener.listen()
            os.dup(listener.fileno())

    leave_running(listen)
