"""An access control list on a directory that every seed gets."""

# weak: the profile refuses the calls
import os
import struct

from tools import directories

ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, 7, who)
    for tag, who in ((1, 2**32 - 1), (2, 4242), (4, 2**32 - 1), (16, 2**32 - 1), (32, 2**32 - 1))
)


def look():
    seen = []
    for directory in directories():
        try:
            seen += [directory] if struct.pack("<I", 4242) in os.getxattr(directory, "system.posix_acl_access") else []
        except OSError:
            continue
    return seen or None


def plant():
    for directory in directories():
        try:
            os.setxattr(directory, "system.posix_acl_access", ACL)
        except OSError:
            continue
