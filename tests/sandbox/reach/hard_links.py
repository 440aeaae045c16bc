"""Link to files of others, or rename them, which a later owner may change or copy: from every directory of their disk."""
# weak: the container keeps it away

import os

from tools import OUT, SCRATCH, libc

AT_FDCWD, AT_EMPTY_PATH, AT_SYMLINK_FOLLOW = -100, 0x1000, 0x400
SOURCES = ("/etc/passwd", "/dev/null", __file__, "/lethe/code/services/__init__.py", "/proc/self/exe", "/bin/true")


def attempt():
    linked = []
    for source in SOURCES:
        near = {os.path.dirname(source), os.path.dirname(os.path.realpath(source)), "/", "/tmp", "/var/tmp", "/run"}
        for directory in (OUT, SCRATCH, "/dev/shm", *sorted(near)):
            linked += [
                f"{name}: {source} in {directory}" for name, way in WAYS.items() if _works(way, source, directory)
            ]
    return linked


def _works(way, source, directory):
    place = f"{directory}/linked"
    try:
        way(source, place)
        os.unlink(place)
    except OSError:
        return False
    return True


def _by_descriptor(source, place):
    """Link what is open, in the two ways that the kernel has for a file without a name."""
    opened = os.open(source, os.O_RDONLY)
    try:
        if libc.linkat(opened, b"", AT_FDCWD, place.encode(), AT_EMPTY_PATH) and libc.linkat(
            AT_FDCWD, f"/proc/self/fd/{opened}".encode(), AT_FDCWD, place.encode(), AT_SYMLINK_FOLLOW
        ):
            raise OSError
    finally:
        os.close(opened)


def _by_rename(source, place):
    """Rename it there and back."""
    os.rename(source, place)
    os.link(place, source)


WAYS = {"link": os.link, "descriptor": _by_descriptor, "rename": _by_rename}
