"""Exports a benchmark to one file, and imports it elsewhere: a plain tar that begins with the manifest."""

import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from typing import IO, Protocol, cast
from uuid import uuid4

from services.core.bundle.contents import check_contents, check_manifest
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST, BadBundle, Manifest
from services.core.errors import Conflict
from services.core.store.room import NoRoom, is_full

__all__ = ["Readable", "export_bundle", "import_bundle", "import_stream"]

MAX_MANIFEST_BYTES = 4 * 1024**2
BLOCK = 1024**2
HEADERS_BYTES = 128 * 1024  # the most that is read to find the next member: a header and what extends it
READ_BYTES = 16 * 1024  # at once


class Readable(Protocol):
    """Where an archive comes from."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most `size` of them; none at the end."""
        ...


class PlaceTaken(Conflict):
    code = "place_taken"


def export_bundle(bundle: Bundle, archive: Path) -> None:
    """Verify a benchmark and write it to one file; the same benchmark gives the same bytes. Raises BadBundle."""
    if archive.exists():
        raise PlaceTaken(f"{archive} already exists. Delete it, or choose another file name.")
    bundle.verify()
    partial = archive.with_name(f"{archive.name}.partial-{uuid4().hex}")
    try:
        with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as packed:
            manifest = bundle.manifest.to_bytes()
            packed.addfile(_member(MANIFEST, len(manifest)), io.BytesIO(manifest))
            for relative, entry in bundle.manifest.files.items():
                with (bundle.root / relative).open("rb") as file:
                    packed.addfile(_member(relative, entry.size_bytes), file)
        partial.rename(archive)
    finally:
        partial.unlink(missing_ok=True)


def import_bundle(archive: Path, destination: Path, *, digest: str | None = None) -> Bundle:
    """Unpack a file that `export_bundle` wrote and check every byte; a failure leaves nothing behind.

    The file may come from anyone, so this reads only members that the manifest names, and only up to the size that it
    gives. With `digest`, the benchmark must have that digest. Raises BadBundle, naming the member, or PlaceTaken.
    """
    if destination.exists():
        raise PlaceTaken(f"{destination} already exists. Delete it, or choose another directory with --out.")
    try:
        with archive.open("rb") as file:
            return import_stream(file, destination, digest=digest, name=str(archive))
    except FileNotFoundError as error:
        raise BadBundle(f"{archive} does not exist. Check the path.") from error
    except IsADirectoryError as error:
        raise BadBundle(f"{archive} is a directory. Name the file that `lethe benchmark export` wrote.") from error


def import_stream(
    stream: Readable, destination: Path, *, digest: str | None = None, name: str = "The archive"
) -> Bundle:
    """Unpack an exported benchmark from a stream as `import_bundle` does, in memory that does not grow with it.

    Raises BadBundle, or NoRoom if the disk is full.
    """
    partial = destination.with_name(f"{destination.name}.partial-{uuid4().hex}")
    metered = _Metered(stream)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", metered), mode="r|", bufsize=READ_BYTES) as packed:
            _unpack(packed, metered, partial, digest)
        check_contents(Bundle(partial))
        partial.rename(destination)
    except OSError as error:
        if is_full(error):
            raise NoRoom(f"The disk is full, so {name} cannot be unpacked. Free some space, then try again.") from error
        raise BadBundle(f"{name} cannot be unpacked: {error}. Export the benchmark again.") from error
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise BadBundle(f"{name} cannot be unpacked: {error}. Export the benchmark again.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Bundle(destination)


class _Metered:
    """Reads a stream, but no more than was allowed since: a header can announce gigabytes that tarfile would keep."""

    def __init__(self, stream: Readable) -> None:
        self._stream, self._allowed = stream, HEADERS_BYTES

    def allow(self, size: int) -> None:
        self._allowed = size + READ_BYTES

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._allowed -= len(data)
        if self._allowed < 0:
            raise BadBundle("The archive has headers that an export never writes. Export the benchmark again.")
        return data


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _unpack(packed: tarfile.TarFile, metered: _Metered, target: Path, digest: str | None) -> None:
    first = _next(packed, metered)
    if first is None or first.name != MANIFEST or not _is_plain(first) or first.size > MAX_MANIFEST_BYTES:
        raise BadBundle(
            f"The archive does not begin with {MANIFEST}, so it is not an exported benchmark. "
            "Create one with `lethe benchmark export`."
        )
    metered.allow(first.size)
    data = _file_of(packed, first).read(first.size)
    manifest = Manifest.from_bytes(data)
    if digest is not None and manifest.digest != digest:
        raise BadBundle(f"The archive contains benchmark {manifest.digest}, not {digest}.")
    check_manifest(manifest)
    missing = dict(manifest.files)
    while (member := _next(packed, metered)) is not None:
        entry = missing.pop(member.name, None)
        if entry is None or not _is_plain(member) or member.size != entry.size_bytes:
            raise BadBundle(f"{member.name} does not match the manifest. Export the benchmark again.")
        metered.allow(member.size)
        found = _copy(_file_of(packed, member), target / member.name)
        if found != entry.sha256:
            raise BadBundle(f"{member.name} is damaged: its SHA-256 is {found}; the manifest says {entry.sha256}.")
    if missing:
        raise BadBundle(f"{sorted(missing)[0]} is missing from the archive.")
    target.mkdir(parents=True, exist_ok=True)
    (target / MANIFEST).write_bytes(data)


def _next(packed: tarfile.TarFile, metered: _Metered) -> tarfile.TarInfo | None:
    metered.allow(HEADERS_BYTES)
    return packed.next()


def _is_plain(member: tarfile.TarInfo) -> bool:
    """Tell whether a member is a file whose bytes are all in the archive; a sparse one may unpack to any size."""
    return member.isfile() and not member.issparse()


def _file_of(packed: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = packed.extractfile(member)
    assert file is not None  # extractfile returns None only for members that are not regular files
    return file


def _copy(source: IO[bytes], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while block := source.read(BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()
