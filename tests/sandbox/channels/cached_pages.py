"""Which pages of a file the host has in memory: reading a page leaves a mark."""

# gvisor: answers for its own memory, always the same
# weak: the profile refuses the calls
import ctypes
import mmap
import os

from tools import call

MINCORE, FADVISE, CACHESTAT, PREADV2, NOWAIT = 27, 221, 451, 327, 8


def look():
    open_calls = {}
    opened = os.open(__file__, os.O_RDONLY)
    with mmap.mmap(-1, 4096) as page:
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        open_calls["mincore"] = call(MINCORE, address, 4096, ctypes.addressof(ctypes.create_string_buffer(8)))
    open_calls["fadvise"] = call(FADVISE, opened, 0, 4096, 4)
    open_calls["cachestat"] = call(CACHESTAT, opened, 0, 0, 0)
    try:
        os.preadv(opened, [bytearray(1)], 0, os.RWF_NOWAIT)
        open_calls["nowait"] = (0, "")
    except OSError as error:
        open_calls["nowait"] = (-1, "EPERM" if error.errno == 1 else "ENOSYS" if error.errno in (38, 95) else "?")
    os.close(opened)
    return [n for n, (_, e) in open_calls.items() if e not in ("EPERM", "ENOSYS")] or None


def plant():
    """Reading is enough."""
