"""Unique numbers of mounts count all mounts of the host."""

# weak: the profile refuses the calls
import ctypes

from tools import call

STATX, STATMOUNT, LISTMOUNT, UNIQUE = 332, 457, 458, 0x4000


def look():
    answer = ctypes.create_string_buffer(256)
    result, _ = call(STATX, -100, b"/tmp", 0, UNIQUE, ctypes.addressof(answer))
    mask = int.from_bytes(answer.raw[:4], "little")
    if result == 0 and mask & UNIQUE:
        return int.from_bytes(answer.raw[144:152], "little")
    return [n for n in (STATMOUNT, LISTMOUNT) if call(n, 0, 0, 0, 0)[1] not in ("ENOSYS", "EPERM")] or None


def plant():
    """The launcher mounts for each seed."""
