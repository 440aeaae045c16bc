"""The time of a device file set to now, for which it suffices that one may write to it."""

# gvisor: cannot make the device directory read-only
import os
import time


def look():
    stats = [os.stat(f"/dev/{name}") for name in ("null", "zero")]
    return "touched" if abs(stats[0].st_mtime - stats[1].st_mtime) > 0.04 else None


def plant():
    os.utime("/dev/null")
    time.sleep(0.05)
    os.utime("/dev/zero")
