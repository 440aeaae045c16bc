"""How processes share out the tests: file by file, and the longest files by parts, so that none waits long."""

from zlib import crc32

from xdist.scheduler import LoadFileScheduling

__all__ = ["ByFiles", "share_of"]

HALVED = ("tests/worker/test_notebooks.py", "tests/worker/test_sandbox_conformance.py")
BY_PLACE = ("tests/sandbox/test_harm.py",)
BY_CASE = ("tests/web/test_accessibility.py",)  # its cases are pages, which every process can open
PARTS = 4


def share_of(test: str) -> str:
    """Name what a test is shared out with: its file, or a part of it.

    Halves hold all cases of a test; the places that are attacked, which are costly to open, are not divided. What has
    one test of many cases is shared out by its cases.
    """
    file, _, name = test.partition("::")
    if file in BY_CASE:
        return f"{file} {crc32(name.encode()) % PARTS}"
    name, _, case = name.partition("[")
    if file in HALVED:
        return f"{file} {crc32(name.encode()) % 2}"
    if file in BY_PLACE:
        return f"{file} {case.rstrip(']').partition('-')[0]}"
    return file


class ByFiles(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """pytest-xdist's own way, but for the longest files."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
