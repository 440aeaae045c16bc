"""A zip that is written as a stream, holds checksums of all its files, and has the same bytes whenever it is made.

The file gets its name when it is complete. What a writer that was interrupted leaves has another name, and the next one
begins it anew.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from services.core.errors import BadInput, Conflict
from services.core.locks import exclusive

__all__ = ["SUMS", "ArchiveWriter", "writing_archive"]

SUMS = "SHA256SUMS"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name
READABLE = 0o644 << 16
UNIX = 3
BEGUN = ".part"


class ArchiveWriter:
    """An archive that is being written. All its files lie in one folder."""

    def __init__(self, file: IO[bytes], folder: str) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._folder = folder
        self._sums: dict[str, str] = {}

    def add(self, name: str, parts: Iterable[str | bytes]) -> str:
        """Write a file from its parts, one after another; return its SHA-256."""
        info = zipfile.ZipInfo(f"{self._folder}/{name}", LONG_AGO)
        info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, READABLE, UNIX
        digest = hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as member:
            for part in parts:
                data = part.encode() if isinstance(part, str) else part
                digest.update(data)
                member.write(data)
        self._sums[name] = digest.hexdigest()
        return self._sums[name]

    def add_sums(self) -> tuple[str, int]:
        """Write the checksums of the files so far, as `sha256sum -c` reads them; return their own, and how many."""
        count = len(self._sums)
        return self.add(SUMS, [f"{digest}  {name}\n" for name, digest in sorted(self._sums.items())]), count

    def close(self) -> None:
        """End the archive."""
        self._zip.close()


@contextmanager
def writing_archive(file: Path, folder: str) -> Iterator[ArchiveWriter]:
    """Write a new archive. It appears under its name when the block has ended, and not at all if the block raises."""
    if file.exists():
        raise BadInput(f"{file} is there already. Name another file, or remove it first.")
    begun = file.with_name(f".{file.name}{BEGUN}")
    with exclusive(begun, Conflict(f"Another process writes {file}. Wait until it has ended.")):
        try:
            with begun.open("wb") as out, closing(ArchiveWriter(out, folder)) as archive:
                yield archive
            begun.rename(file)
        except BaseException:
            begun.unlink(missing_ok=True)
            raise
