"""How two processes share out the tests: file by file, and the longest files by halves, so that neither waits long."""

from zlib import crc32

from xdist.scheduler import LoadFileScheduling

__all__ = ["ByFiles", "share_of"]

HALVED = ("tests/worker/test_notebooks.py", "tests/worker/test_sandbox_conformance.py")


def share_of(test: str) -> str:
    """Name what a test is shared out with: its file, or a half of it. All cases of a test lie in one half."""
    file, _, name = test.partition("::")
    return f"{file} {crc32(name.partition('[')[0].encode()) % 2}" if file in HALVED else file


class ByFiles(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """pytest-xdist's own way, but for the longest files."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
