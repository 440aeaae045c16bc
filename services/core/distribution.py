"""Which program this is: the name of Lethe's distribution, its installed version, and a digest of its sources."""

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["NAME", "installed_version", "program", "sources_sha256"]

NAME = "lethe-unlearning"
SOURCES = Path(__file__).parents[1]  # the package `services`


def installed_version() -> str:
    """Read the version from the installed package's metadata."""
    from importlib.metadata import version

    return version(NAME)


@cache
def program() -> dict[str, str]:
    """Name the program that runs here: its version, and the digest of its sources, which tells builds apart."""
    return {"version": installed_version(), "sources_sha256": sources_sha256(SOURCES)}


def sources_sha256(root: Path) -> str:
    """Digest the Python files below a directory: a line for each, in order, as `sha256sum` writes them."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix().encode()):
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{found}  ./{path.relative_to(root).as_posix()}\n".encode())
    return digest.hexdigest()
