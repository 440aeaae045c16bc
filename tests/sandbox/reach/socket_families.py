"""Open a socket of any family but AF_UNIX: netlink, packets, raw, virtual machines, Bluetooth, cryptography."""
# weak: the profile refuses the calls

# gvisor: its own network stack answers, and it has no interface
import socket


def attempt():
    opened = []
    for family in (f for f in range(2, 46)):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            try:
                socket.socket(family, kind).close()
                opened.append((family, int(kind)))
            except OSError:
                continue
    return opened
