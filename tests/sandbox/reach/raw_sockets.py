"""Open a socket that sends packets of one's own making."""
# weak: the profile refuses the calls

import socket


def attempt():
    opened = []
    for family, kind in (
        (socket.AF_INET, socket.SOCK_RAW),
        (socket.AF_PACKET, socket.SOCK_RAW),
        (socket.AF_PACKET, socket.SOCK_DGRAM),
    ):
        try:
            socket.socket(family, kind, 1).close()
            opened.append((family, kind))
        except OSError:
            continue
    return opened
