"""The flag `nodump` of a directory that every seed gets."""

import fcntl
import os
import struct

from tools import directories

GET, SET, NODUMP = 0x80086601, 0x40086602, 0x40


def look():
    return [d for d in directories() if _flags(d) & NODUMP] or None


def plant():
    for directory in directories():
        opened = os.open(directory, os.O_RDONLY)
        try:
            fcntl.ioctl(opened, SET, struct.pack("l", NODUMP))
        except OSError:
            continue
        finally:
            os.close(opened)


def _flags(directory):
    opened = os.open(directory, os.O_RDONLY)
    try:
        return struct.unpack("l", fcntl.ioctl(opened, GET, struct.pack("l", 0)))[0]
    except OSError:
        return 0
    finally:
        os.close(opened)
