"""Numbers by which the kernel counts all namespaces: a seed's own and its container's tell how many lie between."""

# weak: the profile refuses the request
import fcntl
import os
import struct

GET_ID, GET_MOUNTS_ID = 0x8008B70D, 0x8008B705


def look():
    seen = {}
    for name in ("pid", "uts", "mnt", "ipc"):
        opened = os.open(f"/proc/self/ns/{name}", os.O_RDONLY)
        for request in (GET_ID, GET_MOUNTS_ID):
            try:
                seen[name] = struct.unpack("Q", fcntl.ioctl(opened, request, bytes(8)))[0]
            except OSError:
                continue
        os.close(opened)
    return seen or None


def plant():
    """The launcher makes one for each seed."""
