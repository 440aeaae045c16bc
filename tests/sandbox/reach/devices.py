"""Open a device that is not harmless, or make one."""
# weak: the container keeps it away
# gvisor: lets everybody make device files, which mean nothing to its own kernel

import os
import stat

HARMLESS = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "core", "fd", "stdin", "stdout", "stderr"}


def attempt():
    found = []
    for directory, directories, files in os.walk("/dev"):
        directories[:] = [d for d in directories if d not in ("pts", "fd", "shm", "mqueue")]
        for name in files:
            path = f"{directory}/{name}"
            try:
                found += [path] if name not in HARMLESS and os.access(path, os.R_OK) else []
            except OSError:
                continue
    for kind, number in (
        (stat.S_IFBLK, os.makedev(8, 0)),
        (stat.S_IFCHR, os.makedev(1, 1)),
        (stat.S_IFCHR, os.makedev(10, 229)),
    ):
        for directory in ("/tmp", "/dev/shm"):
            try:
                os.mknod(f"{directory}/device", kind | 0o666, number)
                os.unlink(f"{directory}/device")
                found.append(f"made {number:x}")
            except OSError:
                continue
    return found
